#!/usr/bin/env bash
# Installs axe-core, by which the browser tests look for what a reader could not use, into the cache folder, in a fixed version. What
# is there already is left alone.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"

axe=4.10.3
if ! grep -qsF "\"version\": \"$axe\"" "$SONDE_CACHE/axe/node_modules/axe-core/package.json"; then
    npm install --prefix "$SONDE_CACHE/axe" --no-save --no-audit --no-fund "axe-core@$axe" </dev/null
fi
