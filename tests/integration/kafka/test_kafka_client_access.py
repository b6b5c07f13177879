"""Each client is told the same by Kafka's own authorizer and through a gateway with the same rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from driver_confluent import Confluent
from kafka_access import Access
from kafka_drivers import DRIVERS
from kafka_gateway import KafkaGateway, Manifest, Setup, upstream
from kafka_script import Outcome, outcomes
from kafka_wire import Connection

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import USERS, Options
from gateway_runtime.kafka.access import Operation, Resource

pytestmark = pytest.mark.slow

Start = Callable[..., KafkaGateway]
KEY = "a-key-that-nobody-guesses-0123456789"
_TOPICS = ("free", "readable", "seen", "hidden", "configured")
_RULES = (
    ("topic", "Literal", "free", "Allow", ("Read", "Write")),
    ("topic", "Literal", "readable", "Allow", ("Read",)),
    ("topic", "Literal", "seen", "Allow", ("Describe",)),
    ("topic", "Literal", "configured", "Allow", ("DescribeConfigs", "AlterConfigs")),
    ("topic", "Prefix", "made-", "Allow", ("Create", "Delete")),
    ("topic", "Literal", "made-denied", "Deny", ("All",)),
    ("group", "Prefix", "own-", "Allow", ("Read",)),
    ("group", "Literal", "free-reader", "Allow", ("Read",)),
    ("group", "Literal", "seen-reader", "Allow", ("Read",)),
    ("group", "Literal", "shown", "Allow", ("Describe",)),
    ("transactionalId", "Literal", "own-tx", "Allow", ("Write",)),
)
"""Resource, pattern, name, permission, operations: there is none for the cluster."""
_ALLOWED = {
    "write", "write with acks=1", "read", "read in a group", "describe", "create", "describe settings",
    "alter settings", "delete", "transact",
}  # fmt: skip
_RESOURCES = {"topic": Resource.TOPIC, "group": Resource.GROUP, "transactionalId": Resource.TRANSACTIONAL_ID}
_OPERATIONS = {"".join(part.title() for part in one.name.split("_")): one for one in Operation}


@pytest.fixture(scope="module")
def closed() -> Iterator[Kafka]:
    """A broker where nothing is allowed without a rule, with a user for each client."""
    USERS.update({name: f"{name}-secret" for name in DRIVERS})
    try:
        with Kafka(Options(brokers=1, open=False)) as made:
            _fill(made)
            yield made
    finally:
        for name in DRIVERS:
            del USERS[name]


@pytest.mark.parametrize("client", DRIVERS)
def test_client_is_answered_as_by_kafka_s_own_authorizer(
    closed: Kafka, start_gateway: Start, client: str
) -> None:
    setup = Setup(upstream(closed, "SCRAM-SHA-256", user="admin"), flows=(_flow(),)).open_to("mobile", KEY)
    gateway = start_gateway(setup)
    make = DRIVERS[client]
    direct = outcomes(make(_user(closed, client)))
    through = outcomes(make(replace(_user(closed, "mobile", KEY), bootstrap=gateway.access.bootstrap)))
    assert through == direct
    assert {name for name, told in direct.items() if told == "ok"} == _ALLOWED
    _shows_what_is_allowed(direct)


def _shows_what_is_allowed(told: dict[str, Outcome]) -> None:
    assert told["list"] == ["free", "made-here", "readable", "seen"]
    assert {"own-readers", "shown"} <= {*told["list groups"]} <= {"own-readers", "shown", "free-reader"}
    assert told["describe a group"] == ["empty"]


def _user(closed: Kafka, name: str, password: str = "") -> Access:
    secret = password or USERS[name]
    return Access(closed.bootstrap("SASL_PLAINTEXT"), "SCRAM-SHA-256", name, secret)


def _flow() -> Manifest:
    rules = [
        {
            "resource": resource,
            "pattern": {"type": pattern, "name": name},
            "operations": list(operations),
            "permission": permission,
        }
        for resource, pattern, name, permission, operations in _RULES
    ]
    return {"name": "access", "interact": [{"kafkaAcl": {"rules": rules}}]}


def _fill(closed: Kafka) -> None:
    """Rules of all users, topics with two records, and groups."""
    with Connection(closed.bootstrap("SASL_PLAINTEXT"), "admin", USERS["admin"]) as admin:
        told = admin.ask("CreateAcls", 3, {"Creations": [one for name in DRIVERS for one in _bindings(name)]})
        assert {one["ErrorCode"] for one in told["Results"]} == {0}
    driver = Confluent(_user(closed, "admin"))
    for topic in _TOPICS:
        driver.create_topic(topic)
        driver.produce(topic, ["a", "b"])
    for group in ("shown", "hidden-group"):
        with driver.member("free", group) as seen:
            seen.wait("records", lambda seen: len(seen.values) == 2)


def _bindings(user: str) -> Iterator[dict[str, object]]:
    for resource, pattern, name, permission, operations in _RULES:
        for operation in operations:
            yield {
                "ResourceType": _RESOURCES[resource],
                "ResourceName": name,
                "ResourcePatternType": 4 if pattern == "Prefix" else 3,
                "Principal": f"User:{user}",
                "Host": "*",
                "Operation": _OPERATIONS[operation],
                "PermissionType": 3 if permission == "Allow" else 2,
            }
