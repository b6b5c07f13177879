"""kafkaAcl: what a client may do, and to what."""

import pytest
from kafka_sessions import client, compiled, session

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.steps import PolicyError

TOPIC, GROUP = Resource.TOPIC, Resource.GROUP
READ = Operation.READ


def rule(type_: str | None = None, name: str = "", resource: str = "topic", **more: object) -> dict:
    pattern = {} if type_ is None else {"pattern": {"type": type_, "name": name}}
    return {"resource": resource, "operations": ["Read"], **pattern, **more}


def allows(rules: list[dict], name: str, operation: Operation = READ, **who: object) -> bool:
    (found,) = session("kafkaAcl", {"rules": rules}, client(**who)).authorizers
    return found.allows(TOPIC, name, operation)


def test_rules_are_literal_prefix_or_match_and_for_all_names_without_a_pattern() -> None:
    assert allows([rule("Literal", "orders")], "orders")
    assert not allows([rule("Literal", "orders")], "orders2")
    assert allows([rule("Prefix", "orders")], "orders2")
    assert allows([rule("Match", "o*s?")], "orders2")
    assert allows([rule()], "anything")
    assert not allows([], "anything")


def test_a_denial_wins() -> None:
    assert not allows([rule(), rule("Literal", "secret", permission="Deny")], "secret")


@pytest.mark.parametrize("operation", [one for one in Operation if one is not Operation.ALL])
def test_every_operation_can_be_written(operation: Operation) -> None:
    written = "".join(part.title() for part in operation.name.split("_"))
    assert allows([rule(operations=[written])], "a", operation)
    assert allows([rule(operations=["All"])], "a", operation)


@pytest.mark.parametrize(
    ("written", "resource"),
    [
        ("topic", TOPIC),
        ("group", GROUP),
        ("cluster", Resource.CLUSTER),
        ("transactionalId", Resource.TRANSACTIONAL_ID),
    ],
)
def test_every_resource_can_be_written(written: str, resource: Resource) -> None:
    (found,) = session("kafkaAcl", {"rules": [rule(resource=written)]}).authorizers
    assert [one for one in Resource if found.allows(one, "a", READ)] == [resource]


def test_names_hold_expressions_of_the_client() -> None:
    rules = [rule("Prefix", "{#context.subscription.application.name}-{#jwt.claims.team}-")]
    assert allows(rules, "app-blue-1", claims={"team": "blue"})
    assert not allows(rules, "app-blue-1", claims={"team": "red"})


@pytest.mark.parametrize("claims", [{}, {"team": ""}, {"team": "*"}, {"team": "a?"}, None])
@pytest.mark.parametrize("type_", ["Literal", "Prefix", "Match"])
def test_an_expression_without_a_name_allows_nothing_and_denies_all(type_: str, claims: dict | None) -> None:
    name = "{#jwt.claims.team}"
    for topic in ("", "*", "a", "ab", "orders"):
        assert not allows([rule(type_, name)], topic, claims=claims)
        assert not allows([rule(), rule(type_, name, permission="Deny")], topic, claims=claims)


def test_each_client_gets_its_own_rules_and_clients_alike_share_them() -> None:
    plain, own = (
        compiled("kafkaAcl", {"rules": [rule("Literal", "a")]}),
        compiled("kafkaAcl", {"rules": [rule("Literal", "{#jwt.claims.team}")]}),
    )
    sessions = [Rules() for _ in range(4)]
    plain(client(), sessions[0])
    plain(client(), sessions[1])
    own(client(claims={"team": "a"}), sessions[2])
    own(client(claims={"team": "b"}), sessions[3])
    assert sessions[0].authorizers == sessions[1].authorizers
    assert sessions[2].authorizers[0].allows(TOPIC, "a", READ)
    assert not sessions[3].authorizers[0].allows(TOPIC, "a", READ)


@pytest.mark.parametrize(
    ("configuration", "field"),
    [
        ({}, "kafkaAcl.rules"),
        ({"rules": [{"resource": "topic", "operations": []}]}, "kafkaAcl.rules.0.operations"),
        ({"rules": [{"resource": "topics", "operations": ["Read"]}]}, "kafkaAcl.rules.0.resource"),
        ({"rules": [rule("Suffix", "a")]}, "kafkaAcl.rules.0.pattern.type"),
        ({"rules": [rule("Literal", "")]}, "kafkaAcl.rules.0.pattern.name"),
        ({"rules": [rule(operations=["Reed"])]}, "kafkaAcl.rules.0.operations.0"),
    ],
)
def test_a_broken_rule_is_named(configuration: dict, field: str) -> None:
    with pytest.raises(PolicyError) as caught:
        compiled("kafkaAcl", configuration)
    assert caught.value.field == field
