"""kafkaGroupMapping: groups by other names in the cluster."""

from kafka_sessions import session

from gateway_runtime.kafka.access import Resource


def test_groups_and_nothing_else_are_mapped_and_may_have_any_characters() -> None:
    rules = session("kafkaGroupMapping", {"prefix": "team 1/"})
    assert list(rules.maps) == [Resource.GROUP]
    assert rules.maps[Resource.GROUP].to_cluster("my group") == "team 1/my group"
