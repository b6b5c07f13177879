#!/bin/bash
# Installs Debian packages as root; refreshes the package lists only where the first try fails.
# Usage: tools/apt_install.sh PACKAGE...
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() { apt-get install -y --no-install-recommends "$@" >"$log" 2>&1; }

echo "penstock: installing with apt-get: $*"
install "$@" && exit
apt-get update >"$log" 2>&1 && install "$@" && exit
cat "$log" >&2
exit 1
