#!/usr/bin/env bash
#
# openldap.sh - a throw-away OpenLDAP slapd (mdb, syncrepl provider) on loopback,
#               for the tests and the demo.
#
#   openldap.sh [options] start     start slapd (idempotent), print how to reach it
#   openldap.sh [options] stop      stop it (idempotent); the data stays in DIR
#   openldap.sh [options] status    print how to reach it; exit 0 running, 1 stopped
#   openldap.sh [options] load N    RESET the directory to the base entries plus N users
#                                   user000000... (ou=people), each with one userCertificate,
#                                   every tenth also with a userSMIMECertificate. User i has
#                                   certificate i modulo OPENLDAP_CERTS. "load 0" is a plain
#                                   reset. Restarts slapd if it was running.
#   openldap.sh [options] load-ldif FILE
#                                   RESET the directory to the base entries plus the entries of FILE,
#                                   which may bring their own entryUUID. Nothing of it is cached.
#                                   Restarts slapd if it was running.
#   openldap.sh [options] clean     stop and delete DIR (the shared cache stays)
#
# Options
#   -d DIR       working directory               [TARGET/servers/openldap]
#   -p PORT      LDAP port on 127.0.0.1          [11389]
#   -t PORT      LDAPS port on 127.0.0.1         [PORT+247, so 11636]
#   -c FILE      TLS clients need a certificate of an authority in FILE; CN=x then binds by EXTERNAL as cn=x of the suffix
#   -i           also listen on the socket DIR/ldapi, where the user who started slapd binds by EXTERNAL as cn=svc-sync
#   -a RULE      an access rule before the others, such as "access to attrs=mail by * none"; may be repeated
#   The options given to "start" are remembered in DIR and reused by load/status/stop.
#
# Environment
#   OPENLDAP_CACHE   cache of certificates and loaded databases  [TARGET/servers/openldap-cache]
#                    TARGET is CARGO_TARGET_DIR, else the project's target folder
#   OPENLDAP_CERTS   how many distinct user certificates "load" makes  [200]
#
# Output (start/status): shell-sourceable KEY='value' lines on stdout, all else on stderr:
#   eval "$(openldap.sh -d /tmp/o1 -p 11389 start)"; ldapsearch -x -H "$OL_LDAP_URL" ...
#
# Debian packages (bookworm, --no-install-recommends): slapd openssl
#   (ldap-utils only for the ldapsearch of the tests.) Needs no root. With systemd, stop Debian's own
#   instance: systemctl disable --now slapd, or a policy-rc.d that exits 101 before apt-get install.
#
# What is in the directory
#   dc=example,dc=test                      suffix
#   cn=admin,dc=example,dc=test             rootdn (not an entry), password "secret"
#   cn=svc-sync,dc=example,dc=test          may read all, no size limit, password "SyncPassw0rd!"
#   anonymous and everybody else            may read, at most 1000 entries per search, paged or not
#   ou=people                               the users

set -euo pipefail

# ------------------------------------------------------------------ constants
DC=example; BASE="dc=$DC,dc=test"; MAILDOMAIN=example.test
ADMIN_DN="cn=admin,$BASE"; ADMIN_PW=secret
SYNC_DN="cn=svc-sync,$BASE"; SYNC_PW='SyncPassw0rd!'
SCRIPT_VERSION=2                # bump to invalidate the caches when the data below change

die() { echo "openldap: $*" >&2; exit 1; }
log() { echo "openldap: $*" >&2; }
usage() { sed -n '2,/^$/{s/^# \{0,1\}//;p}' "$0"; }

