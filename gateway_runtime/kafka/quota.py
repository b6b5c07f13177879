"""Bytes and requests of a client to the time for which it is held back, as Kafka's brokers reckon it."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Final

_SAMPLES: Final = 11
_PARTS: Final = 50
_NO_LIMIT: Final = float(1 << 40)
_FULL_SAMPLES: Final = _SAMPLES - 1
"""Of one second each (quota.window.num and quota.window.size.seconds of a broker)."""


class Rate:
    """How much was used in the last seconds; the current second counts as far as it is over."""

    __slots__ = ("_clock", "_samples", "_second", "_total", "limit")

    def __init__(self, limit: float, clock: Callable[[], float] = monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._samples: list[int] = [0] * _SAMPLES
        self._second: int = int(clock())
        self._total: int = 0

    def charge(self, amount: int) -> int:
        """Count what was used; answers the milliseconds until the rate is back within the limit."""
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._advance(second)
        self._samples[second % _SAMPLES] += amount
        self._total += amount
        # A broker: (rate / limit - 1) * window, where rate is total / window.
        excess = self._total / self.limit - (_FULL_SAMPLES + now - second)
        return 0 if excess <= 0 else ceil(excess * 1000)

    def _advance(self, second: int) -> None:
        for passed in range(max(self._second + 1, second - _FULL_SAMPLES), second + 1):
            index = passed % _SAMPLES
            self._total -= self._samples[index]
            self._samples[index] = 0
        self._second = second


class Quota:
    """What one client may use; shared by all its connections in a worker. None is no limit."""

    __slots__ = ("__weakref__", "_egress", "_ingress", "_requests")

    def __init__(self, ingress: Rate | None, egress: Rate | None, requests: Rate | None) -> None:
        self._ingress = ingress
        self._egress = egress
        self._requests = requests

    @property
    def free(self) -> tuple[int, int]:
        """How many requests and bytes may pass before they are counted: of a fiftieth of a second."""
        requests = _NO_LIMIT if self._requests is None else self._requests.limit
        ingress = _NO_LIMIT if self._ingress is None else self._ingress.limit
        egress = _NO_LIMIT if self._egress is None else self._egress.limit
        return int(requests / _PARTS), int(min(ingress, egress) / _PARTS)

    def charge(self, received: int, sent: int, requests: int = 1) -> int:
        """Count requests and their responses by their bytes.

        Answers the milliseconds for which the client is to be held back: the response tells it so, and
        nothing more is read of its connection for as long.
        """
        throttle = 0
        if self._requests is not None:
            throttle = self._requests.charge(requests)
        if self._ingress is not None:
            throttle = max(throttle, self._ingress.charge(received))
        if self._egress is not None:
            throttle = max(throttle, self._egress.charge(sent))
        return throttle
