"""The backend behind every proxy: nginx; 0 B and 1 KiB come from memory, 64 KiB and 1 MiB from files.

`/echo` answers with the request headers that the proxies set, for the probe.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

from bench.processes import LOAD_CPU, free_port, running
from bench.works import BODIES

_CONFIGURATION = Template("""
$user daemon off; worker_processes 1; worker_rlimit_nofile 8192;
pid $folder/backend.pid; error_log $folder/backend.err;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; default_type text/plain;
  sendfile on; tcp_nopush on; open_file_cache max=16;
  client_body_temp_path $folder; proxy_temp_path $folder;
  server {
    listen 127.0.0.1:$port backlog=4096;
    root $folder/files;
    location = /0 { return 200 ""; }
    location = /1k { return 200 "$body"; }
    location = /echo { return 200 "edge=$$http_x_edge;key=$$http_x_api_key;"; }
  }
}
""")


@contextmanager
def backend(folder: Path) -> Iterator[int]:
    """The port of a backend while it is needed."""
    port = free_port()
    files = folder / "files"
    files.mkdir()
    for name in ("64k", "1m"):
        (files / name).write_bytes(b"x" * BODIES[name])
    configuration = folder / "backend.conf"
    configuration.write_text(
        _CONFIGURATION.substitute(user=nginx_user(), folder=folder, port=port, body="x" * BODIES["1k"])
    )
    command = ["nginx", "-e", str(folder / "backend.err"), "-c", str(configuration)]
    with running("backend", command, LOAD_CPU, folder / "backend.log"):
        yield port


def nginx_user() -> str:
    """root's workers must read our folder; others cannot change their user."""
    return "user root;" if os.geteuid() == 0 else ""
