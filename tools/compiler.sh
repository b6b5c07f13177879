#!/bin/bash
# Sees to a C compiler and Python's headers: installed as root on Debian and Ubuntu, else only a note,
# because Penstock runs without them, slower. Usage: tools/compiler.sh PYTHON
set -euo pipefail
python=${1:?usage: tools/compiler.sh PYTHON}
[ "${PENSTOCK_COMPILE:-1}" = 0 ] && exit

packages=()
command -v "${CC:-cc}" >/dev/null || packages+=(gcc libc6-dev)
header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
[ -e "$header" ] || packages+=("$("$python" -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])')")
[ ${#packages[@]} = 0 ] && exit

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    "$(dirname "$0")/apt_install.sh" "${packages[@]}" && exit
fi
echo "penstock: runs uncompiled and slower: a C compiler or Python's headers are missing. To have both:" >&2
echo "    sudo apt-get update && sudo apt-get install -y ${packages[*]}" >&2
