"""HAProxy: one thread, shared connections to the backend, keys by map file, a stick table as rate limit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.peers.base import Task
from bench.works import KEY_HEADER, REQUEST_HEADER, RESPONSE_HEADER, Work, api_key, api_name


class HAProxy:
    """HAProxy of the distribution."""

    name = "haproxy"

    def version(self) -> str:
        text = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout
        return text.split()[2]

    def command(self, task: Task) -> list[str]:
        path = task.folder / "haproxy.cfg"
        path.write_text("\n".join(_configuration(task)) + "\n")
        return ["haproxy", "-db", "-f", str(path)]


def _configuration(task: Task) -> Iterator[str]:
    yield "global\n  nbthread 1\n  maxconn 4096"
    yield "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h"
    yield "  http-reuse always\n  option forwardfor"
    yield f"frontend clients\n  bind 127.0.0.1:{task.port} backlog 4096"
    yield "  http-request set-header X-Forwarded-Proto http"
    if task.work.policies:
        yield from _policies(task.work, task.folder)
    yield "  default_backend backend"
    yield f"backend backend\n  server backend 127.0.0.1:{task.backend} pool-max-conn 2048"
    if task.work.policies:
        yield "backend keys\n  stick-table type string len 32 size 100k expire 1m store http_req_rate(1s)"


def _policies(work: Work, folder: Path) -> Iterator[str]:
    keys = folder / "keys.map"
    keys.write_text("".join(f"{api_key(index)} {api_name(index)}\n" for index in range(max(work.apis, 1))))
    api = "path,field(2,/)" if work.apis else f"str({api_name(0)})"
    yield f"  http-request set-var(txn.api) {api}"
    yield f"  http-request set-var(txn.consumer) req.hdr({KEY_HEADER}),map_str({keys},none)"
    yield "  http-request deny deny_status 401 if !{ var(txn.api),strcmp(txn.consumer) eq 0 }"
    yield "  http-request track-sc0 var(txn.consumer) table keys"
    yield f"  http-request deny deny_status 429 if {{ sc_http_req_rate(0,keys) gt {work.limit} }}"
    yield f"  http-request del-header {KEY_HEADER}"
    yield f"  http-request set-header {' '.join(REQUEST_HEADER)}"
    yield f"  http-response set-header {' '.join(RESPONSE_HEADER)}"
    if work.apis:
        yield "  http-request set-path %[path,regsub(^/[^/]+/,/)]"
