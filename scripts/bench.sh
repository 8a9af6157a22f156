#!/usr/bin/env bash
# How fast, beside the plainest program that does as much: writing and syncing the same bytes, serving them from a file.
set -euo pipefail
step_total=5
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

run_bench() {
    SONDE_BIN=$(realpath "$target/release/sonde") cargo run --release --package sonde-tests --bin bench "$@"
}

step "programs from Debian" scripts/packages.sh "${build_needs[@]}" "${test_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "the page" scripts/page.sh
step "the server" build_server
if [ "${1:-}" = charts ]; then
    step_total=6
    step "the charts' drawing alone, and uPlot" scripts/page.sh bench
fi
if [ "${1:-}" = peers ]; then
    step_total=6
    step "VictoriaMetrics" scripts/victoria-metrics.sh
fi
step "the comparison" run_bench "$@"
