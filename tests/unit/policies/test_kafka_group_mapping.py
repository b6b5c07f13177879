"""kafkaGroupMapping: groups by other names in the cluster."""

from kafka_sessions import session

from gateway_runtime.kafka.access import Resource


def test_groups_and_nothing_else_are_mapped_and_may_have_any_characters() -> None:
    rules = session("kafkaGroupMapping", {"prefix": "team 1/"})
    assert list(rules.maps) == [Resource.GROUP]
    assert rules.maps[Resource.GROUP].to_cluster("my group") == "team 1/my group"


def test_groups_are_mapped_one_by_one_too() -> None:
    mappings = [{"client": "billing", "cluster": "team1/billing v2"}, {"client": "a-*", "cluster": "b/*"}]
    found = session("kafkaGroupMapping", {"mappings": mappings}).maps[Resource.GROUP]
    assert found.to_cluster("billing") == "team1/billing v2"
    assert found.to_client("b/1") == "a-1"
