"""Which API keys and versions clients are offered: what cluster and gateway both know (KIP-35, KIP-511)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway_runtime.protocols.kafka.messages import KEYS, Message

Versions = Mapping[int, tuple[int, int]]
"""The lowest and the highest version of each API key."""

PRODUCE: Final = 0
PRODUCE_BY_ID: Final = 13
"""The version of Produce from which on topics are given by their ids (KIP-516)."""
SASL_HANDSHAKE: Final = 17
API_VERSIONS: Final = 18
SASL_AUTHENTICATE: Final = 36
UNSUPPORTED_VERSION: Final = 35
TELEMETRY: Final = frozenset((71, 72))
OWN: Final[Versions] = {
    key: (KEYS[key].lowest, KEYS[key].highest) for key in (SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE)
}
"""What the gateway answers itself, whatever the cluster knows."""
_FEATURES: Final = ("SupportedFeatures", "FinalizedFeaturesEpoch", "FinalizedFeatures")
_LOWEST_ZERO: Final = 4
"""The version of ApiVersions from which on features may have 0 as their lowest version (KAFKA-17011)."""


def read_versions(response: Message) -> dict[int, tuple[int, int]]:
    """What a broker says that it knows."""
    return {one["ApiKey"]: (one["MinVersion"], one["MaxVersion"]) for one in response["ApiKeys"]}


def read_features(response: Message) -> Message:
    """What a broker says of its features and of those that are in use in the cluster (KIP-584)."""
    return {name: response[name] for name in _FEATURES if name in response}


def offered(cluster: Versions, knows: Callable[[int, int], bool]) -> Versions:
    """What a client may use: versions of the cluster that are known, and that `knows` says can be handled."""
    found: dict[int, tuple[int, int]] = {}
    for key, (lowest, highest) in cluster.items():
        api = KEYS.get(key)
        if api is None or key in OWN:
            continue
        versions = range(max(lowest, api.lowest), min(highest, api.highest) + 1)
        good = [version for version in versions if knows(key, version)]
        if good:
            found[key] = (good[0], good[-1])
    return {**found, **OWN}


def features_at(features: Message, version: int) -> Message:
    """Features as they may be told in a version of ApiVersions.

    They are the cluster's own: clients choose by them, as between two protocols of transactions (KIP-890).
    """
    if version >= _LOWEST_ZERO or "SupportedFeatures" not in features:
        return features
    supported = [one for one in features["SupportedFeatures"] if one["MinVersion"] > 0]
    return {**features, "SupportedFeatures": supported}


def versions_response(versions: Versions, error: int = 0) -> Message:
    """The answer to ApiVersions. Clients take a lowest version of Produce above 0 amiss (KAFKA-18659)."""
    rows = [
        {"ApiKey": key, "MinVersion": 0 if key == PRODUCE else lowest, "MaxVersion": highest}
        for key, (lowest, highest) in sorted(versions.items())
    ]
    return {"ErrorCode": error, "ApiKeys": rows}
