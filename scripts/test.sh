#!/usr/bin/env bash
# From a fresh clone to all tests run: units, the whole system fed by real senders, and the page in a real browser.
# Arguments go to `cargo test`, which then gets only these: `scripts/test.sh --package sonde-shared time`.
set -euo pipefail
step_total=7
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

run_tests() {
    [ $# -gt 0 ] || set -- --workspace --no-fail-fast
    # The whole-system tests start this program: the one that is shipped, with the page in it.
    SONDE_BIN=$(realpath "$target/release/sonde") cargo test "$@"
}

step "programs from Debian" scripts/packages.sh "${build_needs[@]}" "${test_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "graphite-web" scripts/graphite-web.sh
step "axe-core" scripts/axe.sh
step "the page" scripts/page.sh
step "the server" build_server
step "the tests" run_tests "$@"
