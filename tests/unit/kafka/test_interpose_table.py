"""Every API key has an entry, every entity a treatment; what the gateway answers is of its version."""

import pytest
from kafka_dialogue import Sent, Session, allow, rules

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.table import BY_SESSION, HANDLERS, HIDDEN, offered
from gateway_runtime.protocols.kafka import plan as kinds
from gateway_runtime.protocols.kafka.messages import (
    KEYS,
    Entity,
    Layout,
    entities,
    request_layout,
    response_layout,
)

VERSIONS = [(key, version) for key, api in KEYS.items() for version in range(api.lowest, api.highest + 1)]


def test_every_api_key_has_one_entry() -> None:
    assert sorted([*HANDLERS, *BY_SESSION, *HIDDEN]) == sorted(KEYS)


def test_what_is_known_and_not_hidden_is_offered() -> None:
    assert offered(0, 3)
    assert offered(18, 4)
    assert not offered(0, 2)
    assert not offered(0, 99)
    assert not offered(38, 1)
    assert not offered(4, 0)


def test_delegation_tokens_and_credentials_are_hidden() -> None:
    assert {38, 39, 40, 41, 50, 51} <= set(HIDDEN)
    assert not any(offered(key, KEYS[key].highest) for key in HIDDEN)


HANDLED = [(key, version) for key, version in VERSIONS if key in HANDLERS]
MAPPED = rules(topics="t.", groups="g.", transactional_ids="x.")


@pytest.mark.parametrize(("key", "version"), HANDLED)
def test_an_empty_request_and_response_of_every_version_pass_under_all_rules(key: int, version: int) -> None:
    access = [allow(resource, "*") for resource in Resource]
    all_rules = rules(*access, topics="t.", groups="g.", transactional_ids="x.")
    sent = Session(all_rules).send(KEYS[key].name, version, {})
    if sent.forwarded is not None:
        sent.respond({})
    assert (sent.forwarded is None) == (key == 75)


@pytest.mark.parametrize(("key", "version"), HANDLED)
def test_an_empty_request_of_every_version_is_refused_in_its_own_form_or_harmless(
    key: int, version: int
) -> None:
    sent = Session(rules(allow(Resource.TOPIC, "a", Operation.READ))).send(KEYS[key].name, version, {})
    answered = sent.answered if sent.forwarded is None else sent.respond({})
    assert answered is not None


def place(message: dict, path: tuple[str, ...], name: str, layout: Layout) -> None:
    """Put a name where a path leads."""
    plan = layout.plan
    for step in path[:-1]:
        field = next(one for one in (*plan.fields, *plan.tagged) if one.name == step)
        is_array = field.kind in (kinds.ARRAY, kinds.COMPACT_ARRAY)
        inner = message.setdefault(step, [{}] if is_array else {})
        message, plan = inner[0] if is_array else inner, field.struct
    field = next(one for one in (*plan.fields, *plan.tagged) if one.name == path[-1])
    message[path[-1]] = [name] if field.kind in (kinds.ARRAY, kinds.COMPACT_ARRAY) else name


KINDS = {"topicName": "t.", "groupId": "g.", "transactionalId": "x."}


def named(key: int, version: int, is_request: bool) -> list[Entity]:
    return [entity for entity in entities(key, version, is_request) if entity.kind in KINDS]


REQUESTED = [(key, version, entity) for key, version in HANDLED for entity in named(key, version, True)]
RESPONDED = [(key, version, entity) for key, version in HANDLED for entity in named(key, version, False)]


def find(message: dict, path: tuple[str, ...]) -> str:
    for step in path:
        message = message[step][0] if isinstance(message[step], list) else message[step]
    return message


def send(key: int, version: int) -> Sent:
    """A request with names wherever there may be some."""
    request: dict = {}
    for entity in named(key, version, True):
        place(request, entity.path, "name", request_layout(key, version))
    return Session(MAPPED).send(KEYS[key].name, version, request)


def response(key: int, version: int) -> dict:
    found: dict = {}
    for entity in named(key, version, False):
        place(found, entity.path, KINDS[entity.kind] + "name", response_layout(key, version))
    return found


@pytest.mark.parametrize(("key", "version", "entity"), REQUESTED)
def test_every_name_that_kafka_annotates_is_mapped_on_the_way_to_the_cluster(key, version, entity) -> None:
    assert find(send(key, version).forwarded, entity.path) == KINDS[entity.kind] + "name"


@pytest.mark.parametrize(("key", "version", "entity"), RESPONDED)
def test_every_name_that_kafka_annotates_is_mapped_on_the_way_back(key, version, entity) -> None:
    assert find(send(key, version).respond(response(key, version)), entity.path) == "name"


@pytest.mark.parametrize(("key", "version", "entity"), RESPONDED)
def test_a_name_that_a_client_cannot_see_is_in_no_response(key, version, entity) -> None:
    hidden = response(key, version)
    place(hidden, entity.path, "elsewhere", response_layout(key, version))
    assert "elsewhere" not in repr(send(key, version).respond(hidden))


@pytest.mark.parametrize(("key", "version", "entity"), REQUESTED)
def test_a_name_that_cannot_be_in_the_cluster_is_never_forwarded(key, version, entity) -> None:
    request: dict = {}
    name = "a" * (249 if entity.kind == "topicName" else 32767)
    place(request, entity.path, name, request_layout(key, version))
    sent = Session(MAPPED).send(KEYS[key].name, version, request)
    assert name not in repr(sent.forwarded)
