#!/usr/bin/env bash
# The promises about start, memory and stalled readers, measured on this machine; `make test` leaves them out since they
# take long. Prints a table, and fails where a promise is not kept.
set -euo pipefail
step_total=5
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

run_bars() {
    SONDE_BIN=$(realpath "$target/release/sonde") cargo run --release --package sonde-tests --bin bars "$@"
}

step "programs from Debian" scripts/packages.sh "${build_needs[@]}" "${test_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "the page" scripts/page.sh
step "the server" build_server
step "the bars" run_bars "$@"
