# Sourced by ./demo and ./test: installs what they need and chooses a Rust that is new enough.

export CARGO_TERM_COLOR=never
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo > /dev/null; then sudo -n "$@"; else return 1; fi
}

# install PACKAGE... : Debian packages that are missing; services that come with them are not started.
install() {
    local missing=() package policy=/usr/sbin/policy-rc.d made= log=$TARGET/apt.log
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    command -v apt-get > /dev/null || { say "cannot install without apt-get: ${missing[*]}"; return 1; }
    say "installing ${missing[*]}"
    mkdir -p "$TARGET"
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy > /dev/null && as_root chmod +x $policy && made=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq update > /dev/null || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends \
        "${missing[@]}" > "$log" 2>&1
    local status=$?
    [ $status = 0 ] || tail -n 5 "$log"
    [ -z "$made" ] || as_root rm -f $policy
    return $status
}

# rust : cargo on the PATH in the version Cargo.toml asks for, else Debian's.
rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)
    [ -x "$HOME/.cargo/bin/cargo" ] && PATH=$HOME/.cargo/bin:$PATH
    have=$(cargo --version 2> /dev/null | cut -d ' ' -f 2)
    if [ -z "$have" ] || [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
        say "Rust ${have:-none} is not new enough ($wanted is needed): taking Debian's"
        install rustc-web cargo-web rustfmt-web || die "no Rust $wanted to be had"
        PATH=/usr/bin:$PATH
        hash -r
    fi
}

# build : the library and the programs of the tests; silent unless it fails.
build() {
    mkdir -p "$TARGET"
    (cd "$ROOT" && cargo build --locked --workspace > "$TARGET/build.log" 2>&1) || { tail -n 40 "$TARGET/build.log" >&2; die "the build failed"; }
    mkdir -p "$TARGET/hosts"
    make -s -C "$ROOT/examples/c" LIBRARY="$TARGET/debug" HOST="$TARGET/hosts/smimesync-host" || die "the C host does not build"
}
