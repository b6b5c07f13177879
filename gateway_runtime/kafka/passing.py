"""What a relay has to know of Kafka's messages to pass those on that nothing has to look into."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from gateway_runtime.kafka.addresses import OF_NEW_LEADERS, REWRITES
from gateway_runtime.kafka.versions import (
    API_VERSIONS,
    SASL_AUTHENTICATE,
    SASL_HANDSHAKE,
    TELEMETRY,
    Versions,
)
from gateway_runtime.protocols.kafka.messages import KEYS, response_layout
from gateway_runtime.protocols.kafka.plan import Plan

if TYPE_CHECKING:
    from gateway_runtime.kafka._relay import Offer, Relay
    from gateway_runtime.kafka.row import Row

try:
    from gateway_runtime.kafka._relay import Offer as _Offer
    from gateway_runtime.kafka._relay import Relay as _Relay
except ImportError:
    _Relay = None  # type: ignore[assignment, misc]

_READ: Final = 1
_READ_IF_TAGGED: Final = 2
_KEPT: Final = frozenset((API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE, *TELEMETRY))
"""Requests that the gateway may answer itself."""


def relay(row: Row, offered: Versions) -> Relay | None:
    """A relay for a session, of the versions that its client was offered.

    None where it is not compiled: then the mediator sees all.
    """
    if _Relay is None:
        return None
    return _Relay(row, _offer(tuple(offered.items())))


@lru_cache(maxsize=64)
def _offer(offered: tuple[tuple[int, tuple[int, int]], ...]) -> Offer:
    """One for all connections that are offered the same."""
    passed = {key: versions for key, versions in offered if key not in _KEPT}
    return _Offer(passed, _HANDLING, _flexible(), _plans())


_HANDLING: Final = {key: _READ_IF_TAGGED if key in OF_NEW_LEADERS else _READ for key in REWRITES}


def _flexible() -> dict[int, tuple[int, int]]:
    """By API key the first versions whose headers have tags: of what is passed, those of either side."""
    known = [api for key, api in KEYS.items() if key not in _KEPT and api.flexible <= api.highest]
    return {api.key: (api.flexible, api.flexible) for api in known}


@cache
def _plans() -> dict[tuple[int, int], Plan]:
    layouts = {
        (key, version): response_layout(key, version)
        for key in OF_NEW_LEADERS
        for version in range(KEYS[key].lowest, KEYS[key].highest + 1)
    }
    return {place: layout.plan for place, layout in layouts.items() if layout.plan.is_flexible}
