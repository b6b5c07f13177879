"""Measures reloads: one API among many changes under load; how long until the worker serves the new value."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from bench.manifests import api_manifests, write_file
from bench.peak import Load, parse_count, wrk_command
from bench.peers.penstock import Penstock
from bench.probe import Answer, ask_on
from bench.rounds import Site, serving
from bench.works import Work, api_name

_GIVE_UP = 20.0
_CONNECTIONS = 32
_PAUSE_MS = 4


@dataclass(frozen=True, slots=True)
class Reloads:
    """How a reload is measured: of how many APIs, how often, with how long a rest between."""

    apis: int
    times: int
    rest: float = 0.5


def measure_reload(site: Site, reloads: Reloads) -> dict[str, Any]:
    """Milliseconds of each reload, and requests that failed meanwhile.

    Raises RuntimeError where Penstock does not run.
    """
    work = Work("reload", policies=True, apis=reloads.apis)
    with serving(Penstock(), work, site) as started:
        seconds = round(reloads.times * (reloads.rest + 1)) + 2
        load = Load(work, "1k", _CONNECTIONS, seconds, _PAUSE_MS)
        command = wrk_command(started.port, load)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
            try:
                times = _reload_often(site, work, reloads, started.port)
                output = wrk.communicate()[0]
            finally:
                wrk.terminate()
        count = parse_count(output)
    return {
        "apis": reloads.apis,
        "requests_per_second": round(count.requests / count.microseconds * 1e6),
        "requests": count.requests,
        "failed": count.failed,
        "median_ms": round(statistics.median(times), 2),
        "max_ms": round(max(times), 2),
        "all_ms": [round(value, 2) for value in times],
        "ready_seconds": round(started.ready_seconds, 2),
    }


def _reload_often(site: Site, work: Work, reloads: Reloads, port: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_GIVE_UP)
    times = []
    try:
        for number in range(reloads.times):
            time.sleep(reloads.rest)
            times.append(_reload(site, work, (number * 997) % work.apis, connection))
    finally:
        connection.close()
    return times


def _reload(site: Site, work: Work, index: int, connection: http.client.HTTPConnection) -> float:
    """Milliseconds from the replacement of an API's file to the first answer with the new value."""
    marker = f"changed-{time.monotonic_ns()}"
    path = site.folder / f"penstock-{work.name}" / "manifests" / f"{api_name(index)}.yaml"
    documents = api_manifests(work, site.backend, index, marker)
    start = time.monotonic()
    write_file(path, documents)
    while _ask(work, index, connection).marker != marker:
        if time.monotonic() - start > _GIVE_UP:
            raise RuntimeError(f"the change of {path.name} was not served within {_GIVE_UP:.0f} s")
        time.sleep(0.001)
    return (time.monotonic() - start) * 1000


def _ask(work: Work, index: int, connection: http.client.HTTPConnection) -> Answer:
    return ask_on(connection, work.path("0", index), work.headers(index))
