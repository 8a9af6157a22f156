#!/usr/bin/env bash
# Makes `cargo build --target wasm32-unknown-unknown` work and prints the directory to put first on PATH for it: an empty
# line where rustup has the target. Where rustup cannot download it, or SONDE_WASM_TOOLCHAIN=debian says not to try,
# the compiler is Debian's rustc-web, for which the standard library is built once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wasm=wasm32-unknown-unknown
say() { echo "$*" >&2; }

rustup_has_it() {
    command -v rustup >/dev/null || return 1
    std_is_there && return 0
    say "asking rustup for $wasm"
    timeout 180 rustup target add "$wasm" >/dev/null 2>&1 && std_is_there
}

# Looks for the library itself: what rustup lists may have been taken away, and another rustc may stand first on PATH.
std_is_there() { compgen -G "$(rustc --print target-libdir --target "$wasm" 2>/dev/null)/libstd-*.rlib" >/dev/null; }

if [ "${SONDE_WASM_TOOLCHAIN:-}" != debian ]; then
    if rustup_has_it; then
        echo
        exit 0
    fi
    say "rustup cannot give $wasm here: taking Debian's compiler for the page"
fi

"$here/packages.sh" rustc-web cargo-web rust-web-src rust-web-llvm lld-22 rust-web-clippy >&2

# A standard library fits only the compiler that built it, so the compiler's version names the directory.
host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
dir=${SONDE_CACHE:-$HOME/.cache/sonde}/wasm-toolchain-$(/usr/bin/rustc -vV | sha256sum | cut -c1-12)

build_std() {
    local seed=$1
    mkdir -p "$seed/src"
    printf '[package]\nname = "sysroot_seed"\nedition = "2021"\n[profile.release]\ndebug = false\n[workspace]\n' >"$seed/Cargo.toml"
    echo '#![no_std]' >"$seed/src/lib.rs"
    # The bitcode is what lets a page with link-time optimisation use this library.
    (cd "$seed" && env -u CARGO_TARGET_DIR -u CARGO_BUILD_TARGET PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS=-Cembed-bitcode=yes /usr/bin/cargo build --release --target "$wasm" -Z build-std=std,panic_abort >&2)
    rm -f "$seed/target/$wasm/release/deps/"*sysroot_seed*
}

# Wrappers around Debian's programs that look into our directory for the standard library.
write_wrappers() {
    local to=$1 name
    for name in rustc rustdoc; do
        printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$name" "$dir" >"$to/$name"
    done
    for name in cargo-clippy clippy-driver; do
        printf '#!/bin/sh\nSYSROOT="%s" exec /usr/bin/%s "$@"\n' "$dir" "$name" >"$to/$name"
    done
    chmod +x "$to"/*
    ln -s /usr/bin/cargo "$to/cargo"
}

if [ ! -e "$dir/.done" ]; then
    say "building the standard library for $wasm, once"
    rm -rf "$dir" "$dir.build"
    build_std "$dir.build"
    mkdir -p "$dir/bin" "$dir/lib/rustlib/$wasm/lib" "$dir/lib/rustlib/$host"
    cp "$dir.build/target/$wasm/release/deps/"*.{rlib,rmeta} "$dir/lib/rustlib/$wasm/lib/"
    ln -s "/usr/lib/rustlib/$host/lib" "/usr/lib/rustlib/$host/bin" "$dir/lib/rustlib/$host/"
    ln -s /usr/lib/rustlib/src "$dir/lib/rustlib/src"
    write_wrappers "$dir/bin"
    rm -rf "$dir.build"
    touch "$dir/.done"
fi
echo "$dir/bin"
