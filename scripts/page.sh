#!/usr/bin/env bash
# Builds the page into dist/, unless what lies there was built from these very sources. `scripts/page.sh serve …` serves
# it while it is worked on; `scripts/page.sh lint` checks its sources as the browser's target compiles them;
# `scripts/page.sh bench` lays the charts' drawing, and uPlot to compare it with, into a folder of the target directory.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"

stamp=$target/page.stamp
case ${1:-build} in
    build | bench) kind=small ;;
    *) kind=plain ;;
esac
wasm_bin=$(scripts/wasm-toolchain.sh "$kind")
if [ -n "$wasm_bin" ]; then
    # Cargo does not see which standard library it builds with, and would go on with what was built with another.
    flags="-Cmetadata=$(basename "$(dirname "$wasm_bin")")"
    # What the page does at a panic must be what the standard library does.
    [ "$kind" = plain ] || flags+=" -Zunstable-options -Cpanic=immediate-abort"
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$flags
fi
# Two compilers in one target directory would build everything anew in turn.
export CARGO_TARGET_DIR=$target/page
export PATH="${wasm_bin:+$wasm_bin:}$SONDE_CACHE/tools/bin:$SONDE_CACHE/node/node_modules/.bin:$PATH"
# All that trunk needs is on PATH: it has nothing to look up.
export TRUNK_OFFLINE=true TRUNK_SKIP_VERSION_CHECK=true

page_hash() { sha256sum <dist/index.html; }

# The stamp holds the hash of the page that was built and is as old as the start of that build.
is_fresh() {
    [ -e dist/index.html ] && [ -e "$stamp" ] && [ "$(page_hash)" = "$(cat "$stamp")" ] || return 1
    [ -z "$(find frontend shared ui scripts/page.sh scripts/wasm-toolchain.sh index.html Trunk.toml Cargo.toml Cargo.lock -newer "$stamp" -print -quit)" ]
}

build() {
    if is_fresh; then
        echo "dist/ is up to date"
        return
    fi
    mkdir -p "$target"
    touch "$stamp.new"
    trunk build --release
    for script in dist/*.js; do
        esbuild "$script" --minify --format=esm --allow-overwrite --outfile="$script" --log-level=warning
    done
    page_hash >"$stamp.tmp"
    touch -r "$stamp.new" "$stamp.tmp"
    mv "$stamp.tmp" "$stamp"
    rm "$stamp.new"
}

# What is compared with, in a fixed version.
uplot=1.6.32

# The module goes the way of the page's: same profile, wasm-bindgen, wasm-opt.
build_bench() {
    local into=$target/bench-page plot=$SONDE_CACHE/uplot/node_modules/uplot
    if ! grep -qsF "\"version\": \"$uplot\"" "$plot/package.json"; then
        npm install --prefix "$SONDE_CACHE/uplot" --no-save --no-audit --no-fund "uplot@$uplot" </dev/null
    fi
    cargo build --package sonde-frontend --example drawing --target wasm32-unknown-unknown --profile page
    mkdir -p "$into"
    wasm-bindgen --target web --no-typescript --out-dir "$into" \
        "$CARGO_TARGET_DIR/wasm32-unknown-unknown/page/examples/drawing.wasm"
    wasm-opt -Os -ocimfs 0 --converge --strip-producers -o "$into/drawing_bg.opt.wasm" "$into/drawing_bg.wasm"
    mv "$into/drawing_bg.opt.wasm" "$into/drawing_bg.wasm"
    cp -r frontend/examples/drawing.html frontend/style/tokens.css frontend/fonts "$plot/dist/uPlot.iife.min.js" \
        "$plot/dist/uPlot.min.css" "$into"
}

case ${1:-build} in
    build) build ;;
    serve) shift && exec trunk serve --dist "$target/page-dev" "$@" ;;
    lint) cargo clippy --package sonde-frontend --target wasm32-unknown-unknown -- -D warnings ;;
    bench) build_bench ;;
    *) fail "page.sh knows build, serve, lint and bench, not \`$1\`" ;;
esac
