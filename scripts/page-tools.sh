#!/usr/bin/env bash
# Installs what the page is built with into the cache folder: trunk, the wasm-bindgen that fits Cargo.lock, wasm-opt and esbuild.
# What is there in the right version is left alone.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"

# The newest stable trunk that the oldest compiler we support can build.
trunk=0.21.14
# Debian's own binaryen 108 builds a page without complaint that then fails to start in the browser.
binaryen=132.0.0
# Makes half of what wasm-bindgen writes in JavaScript, which trunk's own minifier cannot read.
esbuild=0.28.2
bindgen=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
tools=$SONDE_CACHE/tools
node=$SONDE_CACHE/node

has() { [ "$("$tools/bin/$1" --version 2>/dev/null)" = "$1 $2" ]; }

# install CRATE VERSION [FLAG...]: quick to build rather than quick to run, for they are run a few times a day.
install() {
    local crate=$1 version=$2
    shift 2
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_TARGET_DIR=$tools/build \
        cargo install "$crate" --version "=$version" --debug --force --no-default-features --root "$tools" "$@"
}

# wasm-bindgen-cli goes without --locked: what its lock file names may have been withdrawn from the registry since.
has wasm-bindgen "$bindgen" || install wasm-bindgen-cli "$bindgen"
has trunk "$trunk" || install trunk "$trunk" --locked
rm -rf "$tools/build"

has_package() { grep -qsF "\"version\": \"$2\"" "$node/node_modules/$1/package.json"; }

if ! has_package binaryen "$binaryen" || ! has_package esbuild "$esbuild"; then
    npm install --prefix "$node" --no-save --no-audit --no-fund "binaryen@$binaryen" "esbuild@$esbuild" </dev/null
fi
