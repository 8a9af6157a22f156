#!/usr/bin/env bash
# The promises about speed and memory: whole-system tests that take long or want a quiet machine, so `make test` leaves
# them out. Each prints what it measured. Arguments choose among them by name.
set -euo pipefail
step_total=5
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

run_bars() {
    SONDE_BIN=$(realpath "$target/release/sonde") \
        cargo test --package sonde-tests -- --ignored --nocapture --test-threads 1 "$@"
}

step "programs from Debian" scripts/packages.sh "${build_needs[@]}" "${test_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "the page" scripts/page.sh
step "the server" build_server
step "the bars" run_bars "$@"
