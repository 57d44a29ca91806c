#!/bin/sh
# Builds the C# host as C# 5 and runs it beside the C host: the same bytes on both streams and the same exit codes.
# Prints "ok name", "FAILED name: reason" or "SKIPPED name: reason"; exit code 1 after a failure.
#
#   SMIMESYNC_LIBRARY   the built library's file
#   SMIMESYNC_COMPANY   the program smimesync-company    } for runs against the
#   SMIMESYNC_TENANT    the program smimesync-tenant     } tenant's double
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${SMIMESYNC_LIBRARY:?the built library}"
export SMIMESYNC_LIBRARY
work=$(mktemp -d)
tenant_pid=
trap 'test -z "$tenant_pid" || kill "$tenant_pid"; rm -rf "$work"' EXIT
failed=0
ok() { echo "ok $1"; }
fail() { echo "FAILED $1: $2"; failed=1; }
skip() { echo "SKIPPED $1: $2"; }
has() { command -v "$1" > /dev/null 2>&1; }

folder=$(dirname "$SMIMESYNC_LIBRARY")
if ! has cc; then
    skip dotnet "there is no C compiler for the host to compare with"
    exit 0
fi
if ! cc -std=c99 -O1 -I"$root/include" -o "$work/c-host" "$root"/examples/c/*.c -L"$folder" -lsmimesync "-Wl,-rpath,$folder" 2> "$work/log"; then
    fail dotnet/c-host "$(head -1 "$work/log")"
    exit 1
fi

echo '{}' > "$work/empty.json"
echo '{"nonsense":1}' > "$work/unknown.json"
echo '{"directory":{"kind":"ldif","path":"people.ldif"}}' > "$work/absent.json"
tenant=no
if [ -z "${SMIMESYNC_COMPANY:-}" ] || [ -z "${SMIMESYNC_TENANT:-}" ]; then
    skip dotnet/tenant "SMIMESYNC_COMPANY and SMIMESYNC_TENANT are not set"
else
    . "$root/tests/c/tenant.sh"
    if start_tenant "$work"; then tenant=yes; else fail dotnet/tenant "$(head -1 "$work/tenant.log")"; fi
fi

# same NAME HOST ARGUMENTS...: both hosts with these arguments
same() {
    name=$1
    shift
    "$work/c-host" "$@" > "$work/c.out" 2> "$work/c.err"
    c_code=$?
    $host "$@" > "$work/cs.out" 2> "$work/cs.err"
    cs_code=$?
    if [ $c_code -ne $cs_code ]; then
        fail "$name" "exit codes $c_code in C and $cs_code in C#: $(head -1 "$work/cs.err")"
    elif ! cmp -s "$work/c.out" "$work/cs.out"; then
        fail "$name" "standard output differs: $(cmp "$work/c.out" "$work/cs.out")"
    elif ! cmp -s "$work/c.err" "$work/cs.err"; then
        fail "$name" "standard error differs: $(diff "$work/c.err" "$work/cs.err" | sed -n 2p)"
    else
        ok "$name"
    fi
}

faults=
compare_hosts() {
    same "$1/columns" "$work/empty.json" columns
    same "$1/one-verb" "$work/empty.json" columns '{"verb":"runs"}'
    same "$1/unknown-key" "$work/unknown.json" settings
    same "$1/missing-configuration" "$work/nowhere.json" settings
    same "$1/unknown-option" "$work/empty.json" columns '{"verbs":1}'
    same "$1/unknown-verb" "$work/empty.json" nonsense
    same "$1/base-dir" "$work/absent.json" fetch
    cd "$work" && same "$1/relative-configuration" absent.json fetch
    if [ $tenant = yes ]; then
        for verb in fetch validate recipients; do same "$1/$verb" "$work/company/config.json" "$verb"; done
        # one build of the same source is enough for the faults
        if [ -z "$faults" ]; then
            # shellcheck disable=SC2086
            python3 "$root/tests/hosts/faults.py" run "$1/faults" $host || failed=1
            faults=done
        fi
    fi
}

if has mcs && has mono; then
    if mcs -langversion:5 -warn:4 -warnaserror -out:"$work/host.exe" "$root"/examples/dotnet/*.cs "$root"/powershell/SmimeSync/Interop/*.cs > "$work/log" 2>&1; then
        ok dotnet/mcs-build
        host="mono $work/host.exe"
        compare_hosts dotnet/mono
    else
        fail dotnet/mcs-build "$(grep -m1 error "$work/log")"
    fi
else
    skip dotnet/mono "there is no mcs and mono"
fi

if has dotnet; then
    mkdir "$work/project" && cp "$root"/examples/dotnet/*.cs "$work/project/"
    sed "s#\.\./\.\./powershell#$root/powershell#" "$root/examples/dotnet/smimesync-host.csproj" > "$work/project/smimesync-host.csproj"
    if dotnet build "$work/project" -v q --nologo -o "$work/dotnet" > "$work/log" 2>&1; then
        ok dotnet/sdk-build
        host="$work/dotnet/smimesync-host"
        compare_hosts dotnet/sdk
    else
        fail dotnet/sdk-build "$(grep -m1 error "$work/log")"
    fi
else
    skip dotnet/sdk "there is no dotnet"
fi
exit $failed
