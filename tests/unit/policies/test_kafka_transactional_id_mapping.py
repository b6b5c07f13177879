"""kafkaTransactionalIdMapping: transactional ids by other names in the cluster."""

from kafka_sessions import session

from gateway_runtime.kafka.access import Resource


def test_transactional_ids_and_nothing_else_are_mapped() -> None:
    rules = session("kafkaTransactionalIdMapping", {"mappings": [{"client": "a-*", "cluster": "b/*"}]})
    assert list(rules.maps) == [Resource.TRANSACTIONAL_ID]
    assert rules.maps[Resource.TRANSACTIONAL_ID].to_cluster("a-1") == "b/1"


def test_all_transactional_ids_may_have_a_prefix() -> None:
    found = session("kafkaTransactionalIdMapping", {"prefix": "team 1/"}).maps[Resource.TRANSACTIONAL_ID]
    assert found.to_cluster("orders") == "team 1/orders"
    assert found.to_client("team 2/orders") is None
