#!/bin/sh
# Builds the C host and runs it: the header as C99 and C++17, every verb's rows as JSON, errors, exit codes, Ctrl+C, and
# all of it under valgrind. Prints "ok name", "FAILED name: reason" or "SKIPPED name: reason"; exit code 1 after a failure.
#
#   SMIMESYNC_LIBRARY   the built library's file
#   SMIMESYNC_COMPANY   the program smimesync-company    } for runs against the
#   SMIMESYNC_TENANT    the program smimesync-tenant     } tenant's double
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${SMIMESYNC_LIBRARY:?the built library}"
work=$(mktemp -d)
tenant_pid=
trap 'test -z "$tenant_pid" || kill "$tenant_pid"; rm -rf "$work"' EXIT
failed=0
ok() { echo "ok $1"; }
fail() { echo "FAILED $1: $2"; failed=1; }
skip() { echo "SKIPPED $1: $2"; }
has() { command -v "$1" > /dev/null 2>&1; }

folder=$(dirname "$SMIMESYNC_LIBRARY")
link="-L$folder -lsmimesync -Wl,-rpath,$folder"
strict="-Wall -Wextra -Wpedantic -Werror"

if ! has cc; then
    skip c "there is no C compiler"
    exit 0
fi
# shellcheck disable=SC2086
if cc -std=c99 $strict -I"$root/include" -o "$work/header-c" "$here/header.c" $link 2> "$work/log" && "$work/header-c"; then
    ok c/header-c99
else
    fail c/header-c99 "$(head -1 "$work/log")"
fi
if ! has c++; then
    skip c/header-c++17 "there is no C++ compiler"
# shellcheck disable=SC2086
elif c++ -std=c++17 $strict -x c++ -I"$root/include" -o "$work/header-c++" "$here/header.c" $link 2> "$work/log" && "$work/header-c++"; then
    ok c/header-c++17
else
    fail c/header-c++17 "$(head -1 "$work/log")"
fi
host="$work/smimesync-host"
# shellcheck disable=SC2086
if ! cc -std=c99 -O1 -g $strict -I"$root/include" -o "$host" "$root"/examples/c/*.c $link 2> "$work/log"; then
    fail c/build "$(head -1 "$work/log")"
    exit 1
fi
ok c/build

# under NAME EXPECTED_EXIT COMMAND...: output in $work/out and $work/err
under() {
    name=$1
    expected=$2
    shift 2
    "$@" > "$work/out" 2> "$work/err"
    code=$?
    if [ "$code" -eq "$expected" ]; then ok "$name"; else fail "$name" "exit code $code, expected $expected: $(tail -1 "$work/err")"; fi
}
says() {
    if grep -q -- "$2" "$work/out" "$work/err"; then ok "$1"; else fail "$1" "nothing says $2: $(tail -1 "$work/err")"; fi
}

echo '{}' > "$work/empty.json"
echo '{"nonsense":1}' > "$work/unknown.json"
echo '{"policy":' > "$work/broken.json"
echo '{"directory":{"kind":"ldif","path":"people.ldif"}}' > "$work/absent.json"

under c/columns 0 "$host" "$work/empty.json" columns
says c/columns-rows '"verb":"sync"'
under c/unknown-key 10 "$host" "$work/unknown.json" settings
says c/unknown-key-target '"code":-102,"category":"config","area":"config","target":"/nonsense"'
under c/broken-configuration 10 "$host" "$work/broken.json" settings
says c/broken-configuration-code '"code":-101'
under c/missing-configuration 10 "$host" "$work/nowhere.json" settings
says c/missing-configuration-code '"code":-108,"category":"not_found"'
under c/unknown-option 10 "$host" "$work/empty.json" columns '{"verbs":"sync"}'
says c/unknown-option-target '"target":"/verbs"'
printf 'version: 1\n\ndn: cn=a,dc=x\nobjectClass: user\nmail: a@x.test\n' > "$work/one.ldif"
echo "{\"directory\":{\"kind\":\"ldif\",\"path\":\"$work/one.ldif\"}}" > "$work/one.json"
under c/ldif-written 0 "$host" "$work/one.json" fetch "{\"ldif_path\":\"$work/two.ldif\"}"
under c/ldif-exists 10 "$host" "$work/one.json" fetch "{\"ldif_path\":\"$work/two.ldif\"}"
says c/ldif-exists-code '"code":-115'
under c/unknown-verb 10 "$host" "$work/empty.json" nonsense
under c/usage 10 "$host" "$work/empty.json"
under c/base-dir 10 "$host" "$work/absent.json" fetch
says c/base-dir-target "$work/people.ldif"
under c/options-from-stdin 0 sh -c "echo '{\"verb\":\"runs\"}' | '$host' '$work/empty.json' columns -"

if has valgrind; then
    grind() { valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect "$@"; }
    under c/valgrind-columns 0 grind "$host" "$work/empty.json" columns
    under c/valgrind-error 10 grind "$host" "$work/unknown.json" columns
else
    skip c/valgrind "there is no valgrind"
fi

if [ -z "${SMIMESYNC_COMPANY:-}" ] || [ -z "${SMIMESYNC_TENANT:-}" ]; then
    skip c/tenant "SMIMESYNC_COMPANY and SMIMESYNC_TENANT are not set"
    exit $failed
fi
. "$root/tests/c/tenant.sh"
start_tenant "$work" || { fail c/tenant "$(head -1 "$work/tenant.log")"; exit 1; }
run="$host"
if has valgrind; then run="grind $host"; fi
for verb in check fetch validate recipients compare; do
    under "c/$verb" 0 $run "$work/company/config.json" "$verb"
    if [ -s "$work/out" ]; then ok "c/$verb-rows"; else fail "c/$verb-rows" "no rows"; fi
done
under c/sync 0 $run "$work/company/config.json" sync
cp "$work/out" "$work/sync.jsonl"

# Ctrl+C while the tenant takes its time: cancelled at once, with the exit code for it.
python3 - "$work/ready" << 'PYTHON'
import json, sys, urllib.request
url = json.load(open(sys.argv[1]))["http"] + "/control/switches"
fault = {"fault": {"slow": {"ms": 20000, "when": "before"}}, "count": 9, "endpoint": "token"}
data = json.dumps({"faults": [fault]}).encode()
urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}))
PYTHON
"$host" "$work/company/config.json" recipients > "$work/out" 2> "$work/err" &
host_pid=$!
sleep 1
before=$(date +%s)
kill -INT "$host_pid"
wait "$host_pid"
code=$?
if [ $code -eq 30 ] && [ $(($(date +%s) - before)) -lt 5 ]; then
    ok c/interrupt
else
    fail c/interrupt "exit code $code after $(($(date +%s) - before)) s: $(tail -1 "$work/err")"
fi

stop_tenant
under c/sync-outcome 0 "$SMIMESYNC_COMPANY" verify --expected "$work/company/expected-ldif.json" --rows "$work/sync.jsonl" --tenant "$work/company/saved.json"
python3 "$root/tests/hosts/faults.py" run c/faults "$host" || failed=1
# a delta without changes has nothing to ask the tenant
echo '{"policy_type":"initial"}' > "$work/initial.json"
under c/closed-port 13 "$host" "$work/company/config.json" compare "$work/initial.json"
says c/closed-port-area '"category":"network","area":"exchange"'
exit $failed
