#!/usr/bin/env bash
# Unpacks Debian's VictoriaMetrics, which points are compared with, into the cache folder. It is not installed: its package starts a
# server with the system. What is there already is left alone.
set -euo pipefail
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"

folder=$SONDE_CACHE/victoria-metrics
if "$folder/usr/bin/victoria-metrics" -version >/dev/null 2>&1; then exit 0; fi
command -v apt-get >/dev/null || fail "VictoriaMetrics is taken from Debian's package, and there is no apt-get here"
rm -rf "$folder"
mkdir -p "$folder"
packed=$(mktemp -d)
trap 'rm -rf "$packed"' EXIT
# The folder is ours alone, so apt writes to it as we do.
(cd "$packed" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download victoria-metrics) || fail "apt-get cannot download victoria-metrics; apt-get update may help"
dpkg-deb -x "$packed"/victoria-metrics_*.deb "$folder"
"$folder/usr/bin/victoria-metrics" -version >/dev/null 2>&1 || fail "VictoriaMetrics does not start; it needs libzstd1"
