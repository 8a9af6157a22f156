#!/usr/bin/env bash
# Formatting, clippy for the server's and the browser's target, and the scripts themselves. Warnings are errors.
set -euo pipefail
step_total=5
# shellcheck source=scripts/steps.sh
. "$(dirname "$0")/steps.sh"
# shellcheck source=scripts/needs.sh
. scripts/needs.sh

rustup_components() {
    if cargo fmt --version && cargo clippy --version; then return; fi
    rustup component add rustfmt clippy || fail "cargo fmt and cargo clippy are missing, and rustup cannot add them"
}

step "what the checks need" scripts/packages.sh "${lint_needs[@]}"
rustup_components
step "formatting" cargo fmt --all --check
step "clippy" cargo clippy --workspace --all-targets -- -D warnings
step "clippy for the browser" scripts/page.sh lint
step "scripts" shellcheck --external-sources scripts/*.sh .ci/run
