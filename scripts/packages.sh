#!/usr/bin/env bash
# Installs what is missing from Debian. An argument is PROGRAM:PACKAGE, /FILE:PACKAGE or python3.MODULE:PACKAGE, where what is there
# already, from whatever source, is left alone; or just PACKAGE, where only Debian's own will do.
# `scripts/packages.sh cc:build-essential zstd:zstd rustc-web`
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

is_there() {
    case $1 in
        /*:*) [ -e "${1%%:*}" ] ;;
        python3.*:*) module=${1%%:*} && python3 -c "import ${module#python3.}" 2>/dev/null ;;
        *:*) command -v "${1%%:*}" >/dev/null ;;
        *) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed' ;;
    esac
}

missing=()
packages=()
for need in "$@"; do
    is_there "$need" && continue
    missing+=("${need%%:*}")
    packages+=("${need##*:}")
done
[ ${#packages[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "sonde: these are missing, and there is no apt-get here to install them with: ${missing[*]}" >&2
    echo "sonde: install them your system's way and run this again (in Debian they come from: ${packages[*]})" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    command -v sudo >/dev/null || { echo "sonde: as root, please run: apt-get install ${packages[*]}" >&2; exit 1; }
fi

echo "installing ${packages[*]}"
# Another apt may be at work: wait for it rather than fail. What is installed already is not to be replaced.
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600)
"${apt[@]}" update </dev/null
"${apt[@]}" install -y --no-remove --no-install-recommends "${packages[@]}" </dev/null
