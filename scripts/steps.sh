# shellcheck shell=bash
# Sourced by the scripts that do a whole job: where things lie, and a line for each step with the time it took.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

export SONDE_CACHE=${SONDE_CACHE:-$HOME/.cache/sonde}
# rustup's compiler first: Debian's, where it is installed, is for the page alone. Daemons such as rsyslogd lie in sbin.
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/usr/sbin:/sbin"
target=${CARGO_TARGET_DIR:-target}
export target

step_count=0
step_total=${step_total:-1}

# step TEXT COMMAND... announces what comes, runs it, and says how long it took.
step() {
    local text=$1 began=$SECONDS
    shift
    step_count=$((step_count + 1))
    printf '\n[%d/%d] %s …\n' "$step_count" "$step_total" "$text"
    "$@"
    printf '[%d/%d] %s: done in %d s\n' "$step_count" "$step_total" "$text" "$((SECONDS - began))"
}

# fail TEXT ends the script with a sentence.
fail() {
    printf '\nsonde: %s\n' "$*" >&2
    exit 1
}

build_server() {
    cargo build --release --package sonde
}
