#!/usr/bin/env bash
# One file that is the whole product: the server with the page in it.
set -euo pipefail
step_total=5
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

describe() {
    "$target/release/sonde" --version
    stat --format '%s bytes' "$target/release/sonde"
    sha256sum "$target/release/sonde"
}

step "programs from Debian" scripts/packages.sh "${build_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "the page" scripts/page.sh
step "the server" env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --package sonde
step "what came out" describe
