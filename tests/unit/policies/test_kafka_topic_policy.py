"""kafkaTopicPolicy: limits on topics that clients make or change."""

import pytest
from kafka_sessions import compiled, session

from gateway_runtime.kafka.topic_policy import TopicPolicy
from gateway_runtime.policies.steps import PolicyError


def policy(**configuration: object) -> TopicPolicy:
    (found,) = session("kafkaTopicPolicy", configuration).topic_policies
    return found


def test_a_whole_name_must_match() -> None:
    found = policy(namePattern="orders-[a-z]+")
    assert found.name_problem("orders-eu") is None
    assert "orders-[a-z]+" in (found.name_problem("orders-eu2") or "")


def test_partitions_and_replicas_have_bounds() -> None:
    found = policy(partitions={"min": 2, "max": 6}, replicationFactor={"min": 3})
    assert [found.partitions_problem(count) is None for count in (-1, 1, 2, 6, 7)] == [
        True,
        False,
        True,
        True,
        False,
    ]
    assert [found.replication_problem(count) is None for count in (-1, 2, 3, 9)] == [True, False, True, True]


def test_settings_have_bounds_or_values() -> None:
    found = policy(configs={"retention.ms": {"max": 86400000}, "cleanup.policy": {"values": ["delete"]}})
    assert found.config_problem("retention.ms", "86400000") is None
    assert found.config_problem("retention.ms", "86400001") is not None
    assert found.config_problem("retention.ms", "long") is not None
    assert found.config_problem("cleanup.policy", "delete") is None
    assert found.config_problem("cleanup.policy", "compact") is not None
    assert found.config_problem("other", "x") is None


@pytest.mark.parametrize(
    ("configuration", "field"),
    [
        ({}, "kafkaTopicPolicy"),
        ({"namePattern": "("}, "kafkaTopicPolicy.namePattern"),
        ({"partitions": {}}, "kafkaTopicPolicy.partitions"),
        ({"partitions": {"min": 3, "max": 2}}, "kafkaTopicPolicy.partitions"),
        ({"configs": {"retention.ms": {}}}, "kafkaTopicPolicy.configs.retention.ms"),
        ({"configs": {"a": {"min": 1, "values": ["b"]}}}, "kafkaTopicPolicy.configs.a"),
    ],
)
def test_a_policy_that_limits_nothing_or_cannot_be_is_refused(configuration: dict, field: str) -> None:
    with pytest.raises(PolicyError) as caught:
        compiled("kafkaTopicPolicy", configuration)
    assert caught.value.field == field
