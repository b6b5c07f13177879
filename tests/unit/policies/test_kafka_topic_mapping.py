"""kafkaTopicMapping: topics by other names in the cluster."""

import pytest
from kafka_sessions import client, compiled, session

from gateway_runtime.expressions.errors import ExpressionError
from gateway_runtime.kafka.access import Resource
from gateway_runtime.kafka.names import IllegalName, NameMap
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.steps import PolicyError


def names(configuration: dict, **who: object) -> NameMap:
    return session("kafkaTopicMapping", configuration, client(**who)).maps[Resource.TOPIC]


def pair(client_: str, cluster: str) -> dict:
    return {"client": client_, "cluster": cluster}


def test_names_prefixes_and_the_rest_are_mapped_in_order() -> None:
    found = names(
        {"mappings": [pair("shared", "shared"), pair("log-*", "all.log-*")], "prefix": "team1."},
    )
    assert [found.to_cluster(name) for name in ("shared", "log-a", "orders")] == [
        "shared",
        "all.log-a",
        "team1.orders",
    ]


def test_without_a_prefix_other_names_stay() -> None:
    found = names({"mappings": [{"client": "a", "cluster": "b"}]})
    assert found.to_cluster("a") == "b"
    assert found.to_cluster("c") == "c"


def test_expressions_are_of_the_client() -> None:
    configuration = {"prefix": "{#context.subscription.application.name}-{#jwt.claims.team}."}
    assert names(configuration, claims={"team": "blue"}).to_cluster("a") == "app-blue.a"
    assert names(configuration, claims={"team": "red"}).to_cluster("a") == "app-red.a"


@pytest.mark.parametrize("team", [None, "", "*", "a b", "a/b"])
def test_a_client_whose_prefix_is_no_name_has_no_session(team: str | None) -> None:
    with pytest.raises(ExpressionError, match="kafkaTopicMapping"):
        names({"prefix": "{#jwt.claims.team}."}, claims={"team": team})


def test_a_client_for_whom_two_mappings_give_one_name_has_no_session() -> None:
    configuration = {"mappings": [pair("a", "{#jwt.claims.team}"), pair("b", "x")]}
    assert names(configuration, claims={"team": "y"}).to_cluster("a") == "y"
    with pytest.raises(ExpressionError, match="could give the same name"):
        names(configuration, claims={"team": "x"})


def test_a_second_mapping_does_not_replace_the_first() -> None:
    rules = Rules()
    compiled("kafkaTopicMapping", {"prefix": "team1."})(client(), rules)
    with pytest.raises(ExpressionError, match="already"):
        compiled("kafkaTopicMapping", {"prefix": "team2."})(client(), rules)


def test_clients_alike_share_what_is_known_of_names() -> None:
    step = compiled("kafkaTopicMapping", {"prefix": "team1."})
    first, second = Rules(), Rules()
    step(client(), first)
    step(client(), second)
    assert first.maps[Resource.TOPIC] is second.maps[Resource.TOPIC]


def test_topics_are_held_to_the_rules_of_kafka() -> None:
    with pytest.raises(IllegalName):
        names({"prefix": "team1."}).to_cluster("a b")


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        ({}, "mappings or prefix is needed"),
        ({"prefix": "a b."}, "characters"),
        ({"prefix": ""}, "mappings or prefix is needed"),
        ({"mappings": [pair("a", "x"), pair("b", "x")]}, "same name"),
        ({"mappings": [pair("a-*", "x")]}, "both end in a star"),
        ({"mappings": [pair("a", "team1.a")], "prefix": "team1."}, "same name"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_what_is_wrong(configuration: dict, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        compiled("kafkaTopicMapping", configuration)
