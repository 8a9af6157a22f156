#!/usr/bin/env bash
# Makes `cargo build --target wasm32-unknown-unknown` work and prints the directory to put first on PATH for it: an empty
# line where rustup has the target. Where rustup cannot download it, or SONDE_WASM_TOOLCHAIN=debian says not to try,
# the compiler is Debian's rustc-web, for which the standard library is built once. `wasm-toolchain.sh small` does it for
# the page that is shipped: its standard library, ours with either compiler, stops at a panic without a word about it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wasm=wasm32-unknown-unknown
kind=${1:-plain}
say() { echo "$*" >&2; }

rustup_has_it() {
    command -v rustup >/dev/null || return 1
    std_is_there && return 0
    say "asking rustup for $wasm"
    timeout 180 rustup target add "$wasm" >/dev/null 2>&1 && std_is_there
}

# Looks for the library itself: what rustup lists may have been taken away, and another rustc may stand first on PATH.
std_is_there() { compgen -G "$(rustc --print target-libdir --target "$wasm" 2>/dev/null)/libstd-*.rlib" >/dev/null; }

rustup_has_source() {
    source_is_there && return 0
    say "asking rustup for the source of the standard library"
    timeout 180 rustup component add rust-src >/dev/null 2>&1 && source_is_there
}

source_is_there() { [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; }

# Where the compiler is that the standard library is built with and for.
compiler=/usr
if [ "${SONDE_WASM_TOOLCHAIN:-}" != debian ]; then
    if rustup_has_it; then
        if [ "$kind" = small ] && rustup_has_source; then
            compiler=$(rustc --print sysroot)
        else
            [ "$kind" = plain ] || say "rustup cannot give the source of the standard library: the page will be larger"
            echo
            exit 0
        fi
    else
        say "rustup cannot give $wasm here: taking Debian's compiler for the page"
    fi
fi

if [ "$compiler" = /usr ]; then
    "$here/packages.sh" rustc-web cargo-web rust-web-src rust-web-llvm lld-22 rust-web-clippy >&2
fi

# The bitcode is what lets a page with link-time optimisation use this library.
flags=(-Cembed-bitcode=yes)
features=
if [ "$kind" = small ]; then
    flags+=(-Zunstable-options -Cpanic=immediate-abort)
    features=optimize_for_size
fi

build_std() {
    local seed=$1
    mkdir -p "$seed/src"
    printf '[package]\nname = "sysroot_seed"\nedition = "2021"\n[profile.release]\ndebug = false\n[workspace]\n' >"$seed/Cargo.toml"
    echo '#![no_std]' >"$seed/src/lib.rs"
    (cd "$seed" && env -u CARGO_TARGET_DIR -u CARGO_BUILD_TARGET -u RUSTUP_TOOLCHAIN PATH="$compiler/bin:/usr/bin:/bin" \
        RUSTC="$compiler/bin/rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS="${flags[*]}" \
        "$compiler/bin/cargo" build --release --target "$wasm" \
        -Z build-std=std,panic_abort -Z build-std-features="$features" >&2)
    rm -f "$seed/target/$wasm/release/deps/"*sysroot_seed*
}

# Wrappers around the compiler's programs that look into our directory for the standard library. The way to stop at a
# panic is still an unstable one, and allowed for the browser's target alone.
write_wrappers() {
    local to=$1 name unstable=
    [ "$kind" = plain ] || unstable="case \" \$* \" in *$wasm*) export RUSTC_BOOTSTRAP=1 ;; esac"$'\n'
    for name in rustc rustdoc; do
        printf '#!/bin/sh\n%sexec %s/bin/%s --sysroot "%s" "$@"\n' "$unstable" "$compiler" "$name" "$dir" >"$to/$name"
    done
    for name in cargo-clippy clippy-driver; do
        printf '#!/bin/sh\nSYSROOT="%s" exec %s/bin/%s "$@"\n' "$dir" "$compiler" "$name" >"$to/$name"
    done
    chmod +x "$to"/*
    ln -s "$compiler/bin/cargo" "$to/cargo"
}

# A standard library fits only the compiler that built it, so the compiler's version names the directory; of the other kind also
# how it is built, which is more likely to change.
version=$("$compiler/bin/rustc" -vV)
host=$(sed -n 's/^host: //p' <<<"$version")
name=$(sha256sum <<<"$version" | cut -c1-12)
if [ "$kind" = small ]; then
    name=small-$({ echo "$version" "$compiler" "${flags[@]}" "$features"; declare -f build_std write_wrappers; } | sha256sum | cut -c1-12)
fi
dir=${SONDE_CACHE:-$HOME/.cache/sonde}/wasm-toolchain-$name

if [ ! -e "$dir/.done" ]; then
    say "building the standard library for $wasm ($kind), once"
    rm -rf "$dir" "$dir.build"
    build_std "$dir.build"
    mkdir -p "$dir/bin" "$dir/lib/rustlib/$wasm/lib" "$dir/lib/rustlib/$host"
    cp "$dir.build/target/$wasm/release/deps/"*.{rlib,rmeta} "$dir/lib/rustlib/$wasm/lib/"
    ln -s "$compiler/lib/rustlib/$host/lib" "$compiler/lib/rustlib/$host/bin" "$dir/lib/rustlib/$host/"
    ln -s "$compiler/lib/rustlib/src" "$dir/lib/rustlib/src"
    write_wrappers "$dir/bin"
    rm -rf "$dir.build"
    touch "$dir/.done"
fi
echo "$dir/bin"
