#!/usr/bin/env bash
# How well log messages are grouped and how fast they are masked. The folder has tables whose names end in
# _structured.csv, with a message and the id of its true template in the columns Content and EventId.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --release --package sonde --example grouping -- "$@"
