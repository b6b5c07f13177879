"""Asks a proxy whether it really does the work before it is measured."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from typing import Protocol

from bench.works import KEY_HEADER, REQUEST_HEADER, RESPONSE_HEADER, Work

_REFUSED = (401, 403)


class Running(Protocol):
    """A server that may have ended."""

    def check(self) -> None:
        """Raises RuntimeError where it has."""
        ...

    def last_lines(self) -> str:
        """The end of its output."""
        ...


class ProbeError(RuntimeError):
    """A proxy does not do what is asked of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a proxy answered; `marker` is the response header that policies set."""

    status: int
    marker: str | None
    body: bytes


def ask(port: int, path: str, headers: dict[str, str]) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        return ask_on(connection, path, headers)
    finally:
        connection.close()


def ask_on(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> Answer:
    """One request on a connection that may be kept alive."""
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return Answer(response.status, response.headers[RESPONSE_HEADER[0]], response.read())


def await_ready(server: Running, port: int, work: Work, seconds: float) -> float:
    """Waits until the last API answers; the seconds that it took.

    Raises ProbeError where it does not, RuntimeError where the server ends.
    """
    start = time.monotonic()
    index = max(work.apis - 1, 0)
    while not _answers(port, work, index):
        server.check()
        if time.monotonic() - start > seconds:
            raise ProbeError(f"no good answer within {seconds:.0f} s:\n{server.last_lines()}")
        time.sleep(0.05)
    return time.monotonic() - start


def probe(port: int, work: Work) -> None:
    """Raises ProbeError where a policy of the work is not in force."""
    last = max(work.apis - 1, 0)
    answer = ask(port, work.path("echo", last), work.headers(last))
    _expect(answer.status == 200, f"a good request got {answer.status}")
    if not work.policies:
        return
    echo = answer.body.decode()
    _expect(answer.marker == RESPONSE_HEADER[1], f"the response header is {answer.marker}")
    _expect(f"edge={REQUEST_HEADER[1]};" in echo, f"the backend saw {echo}")
    _expect("key=;" in echo, f"the key passed to the backend: {echo}")
    for headers in ({}, {KEY_HEADER: "wrong"}, *([work.headers(0)] if last else [])):
        status = ask(port, work.path("1k", last), headers).status
        _expect(status in _REFUSED, f"a request with {headers or 'no key'} got {status}")


def probe_limit(port: int, work: Work) -> None:
    """Raises ProbeError where a low rate limit lets everything through."""
    statuses = [ask(port, work.path("0"), work.headers()).status for _ in range(4 * work.limit + 4)]
    _expect(429 in statuses, f"no request of {len(statuses)} was limited: {set(statuses)}")


def _answers(port: int, work: Work, index: int) -> bool:
    try:
        return ask(port, work.path("1k", index), work.headers(index)).status == 200
    except (OSError, http.client.HTTPException):
        return False


def _expect(true: bool, message: str) -> None:
    if not true:
        raise ProbeError(message)
