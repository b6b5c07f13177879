"""nginx as a proxy: one worker, a location for each API, keys by map, limit_req.

limit_req counts in a shared memory zone; a wrong or missing key is answered by `return 401`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from bench.backend import nginx_user
from bench.peers.base import Task
from bench.works import KEY_HEADER, REQUEST_HEADER, RESPONSE_HEADER, Work, api_key, api_name

_KEY_VARIABLE = "$http_" + KEY_HEADER.lower().replace("-", "_")


class Nginx:
    """nginx of the distribution."""

    name = "nginx"

    def version(self) -> str:
        text = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        return text.strip().rpartition("/")[2]

    def command(self, task: Task) -> list[str]:
        path = task.folder / "nginx.conf"
        path.write_text("\n".join(_configuration(task)))
        return ["nginx", "-e", str(task.folder / "nginx.err"), "-c", str(path)]


def _configuration(task: Task) -> Iterator[str]:
    folder = task.folder
    yield f"{nginx_user()} daemon off; worker_processes 1; worker_rlimit_nofile 8192;"
    yield f"pid {folder}/nginx.pid; error_log {folder}/nginx.err;"
    yield "events { worker_connections 4096; }"
    yield "http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;"
    yield f"client_body_temp_path {folder}; proxy_temp_path {folder};"
    yield f"fastcgi_temp_path {folder}; proxy_max_temp_file_size 0;"
    yield f"upstream backend {{ server 127.0.0.1:{task.backend}; keepalive 1024;"
    yield "keepalive_requests 1000000000; keepalive_timeout 1h; }"
    if task.work.policies:
        yield from _keys(task.work)
    yield f"server {{ listen 127.0.0.1:{task.port} backlog=4096;"
    yield 'proxy_http_version 1.1; proxy_set_header Connection "";'
    yield "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    yield "proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Host $http_host;"
    if task.work.policies:
        yield from _policies(task.work)
    yield from _locations(task.work)
    yield "} }"


def _keys(work: Work) -> Iterator[str]:
    yield "map_hash_max_size 65536; map_hash_bucket_size 128;"
    yield f"limit_req_zone $consumer zone=keys:32m rate={work.limit}r/s; limit_req_status 429;"
    yield f'map {_KEY_VARIABLE} $consumer {{ default "";'
    for index in range(max(work.apis, 1)):
        yield f"{api_key(index)} {api_name(index)};"
    yield "}"


def _policies(work: Work) -> Iterator[str]:
    yield f"limit_req zone=keys burst={work.limit} nodelay;"
    yield f'proxy_set_header {KEY_HEADER} "";'
    yield f"proxy_set_header {' '.join(REQUEST_HEADER)}; add_header {' '.join(RESPONSE_HEADER)};"


def _locations(work: Work) -> Iterator[str]:
    if not work.policies:
        yield "location / { proxy_pass http://backend; }"
    elif not work.apis:
        yield f'location / {{ if ($consumer != "{api_name(0)}") {{ return 401; }}'
        yield "proxy_pass http://backend; }"
    for name in work.prefixes():
        yield f'location /{name}/ {{ if ($consumer != "{name}") {{ return 401; }}'
        yield "proxy_pass http://backend/; }"
