"""Whatever a client or a broker says in the form of its version, what is made of it has that form."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kafka_dialogue import Session, allow, rules, topic_id

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.table import HANDLERS
from gateway_runtime.kafka.topic_policy import Range, TopicPolicy
from gateway_runtime.protocols.kafka import plan as kinds
from gateway_runtime.protocols.kafka.messages import KEYS, request_layout, response_layout
from gateway_runtime.protocols.kafka.plan import FieldPlan, Plan

NAMES = st.sampled_from(
    ["", "*", "a", "b", "t.a", "t.b", "u.a", "g.a", "x.a", "a:b:c", ".", "é", "(", "a" * 249]
)
IDS = st.sampled_from([topic_id(number) for number in range(5)])
BYTES = st.sampled_from(
    [b"", b"\0", b"\0\1\0\0\0\1\0\1a\0\0\0\0", b"\0\3\0\0\0\1\0\3t.a\xff\xff\xff\xff\0\0\0\0"]
)
FIXED = {
    kinds.BOOL: st.booleans(),
    kinds.INT8: st.sampled_from([-1, 0, 1, 2, 3, 4, 5, 32]),
    kinds.INT16: st.sampled_from([-1, 0, 1, 3]),
    kinds.UINT16: st.sampled_from([0, 9092]),
    kinds.INT32: st.sampled_from([-1, 0, 1, 2]),
    kinds.UINT32: st.sampled_from([0, 1]),
    kinds.INT64: st.sampled_from([-1, 0, 1]),
    kinds.FLOAT64: st.just(1.0),
    kinds.UUID: IDS,
    kinds.STRING: NAMES,
    kinds.COMPACT_STRING: NAMES,
    kinds.BYTES: BYTES,
    kinds.COMPACT_BYTES: BYTES,
}


def structs(plan: Plan) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries({field.name: values(field) for field in (*plan.fields, *plan.tagged)})


def values(field: FieldPlan) -> st.SearchStrategy:
    if field.kind in (kinds.ARRAY, kinds.COMPACT_ARRAY):
        element = structs(field.struct) if field.element == kinds.STRUCT else FIXED[field.element]
        found = st.lists(element, max_size=2)
    elif field.kind in (kinds.STRUCT, kinds.NULLABLE_STRUCT):
        found = structs(field.struct)
    else:
        found = FIXED[field.kind]
    return st.one_of(st.none(), found) if field.is_nullable or field.kind == kinds.NULLABLE_STRUCT else found


@cache
def exchanges(key: int, version: int) -> st.SearchStrategy[tuple[dict, dict]]:
    return st.tuples(structs(request_layout(key, version).plan), structs(response_layout(key, version).plan))


def sessions() -> list[Session]:
    cluster = {"t.a": topic_id(1), "t.b": topic_id(2), "u.a": topic_id(3)}
    some = [allow(Resource.TOPIC, "a"), allow(Resource.TOPIC, "b", Operation.DESCRIBE)]
    some += [allow(Resource.GROUP, "a"), allow(Resource.TRANSACTIONAL_ID, "a")]
    mapped = {"topics": "t.", "groups": "g.", "transactional_ids": "x."}
    pairs = [("a", "t.a"), ("b-*", "u.*")]
    limited = rules(*some, *[allow(resource, "*") for resource in Resource])
    limited.topic_policies.append(TopicPolicy(lambda name: name == "a", "a", Range(1, 2), Range(1, 1)))
    return [
        Session(one, cluster=cluster)
        for one in (rules(*some, **mapped), rules(**mapped), rules(*some), rules(topics=pairs), limited)
    ]


LATEST = [
    (key, version)
    for key in HANDLERS
    for version in sorted({KEYS[key].lowest, KEYS[key].highest - 1, KEYS[key].highest})
    if version >= KEYS[key].lowest
]


@pytest.mark.parametrize(("key", "version"), LATEST)
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(st.data())
def test_any_request_and_response_are_handled(key: int, version: int, data: st.DataObject) -> None:
    for session in sessions():
        for _ in range(2):
            request, response = data.draw(exchanges(key, version))
            sent = session.send(KEYS[key].name, version, request)
            if sent.forwarded is not None:
                sent.respond(response)
