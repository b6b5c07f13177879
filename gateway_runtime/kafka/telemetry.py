"""What clients are answered that would push metrics (KIP-714) where these do not go on to the cluster."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from gateway_runtime.kafka.versions import Versions
from gateway_runtime.protocols.kafka.messages import Message

GET_SUBSCRIPTIONS: Final = 71
OFFERED: Final[Versions] = {71: (0, 0), 72: (0, 0)}
_INTERVAL: Final = 3_600_000
_MOST_BYTES: Final = 1_048_576
_NOBODY: Final = bytes(16)


def telemetry_answer(key: int, request: Message) -> Message:
    """No metrics are asked for, and what is pushed all the same is taken and dropped."""
    if key != GET_SUBSCRIPTIONS:
        return {}
    given = request["ClientInstanceId"]
    return {
        "ClientInstanceId": uuid4().bytes if given == _NOBODY else given,
        "PushIntervalMs": _INTERVAL,
        "TelemetryMaxBytes": _MOST_BYTES,
        "DeltaTemporality": True,
    }
