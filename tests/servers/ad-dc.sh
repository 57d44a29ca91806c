#!/usr/bin/env bash
#
# ad-dc.sh - a throw-away Active Directory domain controller (Samba AD DC,
#            LDAP service only) on loopback, for the tests and the demo.
#
#   ad-dc.sh [options] start     start the DC (idempotent), print how to reach it
#   ad-dc.sh [options] stop      stop it (idempotent); the data stays in DIR
#   ad-dc.sh [options] status    print how to reach it; exit 0 running, 1 stopped
#   ad-dc.sh [options] load N    RESET the directory to a pristine domain plus
#                                N users user000000... (OU=Load), each with one
#                                userCertificate, every tenth also with a
#                                userSMIMECertificate. User i has certificate
#                                i modulo AD_DC_CERTS.
#                                "load 0" is a plain reset. Restarts the DC if it
#                                was running.
#   ad-dc.sh [options] load-ldif FILE
#                                RESET the directory to a pristine domain plus the entries
#                                of FILE, which may bring their own objectGUID. Nothing of it is
#                                cached. Restarts the DC if it was running.
#   ad-dc.sh [options] clean     stop and delete DIR (the shared cache stays)
#
# Options
#   -d DIR       working directory               [TARGET/servers/ad-dc; below /tmp where that is too long]
#                                                at most 80 characters: Samba puts AF_UNIX sockets below it
#   -p PORT      LDAP port on 127.0.0.1          [10389]
#   -t PORT      LDAPS port on 127.0.0.1         [PORT+247, so 10636]
#   -k PORT      also run the KDC, TCP port on 127.0.0.1 (Kerberos/GSSAPI tests) [off]
#   -x L:T       forward 127.0.0.1:L to port T of the DC, e.g. -x 11268:3268 for the
#                global catalog; may be repeated
#   -s           strict: "ldap server require strong auth = yes" (a simple bind without
#                TLS is refused with result 8, as on a hardened Windows DC)
#   The options given to "start" are remembered in DIR and reused by load/status/stop.
#
# Environment
#   AD_DC_CACHE   cache of provisioned/loaded directories  [TARGET/servers/ad-dc-cache]
#                 TARGET is CARGO_TARGET_DIR, else the project's target folder
#   AD_DC_NET     auto | netns | direct   (see below)      [auto]
#   AD_DC_MODEL   Samba process model: single | prefork | standard [single]
#   AD_DC_CERTS   how many distinct user certificates "load" makes  [200]
#
# Output (start/status): shell-sourceable KEY='value' lines on stdout, all else on stderr:
#   eval "$(ad-dc.sh -d /tmp/t1 -p 10389 start)"; ldapsearch -H "$AD_LDAP_URL" ...
#
# Debian packages (bookworm, --no-install-recommends):
#   samba samba-dsdb-modules samba-ad-provision ldb-tools openssl python3
#   (python3-samba, python3-ldb, tdb-tools ... come as dependencies.
#    NOT needed: samba-ad-dc, winbind, samba-vfs-modules, krb5-*, bind9.)
#   On a machine with systemd stop Debian's own autostart:
#     printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
#     (before apt-get install), or: systemctl disable --now smbd nmbd samba-ad-dc
#
# How the ports work. Samba has no option for the LDAP port: it always binds 389, 636,
# 3268, 3269. A small Python runner therefore listens on the wanted ports of 127.0.0.1 and
# forwards to Samba, which runs
#   netns:  in its own network namespace that has nothing but "lo" (it cannot send a packet
#           anywhere). Works as root, and as an ordinary user where unprivileged user
#           namespaces are allowed.
#   direct: on 127.1.x.y:389 of this machine (x.y made from the port, so several DCs can run
#           side by side). Needs the right to bind port 389: root, or
#           net.ipv4.ip_unprivileged_port_start <= 389 (Docker sets it to 0).
#   auto:   netns, else direct.
# The runner is the parent of Samba: when it dies, Samba ends too.

set -euo pipefail

# ------------------------------------------------------------------ constants
REALM=AD.TEST; DOMAIN=ADTEST; BASE='DC=ad,DC=test'; DNSDOMAIN=ad.test; HOST=dc1
ADMIN_PW='Passw0rd!'            # Administrator (domain admin)
SYNC_PW='SyncPassw0rd!'         # svc-sync: least rights for a sync (see PROVISION) / svc-plain: no rights
PY=/usr/bin/python3             # the distribution's Python: only that one has the samba module
SCRIPT_VERSION=3                # bump to invalidate the caches when ad-dc-provision.py changes

