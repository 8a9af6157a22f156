#!/usr/bin/env bash
# From a fresh clone to the running demo. Arguments go to `sonde demo`.
set -euo pipefail
step_total=5
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

step "programs from Debian" scripts/packages.sh "${build_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "the page" scripts/page.sh
step "the server" build_server
printf '\n[5/5] the demo …\n'
exec "$target/release/sonde" demo "$@"
