#!/usr/bin/env bash
# How well /api/why ranks: made-up incidents with known causes, quiet windows, power and time, beside simple methods.
# The argument is how many incidents of each kind. docs/why.md says how to read the tables.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --release --package sonde --example evaluate -- "$@"