# ------------------------------------------------------------------ options
TARGET=${CARGO_TARGET_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target}
case $TARGET in /*) ;; *) TARGET=$PWD/$TARGET ;; esac
DIR=$TARGET/servers/openldap; PORT=; TLSPORT=; CLIENTS=; SOCKET=; RULES=; GIVEN=
while getopts 'd:p:t:c:ia:h' o; do
  case $o in
    d) DIR=$OPTARG ;; p) PORT=$OPTARG; GIVEN=1 ;; t) TLSPORT=$OPTARG; GIVEN=1 ;;
    c) CLIENTS=$OPTARG; GIVEN=1 ;; i) SOCKET=1; GIVEN=1 ;; a) RULES+=$OPTARG$'\n'; GIVEN=1 ;;
    h) usage; exit 0 ;; *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
CMD=${1:-}; N=${2:-}
case $DIR in /*) ;; *) DIR=$PWD/$DIR ;; esac
DIR=${DIR%/}
CACHE=${OPENLDAP_CACHE:-$TARGET/servers/openldap-cache}
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac
NCERTS=${OPENLDAP_CERTS:-200}
if [ -z "$GIVEN" ] && [ -f "$DIR/options" ]; then . "$DIR/options"; fi
PORT=${PORT:-11389}; TLSPORT=${TLSPORT:-$((PORT + 247))}

need() {
  local miss=()
  SLAPD=$(command -v slapd || echo /usr/sbin/slapd)
  [ -x "$SLAPD" ] || miss+=(slapd)
  command -v openssl > /dev/null || miss+=(openssl)
  [ ${#miss[@]} = 0 ] || die "missing packages: apt-get install --no-install-recommends ${miss[*]}"
  MODULES=/usr/lib/ldap
  mkdir -p "$DIR" "$CACHE"
  # Debian's AppArmor profile confines /usr/sbin/slapd to /etc/ldap and /var/lib/ldap. It goes by path,
  # so a copy elsewhere is free. (slapd -T add does what slapadd does, with the same copy.)
  if grep -qs slapd /sys/kernel/security/apparmor/profiles; then
    cp -u "$SLAPD" "$CACHE/slapd"; SLAPD=$CACHE/slapd
  fi
}

# ------------------------------------------------------------------ slapd.conf
write_conf() {   # write_conf ROOT : configuration for the database in ROOT/db
  mkdir -p "$1/db"
  cat > "$1/slapd.conf" <<EOF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath $MODULES
moduleload back_mdb
moduleload syncprov
pidfile $1/slapd.pid
argsfile $1/slapd.args
sizelimit 1000
TLSCACertificateFile ${CLIENTS:-$DIR/ca.pem}
TLSCertificateFile $DIR/cert.pem
TLSCertificateKeyFile $DIR/key.pem
$([ -z "$CLIENTS" ] || echo "TLSVerifyClient demand")
authz-regexp "^gidNumber=[0-9]+[+]uidNumber=$(id -u),cn=peercred,cn=external,cn=auth\$" "$SYNC_DN"
authz-regexp "^cn=([^,]+)\$" "cn=\$1,$BASE"

database mdb
suffix "$BASE"
rootdn "$ADMIN_DN"
rootpw $ADMIN_PW
directory $1/db
# address space, not disk: the file grows as needed
maxsize 8589934592
# no fsync: test data, speed matters
dbnosync
index objectClass eq
index uid,mail eq
# used by the sync provider, and by clients that poll with (entryCSN>=...)
index entryUUID,entryCSN eq
limits dn.exact="$SYNC_DN" size=unlimited time=unlimited
${RULES}access to attrs=userPassword by anonymous auth by * none
access to * by * read
# RFC 4533 provider. The session log lets a refresh name the deleted entries; it is in memory, so
# after a restart a client with an old cookie gets a "present" phase instead.
overlay syncprov
syncprov-checkpoint 100 1
syncprov-sessionlog 10000
EOF
}

# ------------------------------------------------------------------ users with certificates
# certs : NCERTS S/MIME certificates for user000000@... , one per line in base64 DER; every tenth line has a
#         second column, a userSMIMECertificate: CMS SignedData with the certificate chain and the S/MIME
#         capabilities, content empty. Sets CERTFILE.
certs() {
  CERTFILE=$CACHE/certs-v$SCRIPT_VERSION-$NCERTS.b64
  [ -s "$CERTFILE" ] && return
  log "making $NCERTS user certificates (once)"
  local w i u; w=$(mktemp -d "$CACHE/mkcerts.XXXXXX")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Bulk user CA' \
    -keyout "$w/ca.key" -out "$w/ca.pem" 2>/dev/null
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$w/u.key" 2>/dev/null
  for ((i = 0; i < NCERTS; i++)); do
    u=$(printf 'user%06d' "$i")
    openssl req -x509 -new -key "$w/u.key" -CA "$w/ca.pem" -CAkey "$w/ca.key" -days 1825 -out "$w/u.pem" \
      -subj "/CN=$u/emailAddress=$u@$MAILDOMAIN" -addext "subjectAltName=email:$u@$MAILDOMAIN" \
      -addext basicConstraints=CA:FALSE -addext extendedKeyUsage=emailProtection \
      -addext keyUsage=critical,digitalSignature,keyEncipherment 2>/dev/null
    openssl x509 -in "$w/u.pem" -outform DER | base64 -w0
    if ((i % 10 == 0)); then
      printf ' '
      openssl cms -sign -binary -nodetach -in /dev/null -signer "$w/u.pem" -inkey "$w/u.key" \
        -certfile "$w/ca.pem" -outform DER | base64 -w0
    fi
    echo
  done > "$w/out"
  mv "$w/out" "$CERTFILE"; rm -rf "$w"
}

ldif() {   # ldif N : base entries and N users on stdout
  cat <<EOF
dn: $BASE
objectClass: domain
dc: $DC

dn: $SYNC_DN
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: svc-sync
userPassword: $SYNC_PW

dn: ou=people,$BASE
objectClass: organizationalUnit
ou: people

EOF
  # userCertificate must be written with ";binary", userSMIMECertificate must not (OpenLDAP gives it a
  # syntax for which ";binary" is an error)
  awk -v n="$1" -v base="$BASE" -v dom="$MAILDOMAIN" '
    { cert[NR - 1] = $1; smime[NR - 1] = $2 }
    END {
      for (i = 0; i < n; i++) {
        u = sprintf("user%06d", i)
        printf "dn: uid=%s,ou=people,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: User %06d\nsn: %06d\n" \
               "givenName: User\nmail: %s@%s\nuserCertificate;binary:: %s\n", u, base, u, i, i, u, dom, cert[i % NR]
        if (smime[i % NR] != "") printf "userSMIMECertificate:: %s\n", smime[i % NR]
        printf "\n"
      }
    }' "$CERTFILE"
}

# add_entries ROOT [OPTION...] : LDIF on stdin into the database in ROOT/db, which no slapd has open
add_entries() {
  local root=$1; shift
  # the TLS lines name files that need not exist yet: slapadd would refuse
  sed -i '/^TLS/d' "$root/slapd.conf"
  # -w: write the contextCSN the sync provider starts from
  "$SLAPD" -T add "$@" -w -f "$root/slapd.conf" >&2 || die "slapadd failed"
}

# loaded N : make (once) the database with N users in the cache, set SOURCE
loaded() {
  SOURCE=$CACHE/db-v$SCRIPT_VERSION-$1-$NCERTS
  [ -d "$SOURCE" ] && return
  CERTFILE=/dev/null; [ "$1" = 0 ] || certs
  local t=$SOURCE.tmp.$$ s=$SECONDS
  rm -rf "$t"; write_conf "$t"
  ldif "$1" | add_entries "$t" -q       # -q: few checks, for entries made here
  mv "$t" "$SOURCE"
  log "loaded $1 users in $((SECONDS - s))s"
}

# ------------------------------------------------------------------ commands
# pid of the running slapd, or nothing. The command line must name our DIR: never trust a stale pid.
running() {
  local p; p=$(cat "$DIR/pid" 2>/dev/null) || return 1
  [ -n "$p" ] && tr '\0' ' ' < "/proc/$p/cmdline" 2>/dev/null | grep -qF -- " $DIR/slapd.conf " || return 1
  echo "$p"
}

info() {
  cat <<EOF
OL_STATE='$1'
OL_PID='${2:-}'
OL_LDAP_URL='ldap://127.0.0.1:$PORT'
OL_LDAPS_URL='ldaps://127.0.0.1:$TLSPORT'
OL_HOST='127.0.0.1'
OL_LDAP_PORT='$PORT'
OL_LDAPS_PORT='$TLSPORT'
OL_BASE_DN='$BASE'
OL_PEOPLE_DN='ou=people,$BASE'
OL_ADMIN_DN='$ADMIN_DN'
OL_ADMIN_PASSWORD='$ADMIN_PW'
OL_SYNC_DN='$SYNC_DN'
OL_SYNC_PASSWORD='$SYNC_PW'
OL_CA_FILE='$DIR/ca.pem'
OL_LDAPI_URL='ldapi://${DIR//\//%2F}%2Fldapi'
OL_LOG='$DIR/log.slapd'
OL_USERS='$(cat "$DIR/users" 2>/dev/null || echo 0)'
EOF
}

place() {  # place SOURCE N : put a copy of a cached database into DIR/db
  rm -rf "$DIR/db"; mkdir -p "$DIR"
  cp -a --sparse=always --reflink=auto "$1/db" "$DIR/db"
  echo "$2" > "$DIR/users"
}

tls() {    # test CA (cached) and server certificate (OpenLDAP's client checks "localhost" against the
           # machine's own host name, so that is in it as well)
  if [ ! -f "$CACHE/ca.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=openldap.sh test CA' \
      -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$CACHE/ca.key" -out "$CACHE/ca.pem" 2>/dev/null
  fi
  cmp -s "$CACHE/ca.pem" "$DIR/ca.pem" && [ -f "$DIR/cert.pem" ] && return
  cp "$CACHE/ca.pem" "$DIR/ca.pem"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -CA "$CACHE/ca.pem" \
    -CAkey "$CACHE/ca.key" -subj "/CN=localhost" -addext basicConstraints=CA:FALSE \
    -addext "subjectAltName=DNS:localhost,DNS:$(hostname -f 2>/dev/null || hostname),IP:127.0.0.1" \
    -addext extendedKeyUsage=serverAuth -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>/dev/null
}

start() {
  local pid i; if pid=$(running); then info running "$pid"; return; fi
  exec 9> "$CACHE/lock"; flock 9                       # one builder at a time
  tls
  [ -d "$DIR/db" ] || { loaded 0; place "$SOURCE" 0; }
  flock -u 9; exec 9>&-
  printf '%s=%q\n' PORT "$PORT" TLSPORT "$TLSPORT" CLIENTS "$CLIENTS" SOCKET "$SOCKET" RULES "$RULES" > "$DIR/options"
  local sockets="ldap://127.0.0.1:$PORT/ ldaps://127.0.0.1:$TLSPORT/"
  [ -z "$SOCKET" ] || sockets+=" ldapi://${DIR//\//%2F}%2Fldapi"
  write_conf "$DIR"
  # -d 0 keeps slapd in the foreground of a session of its own; nothing of the caller's stdin/stdout stays open
  setsid "$SLAPD" -f "$DIR/slapd.conf" -d 0 -h "$sockets" \
    < /dev/null > "$DIR/log.slapd" 2>&1 &
  pid=$!; echo "$pid" > "$DIR/pid"
  # ready when the port answers (bash's own TCP client: no ldap-utils needed)
  for ((i = 0; i < 500; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    if [ -s "$DIR/slapd.pid" ] && (exec 3<> "/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
      info running "$pid"; return
    fi
    sleep 0.02
  done
  rm -f "$DIR/pid"; tail -15 "$DIR/log.slapd" >&2; die "start failed (log: $DIR/log.slapd)"
}

stop() {
  local pid i; pid=$(running) || { rm -f "$DIR/pid"; return 0; }
  kill "$pid" 2>/dev/null || true
  # "running" and not "kill -0": a zombie that PID 1 has not reaped yet counts as gone
  for ((i = 0; i < 400; i++)); do running > /dev/null || break; sleep 0.025; done
  if running > /dev/null; then kill -9 "$pid" 2>/dev/null || true; fi
  rm -f "$DIR/pid" "$DIR/slapd.pid"
}

load() {
  [[ $N =~ ^[0-9]+$ ]] || die "usage: openldap.sh load N"
  local was=; running > /dev/null && was=1
  stop
  exec 9> "$CACHE/lock"; flock 9
  loaded "$N"
  flock -u 9; exec 9>&-
  place "$SOURCE" "$N"
  if [ -n "$was" ]; then start; else log "loaded $N users into $DIR (not started)"; fi
}

load_ldif() {
  [ -r "$N" ] || die "cannot read LDIF file: ${N:-none given}"
  local was=; running > /dev/null && was=1
  stop
  exec 9> "$CACHE/lock"; flock 9
  loaded 0
  flock -u 9; exec 9>&-
  place "$SOURCE" "$(grep -c '^objectClass: inetOrgPerson' "$N" || true)"
  write_conf "$DIR"
  # checked: what slapd would refuse over LDAP must not get in by the back door
  add_entries "$DIR" < "$N"
  if [ -n "$was" ]; then start; else log "loaded $N into $DIR (not started)"; fi
}

case $CMD in
  start)  need; start ;;
  stop)   stop ;;
  status) if pid=$(running); then info running "$pid"; else info stopped; exit 1; fi ;;
  load)   need; load ;;
  load-ldif) need; load_ldif ;;
  clean)  stop   # only what this script made
          [ ! -d "$DIR" ] || [ -f "$DIR/options" ] || [ -f "$DIR/users" ] || die "$DIR is not mine"
          rm -rf "$DIR" ;;
  *)      usage >&2; exit 2 ;;
esac
