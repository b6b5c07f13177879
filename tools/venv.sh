#!/bin/bash
# Makes a virtual environment with Penstock (editable) and its development tools, at the versions of
# requirements.lock. Usage: tools/venv.sh FOLDER. Run again, it brings the environment up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: tools/venv.sh FOLDER}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

suitable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# The distributions' own builds come first: profile-guided and without a shared library, they serve about a
# fifth more requests per CPU-second than one that pyenv or a plain configure makes.
own_build() { [ "$1" = /usr/bin/python3 ] && "$1" -c 'import ensurepip' 2>/dev/null; }

find_python() {
    local candidate check
    for check in own_build true; do
        for candidate in ${PYTHON:-python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11}; do
            if suitable "$candidate" && "$check" "$candidate"; then
                command -v "$candidate"
                return
            fi
        done
    done
    echo "penstock: Python 3.11 or newer is needed; none of ${PYTHON:-python3, python3.11 ... python3.14} is." >&2
    echo "penstock: install one, or name it: make PYTHON=/path/to/python3" >&2
    return 1
}

# Debian and Ubuntu ship Python without ensurepip; a package adds it.
ensure_venv_module() {
    local python=$1 package
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        tools/apt_install.sh "$package"
    else
        echo "penstock: $python cannot make virtual environments yet. Run this, then make again:" >&2
        echo "    sudo apt-get update && sudo apt-get install -y $package" >&2
        return 1
    fi
}

quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }; }

pip=("$folder/bin/python" -m pip --disable-pip-version-check)
if ! { suitable "$folder/bin/python" && "${pip[@]}" --version; } >/dev/null 2>&1; then
    python=$(find_python)
    ensure_venv_module "$python"
    echo "penstock: making $folder with $("$python" --version)"
    "$python" -m venv --clear "$folder"
fi
echo "penstock: installing Penstock and its tools into $folder"
install=("${pip[@]}" install --constraint requirements.lock)
quietly "${install[@]}" 'pip>=25.1'
quietly "${install[@]}" --group build
quietly "${install[@]}" --group dev --no-build-isolation --editable .
