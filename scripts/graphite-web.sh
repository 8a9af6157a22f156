#!/usr/bin/env bash
# Installs graphite-web, which a test renders through Sonde with, into the cache folder. What is there already is left alone.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"

venv=$SONDE_CACHE/graphite-web
wanted=tests/graphite/requirements.txt

# The list is copied when all of it is installed. A Python that has gone takes its venv with it.
if cmp -s "$wanted" "$venv/requirements.txt" && "$venv/bin/python" -c 'import graphite' 2>/dev/null; then exit 0; fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --disable-pip-version-check --no-input --progress-bar off -r "$wanted" </dev/null
"$venv/bin/python" -c 'import cairocffi' || fail "graphite-web draws with libcairo 2, which is missing"
cp "$wanted" "$venv/requirements.txt"
