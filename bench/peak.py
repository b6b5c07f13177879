"""Measures a proxy's peak: wrk keeps all connections busy (a closed loop); the proxy's CPU time is read."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.processes import LOAD_CPU, Server, on_cpu
from bench.works import BODIES, Work

_SCRIPT = Path(__file__).parent / "wrk.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a proxy: a body of a work over a number of connections, for some seconds.

    `pause` is the time of rest of each connection between requests, in milliseconds.
    """

    work: Work
    body: str
    connections: int
    seconds: int
    pause: int = 0


class Count(msgspec.Struct, frozen=True):
    """What wrk counted: answers, and those of them with a status of 400 or more; broken connections."""

    requests: int
    microseconds: int
    status: int
    socket: int

    @property
    def failed(self) -> int:
        """Requests that got no good answer."""
        return self.status + self.socket


@dataclass(frozen=True, slots=True)
class Peak:
    """Requests per second, and what they cost the proxy; `busy` is the share of a core that it used."""

    rate: float
    per_cpu_second: float
    mb_per_cpu_second: float
    busy: float
    failed: int


def measure_peak(server: Server, port: int, load: Load) -> Peak:
    """The peak of a running proxy.

    Raises RuntimeError where the proxy has ended.
    """
    before = server.cpu_seconds()
    count = run_wrk(port, load)
    server.check()
    cpu = max(server.cpu_seconds() - before, 0.01)
    seconds = count.microseconds / 1e6
    good = count.requests - count.status
    return Peak(good / seconds, good / cpu, good * BODIES[load.body] / cpu / 1e6, cpu / seconds, count.failed)


def run_wrk(port: int, load: Load) -> Count:
    """Loads a port and answers what wrk counted."""
    output = subprocess.run(wrk_command(port, load), check=True, capture_output=True, text=True).stdout
    return parse_count(output)


def wrk_command(port: int, load: Load) -> list[str]:
    """The command that loads a port."""
    headers = [part for name, value in load.work.headers().items() for part in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{port}{load.work.path(load.body)}"
    options = ["-t1", f"-c{load.connections}", f"-d{load.seconds}s", "--timeout", "10s", "-s", str(_SCRIPT)]
    arguments = ["--", str(load.work.apis), load.body, str(load.pause)]
    return on_cpu(LOAD_CPU, ["wrk", *options, *headers, url, *arguments])


def parse_count(output: str) -> Count:
    """The count in wrk's output."""
    return msgspec.json.decode(output.partition("result:")[2], type=Count)
