#!/usr/bin/env bash
# The page at http://127.0.0.1:8081, rebuilt at each change, in front of a server with the demo's data at 8080, where
# Trunk.toml sends the page's requests. Arguments go to `sonde`, in place of `demo`.
set -euo pipefail
step_total=3
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

# The page asks from another port than the server has.
export SONDE_ALLOW_HOST=127.0.0.1:8081
[ $# -gt 0 ] || set -- demo --listen 127.0.0.1:8080
step "programs from Debian" scripts/packages.sh "${build_needs[@]}"
step "tools for the page" scripts/page-tools.sh
step "the server" cargo build --package sonde
"$target/debug/sonde" "$@" &
trap 'kill $! 2>/dev/null' EXIT
scripts/page.sh serve --address 127.0.0.1 --port 8081
