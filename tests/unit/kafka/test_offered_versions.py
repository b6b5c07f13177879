"""What clients are offered of what a cluster knows."""

from __future__ import annotations

import pytest

from gateway_runtime.kafka.table import HIDDEN
from gateway_runtime.kafka.table import offered as is_handled
from gateway_runtime.kafka.versions import OWN, features_at, offered, read_features, versions_response
from gateway_runtime.protocols.kafka.messages import KEYS


def _everything(_key: int, _version: int) -> bool:
    return True


def test_versions_are_those_that_both_sides_know() -> None:
    found = offered({3: (5, 99), 1: (0, 12)}, _everything)
    assert found[3] == (5, KEYS[3].highest)
    assert found[1] == (KEYS[1].lowest, 12)


def test_keys_that_one_side_does_not_know_are_not_offered() -> None:
    found = offered({3: (0, 9), 999: (0, 1), 0: (90, 99)}, _everything)
    assert set(found) == {3, *OWN}


def test_what_cannot_be_handled_is_not_offered() -> None:
    found = offered({3: (0, 13)}, lambda key, version: version >= 4)
    assert found[3] == (4, 13)


@pytest.mark.parametrize("key", sorted(HIDDEN))
def test_what_is_the_clusters_own_is_not_offered(key: int) -> None:
    assert key not in offered({key: (0, 3)}, is_handled)


def test_the_gateway_offers_its_own_authentication_whatever_the_cluster_has() -> None:
    assert OWN.items() <= offered({}, _everything).items()


def test_the_lowest_version_of_produce_is_said_to_be_zero() -> None:
    rows = versions_response({0: (3, 12), 3: (1, 9)})["ApiKeys"]
    assert [(row["ApiKey"], row["MinVersion"]) for row in rows] == [(0, 0), (3, 1)]


FEATURES = {
    "SupportedFeatures": [
        {"Name": "transaction.version", "MinVersion": 0, "MaxVersion": 2},
        {"Name": "metadata.version", "MinVersion": 7, "MaxVersion": 30},
    ],
    "FinalizedFeaturesEpoch": 12,
    "FinalizedFeatures": [{"Name": "transaction.version", "MaxVersionLevel": 2, "MinVersionLevel": 2}],
}


def test_features_of_the_cluster_are_told_as_a_broker_tells_them() -> None:
    found = read_features({"ErrorCode": 0, "ApiKeys": [], **FEATURES})
    assert found == features_at(found, 4) == FEATURES
    (old,) = features_at(found, 3)["SupportedFeatures"]
    assert old["Name"] == "metadata.version"


def test_a_cluster_that_knows_no_features_has_none() -> None:
    assert features_at(read_features({"ErrorCode": 0, "ApiKeys": []}), 3) == {}
