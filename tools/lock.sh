#!/bin/bash
# Resolves all dependency groups anew in an empty environment and writes requirements.lock.
# Usage: tools/lock.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: tools/lock.sh PYTHON}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$python" -m venv "$folder"
pip=("$folder/bin/python" -m pip --disable-pip-version-check)
"${pip[@]}" install --quiet --upgrade pip
"${pip[@]}" install --quiet --group build
"${pip[@]}" install --quiet --group dev --group bench --no-build-isolation --editable .
{
    echo "# Exact versions of every set-up, used as pip constraints. Written by: make lock"
    "${pip[@]}" freeze --all --exclude-editable
} >requirements.lock.new
mv requirements.lock.new requirements.lock
