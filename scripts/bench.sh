#!/usr/bin/env bash
# The benchmarks that stand beside the code they measure. Arguments go to `cargo bench`.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"

step "the benchmarks" cargo bench --workspace "$@"