die() { echo "ad-dc: $*" >&2; exit 1; }
log() { echo "ad-dc: $*" >&2; }
usage() { sed -n '2,/^$/{s/^# \{0,1\}//;p}' "$0"; }

# ------------------------------------------------------------------ options
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TARGET=${CARGO_TARGET_DIR:-${HERE%/tests/servers}/target}
case $TARGET in /*) ;; *) TARGET=$PWD/$TARGET ;; esac
DIR=$TARGET/servers/ad-dc; [ ${#DIR} -le 80 ] || DIR=/tmp/smimesync-ad-dc-$(id -u)
PORT=; TLSPORT=; KDCPORT=; STRICT=no; EXTRA=(); GIVEN=
while getopts 'd:p:t:k:x:sh' o; do
  case $o in
    d) DIR=$OPTARG ;; p) PORT=$OPTARG; GIVEN=1 ;; t) TLSPORT=$OPTARG; GIVEN=1 ;;
    k) KDCPORT=$OPTARG; GIVEN=1 ;; x) EXTRA+=("$OPTARG"); GIVEN=1 ;; s) STRICT=yes; GIVEN=1 ;;
    h) usage; exit 0 ;; *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
CMD=${1:-}; N=${2:-}
case $DIR in /*) ;; *) DIR=$PWD/$DIR ;; esac
DIR=${DIR%/}
[ ${#DIR} -le 80 ] || die "working directory path too long for AF_UNIX sockets (${#DIR} > 80): $DIR"
CACHE=${AD_DC_CACHE:-$TARGET/servers/ad-dc-cache}
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac
MODEL=${AD_DC_MODEL:-single}; NET=${AD_DC_NET:-auto}; NCERTS=${AD_DC_CERTS:-200}

# remembered options (written by start); options on the command line win
if [ -z "$GIVEN" ] && [ -f "$DIR/options" ]; then . "$DIR/options"; fi
PORT=${PORT:-10389}; TLSPORT=${TLSPORT:-$((PORT + 247))}

need() {
  local miss=()
  command -v samba   >/dev/null || [ -x /usr/sbin/samba ] || miss+=(samba)
  command -v ldbadd  >/dev/null || miss+=(ldb-tools)
  command -v openssl >/dev/null || miss+=(openssl)
  [ -d /usr/share/samba/setup ] || miss+=(samba-ad-provision)
  ls /usr/lib/*/samba/ldb/samldb.so >/dev/null 2>&1 || miss+=(samba-dsdb-modules)
  ls /usr/lib/python3/dist-packages/samba/provision/__init__.py >/dev/null 2>&1 || miss+=(python3-samba)
  [ ${#miss[@]} = 0 ] || die "missing packages: apt-get install --no-install-recommends ${miss[*]}"
  SAMBA=$(command -v samba || echo /usr/sbin/samba)
}

# ------------------------------------------------------------------ smb.conf
# write_conf ROOT ADDRESS SERVICES : everything Samba would put below /var or /run goes to ROOT
write_conf() {
  local r=$1
  mkdir -p "$r"/{etc,private/tls,state,cache,lock,run,ncalrpc}
  chmod 700 "$r/private"
  cat > "$r/etc/smb.conf" <<EOF
[global]
  netbios name = ${HOST^^}
  workgroup = $DOMAIN
  realm = $REALM
  server role = active directory domain controller
  # only LDAP: no SMB, no NetBIOS, no DNS update, no replication, no winbind
  server services = $3
  # "address/8": loopback addresses that are not configured on lo work only in this form
  interfaces = $2/8
  bind interfaces only = yes
  private dir = $r/private
  state directory = $r/state
  cache directory = $r/cache
  lock directory = $r/lock
  pid directory = $r/run
  ncalrpc dir = $r/ncalrpc
  binddns dir = $r/state
  log file = $r/log.samba
  logging = file
  log level = 1
  # no: simple bind in clear text is allowed; yes: it needs StartTLS or LDAPS
  ldap server require strong auth = $STRICT
  tls keyfile = $r/private/tls/key.pem
  tls certfile = $r/private/tls/cert.pem
  tls cafile = $r/private/tls/ca.pem
  # no fsync: test data, speed matters
  ldb:nosync = true
[sysvol]
  path = $r/state/sysvol
  read only = no
[netlogon]
  path = $r/state/sysvol/$DNSDOMAIN/scripts
  read only = no
EOF
}

# ------------------------------------------------------------------ provision (cached)
cache_key() { echo "v$SCRIPT_VERSION-$("$SAMBA" -V | tr -cd 'A-Za-z0-9.-')"; }

# pristine : make (once) the provisioned domain in the cache, set PRISTINE
pristine() {
  PRISTINE=$CACHE/$(cache_key)/pristine
  [ -d "$PRISTINE" ] && return
  local t=$PRISTINE.tmp.$$ s=$SECONDS
  log "provisioning $REALM (once; cached in $PRISTINE)"
  rm -rf "$t"; mkdir -p "$t"
  write_conf "$t" 127.0.0.1 ldap
  "$PY" "$HERE/ad-dc-provision.py" "$t/etc/smb.conf" "$REALM" "$DOMAIN" "$HOST" "$ADMIN_PW" "$SYNC_PW" \
    > "$t/provision.log" 2>&1 || { tail -20 "$t/provision.log" >&2; die "provision failed, see $t/provision.log"; }
  # the test CA; the server certificate is made at start
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=ad-dc.sh test CA' \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$t/ca.key" -out "$t/ca.pem" 2>/dev/null
  mv "$t" "$PRISTINE"
  log "provisioned in $((SECONDS - s))s"
}

# ------------------------------------------------------------------ users with certificates
# certs : NCERTS S/MIME certificates for user000000@... , one per line in base64 DER; every tenth line has a
#         second column, a userSMIMECertificate as Outlook publishes it: CMS SignedData with the certificate
#         chain and the S/MIME capabilities, content empty. Sets CERTFILE.
certs() {
  CERTFILE=$CACHE/certs-v$SCRIPT_VERSION-$NCERTS.b64
  [ -s "$CERTFILE" ] && return
  log "making $NCERTS user certificates (once)"
  local w; w=$(mktemp -d "$CACHE/mkcerts.XXXXXX")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Bulk user CA' \
    -keyout "$w/ca.key" -out "$w/ca.pem" 2>/dev/null
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$w/u.key" 2>/dev/null
  local i u
  for ((i = 0; i < NCERTS; i++)); do
    u=$(printf 'user%06d' "$i")
    openssl req -x509 -new -key "$w/u.key" -CA "$w/ca.pem" -CAkey "$w/ca.key" -days 1825 -out "$w/u.pem" \
      -subj "/CN=$u/emailAddress=$u@$DNSDOMAIN" -addext "subjectAltName=email:$u@$DNSDOMAIN" \
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

ldif() {   # ldif N : LDIF for N users on stdout
  awk -v n="$1" -v base="$BASE" -v dom="$DNSDOMAIN" '
    { cert[NR - 1] = $1; smime[NR - 1] = $2 }
    END {
      printf "dn: OU=Load,%s\nobjectClass: organizationalUnit\n\n", base
      for (i = 0; i < n; i++) {
        u = sprintf("user%06d", i)
        # 544 = normal account, password not required: an enabled user without a password
        printf "dn: CN=%s,OU=Load,%s\nobjectClass: user\nsAMAccountName: %s\nuserPrincipalName: %s@%s\n" \
               "mail: %s@%s\nproxyAddresses: SMTP:%s@%s\nproxyAddresses: smtp:%s.alias@%s\n" \
               "displayName: User %06d\ngivenName: User\nsn: %06d\nuserAccountControl: 544\n" \
               "userCertificate:: %s\n", u, base, u, u, dom, u, dom, u, dom, u, dom, i, i, cert[i % NR]
        if (smime[i % NR] != "") printf "userSMIMECertificate:: %s\n", smime[i % NR]
        printf "\n"
      }
    }' "$CERTFILE"
}

# add_entries ROOT : LDIF on stdin into the stopped domain in ROOT
# The two -o options matter: without batch_mode one transaction is quadratic (10,000 users: 150-200 s
# instead of 11 s); without the larger index cache it is still more than twice as slow.
# "relax" lets entries bring their objectGUID, so that a test knows people by the same identity in every directory.
add_entries() {
  ldbadd -o batch_mode:1 -o transaction_index_cache_size:500000 --controls=relax:0 \
    -H "$1/private/sam.ldb" --configfile="$1/etc/smb.conf" >&2 || die "ldbadd failed"
}

# loaded N : make (once) the domain with N users in the cache, set SOURCE
loaded() {
  local n=$1
  if [ "$n" = 0 ]; then SOURCE=$PRISTINE; return; fi
  SOURCE=$CACHE/$(cache_key)/load-$n-$NCERTS
  [ -d "$SOURCE" ] && return
  certs
  local t=$SOURCE.tmp.$$ s=$SECONDS
  log "loading $n users (once; about 1 s per 1000)"
  rm -rf "$t"; cp -a --sparse=always "$PRISTINE" "$t"
  write_conf "$t" 127.0.0.1 ldap
  ldif "$n" | add_entries "$t"
  mv "$t" "$SOURCE"
  log "loaded in $((SECONDS - s))s"
}

# ------------------------------------------------------------------ commands
# pid of the running runner, or nothing. The command line must name our DIR: never trust a stale pid.
running() {
  local p; p=$(cat "$DIR/runner.pid" 2>/dev/null) || return 1
  [ -n "$p" ] && tr '\0' ' ' < "/proc/$p/cmdline" 2>/dev/null | grep -qF -- "$DIR/runner.py " || return 1
  echo "$p"
}

info() {
  cat <<EOF
AD_STATE='$1'
AD_PID='${2:-}'
AD_LDAP_URL='ldap://127.0.0.1:$PORT'
AD_LDAPS_URL='ldaps://127.0.0.1:$TLSPORT'
AD_HOST='127.0.0.1'
AD_LDAP_PORT='$PORT'
AD_LDAPS_PORT='$TLSPORT'
AD_BASE_DN='$BASE'
AD_ADMIN_DN='CN=Administrator,CN=Users,$BASE'
AD_ADMIN_UPN='administrator@$DNSDOMAIN'
AD_ADMIN_PASSWORD='$ADMIN_PW'
AD_SYNC_DN='CN=svc-sync,CN=Users,$BASE'
AD_PLAIN_DN='CN=svc-plain,CN=Users,$BASE'
AD_SYNC_PASSWORD='$SYNC_PW'
AD_CA_FILE='$DIR/ca.pem'
AD_LOG='$DIR/log.samba'
AD_USERS='$(cat "$DIR/users" 2>/dev/null || echo 0)'
EOF
  [ -z "$KDCPORT" ] || echo "AD_KRB5_CONFIG='$DIR/krb5.conf'"
}

place() {  # place SOURCE N : put a copy of a cached domain into DIR/dc
  rm -rf "$DIR/dc"; mkdir -p "$DIR"
  cp -a --sparse=always --reflink=auto "$1" "$DIR/dc"
  echo "$2" > "$DIR/users"
  rm -f "$DIR/server.pem"
}

start() {
  local pid; if pid=$(running); then info running "$pid"; return; fi
  mkdir -p "$DIR" "$CACHE"
  exec 9> "$CACHE/lock"; flock 9                       # one builder at a time
  pristine
  flock -u 9; exec 9>&-
  [ -d "$DIR/dc/private" ] || place "$PRISTINE" 0
  { echo "PORT=$PORT; TLSPORT=$TLSPORT; KDCPORT=$KDCPORT; STRICT=$STRICT"
    echo "EXTRA=(${EXTRA[*]:-})"; } > "$DIR/options"

  local addr mode fwd services=ldap
  fwd="$PORT:389,$TLSPORT:636"
  [ -z "$KDCPORT" ] || { services='ldap, kdc'; fwd+=",$KDCPORT:88"; }
  local x; for x in ${EXTRA[@]+"${EXTRA[@]}"}; do fwd+=",$x"; done

  for mode in netns direct; do
    [ "$NET" = auto ] || [ "$NET" = "$mode" ] || continue
    addr=127.0.0.1; [ $mode = netns ] || addr=127.1.$((PORT >> 8)).$((PORT & 255))
    write_conf "$DIR/dc" "$addr" "$services"
    server_cert "$addr"
    rm -f "$DIR/ready"; cp "$HERE/ad-dc-runner.py" "$DIR/runner.py"     # a copy: DIR in its command line tells whose it is
    # a new session, nothing of the caller's stdin/stdout kept open: "start" returns even in $(...)
    setsid "$PY" "$DIR/runner.py" $mode "$addr" "$DIR/ready" "$fwd" -- \
      "$SAMBA" -i -M "$MODEL" -s "$DIR/dc/etc/smb.conf" --debug-stdout \
      < /dev/null > "$DIR/log.samba" 2>&1 &
    pid=$!; echo "$pid" > "$DIR/runner.pid"
    while [ ! -f "$DIR/ready" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.03; done
    if [ -f "$DIR/ready" ]; then
      [ -z "$KDCPORT" ] || krb5_conf
      info running "$pid"; return
    fi
    rm -f "$DIR/runner.pid"
    # only "no namespace allowed here" leads on to the next mode
    if [ $mode = netns ] && [ "$NET" = auto ] && grep -q NETNS-UNAVAILABLE "$DIR/log.samba"; then
      log "no network namespace here, using direct mode"; continue
    fi
    break
  done
  tail -15 "$DIR/log.samba" >&2; die "start failed (log: $DIR/log.samba)"
}

server_cert() {   # certificate of the DC for the names and addresses it is reached by (OpenLDAP's client
                  # checks "localhost" against the machine's own host name, so that is in it as well)
  local k=$DIR/dc/private/tls
  cp "$DIR/dc/ca.pem" "$DIR/ca.pem"; cp "$DIR/dc/ca.pem" "$k/ca.pem"
  [ -f "$k/cert.pem" ] && [ "$(cat "$DIR/server.pem" 2>/dev/null)" = "$1" ] && return
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -CA "$DIR/dc/ca.pem" \
    -CAkey "$DIR/dc/ca.key" -subj "/CN=$HOST.$DNSDOMAIN" -addext basicConstraints=CA:FALSE \
    -addext "subjectAltName=DNS:$HOST.$DNSDOMAIN,DNS:$DNSDOMAIN,DNS:localhost,DNS:$(hostname -f 2>/dev/null || hostname),IP:127.0.0.1,IP:$1" \
    -addext extendedKeyUsage=serverAuth -keyout "$k/key.pem" -out "$k/cert.pem" 2>/dev/null
  chmod 600 "$k/key.pem"                               # Samba refuses any other mode
  echo "$1" > "$DIR/server.pem"
}

krb5_conf() {
  cat > "$DIR/krb5.conf" <<EOF
[libdefaults]
  default_realm = $REALM
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  $REALM = {
    kdc = 127.0.0.1:$KDCPORT
  }
[domain_realm]
  .$DNSDOMAIN = $REALM
  $DNSDOMAIN = $REALM
  localhost = $REALM
  127.0.0.1 = $REALM
EOF
}

stop() {
  local pid i; pid=$(running) || { rm -f "$DIR/runner.pid" "$DIR/ready"; return 0; }
  kill "$pid" 2>/dev/null || true
  # "running" and not "kill -0": a zombie that PID 1 has not reaped yet counts as gone
  for ((i = 0; i < 200; i++)); do running > /dev/null || break; sleep 0.05; done
  if running > /dev/null; then kill -9 "$pid" 2>/dev/null || true; fi
  rm -f "$DIR/runner.pid" "$DIR/ready"
}

load() {
  [[ $N =~ ^[0-9]+$ ]] || die "usage: ad-dc.sh load N"
  local was=; running > /dev/null && was=1
  stop
  mkdir -p "$DIR" "$CACHE"
  exec 9> "$CACHE/lock"; flock 9
  pristine; loaded "$N"
  flock -u 9; exec 9>&-
  place "$SOURCE" "$N"
  if [ -n "$was" ]; then start; else log "loaded $N users into $DIR (not started)"; fi
}

load_ldif() {
  [ -r "$N" ] || die "cannot read LDIF file: ${N:-none given}"
  local was=; running > /dev/null && was=1
  stop
  mkdir -p "$DIR" "$CACHE"
  exec 9> "$CACHE/lock"; flock 9
  pristine
  flock -u 9; exec 9>&-
  place "$PRISTINE" "$(grep -c '^sAMAccountName:' "$N" || true)"
  write_conf "$DIR/dc" 127.0.0.1 ldap
  add_entries "$DIR/dc" < "$N"
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
