"""Metadata and DescribeTopicPartitions: which topics a client sees, and that none is made by asking."""

import pytest
from kafka_dialogue import NO_ID, Session, allow, rules, topic_id

from gateway_runtime.kafka.access import AccessRule, Operation, PatternType, Resource
from gateway_runtime.kafka.topic_policy import TopicPolicy

TOPIC, CLUSTER = Resource.TOPIC, Resource.CLUSTER
DESCRIBE, READ, CREATE = Operation.DESCRIBE, Operation.READ, Operation.CREATE


def ask(*names: str, creates: bool = True, **more: object) -> dict:
    topics = [{"TopicId": NO_ID, "Name": name} for name in names]
    return {"Topics": topics, "AllowAutoTopicCreation": creates, **more}


def topic(name: str | None, error: int = 0, **more: object) -> dict:
    return {"Name": name, "ErrorCode": error, "Partitions": [], **more}


def seen(response: dict) -> dict:
    return {one["Name"]: one["ErrorCode"] for one in response["Topics"]}


@pytest.mark.parametrize("version", range(14))
def test_a_list_has_what_is_visible_and_nothing_else(version: int) -> None:
    session = Session(rules(allow(TOPIC, "orders", DESCRIBE), topics="t."))
    sent = session.send("Metadata", version, {"Topics": [] if version == 0 else None})
    assert not sent.forwarded["Topics"]
    told = sent.respond(
        {"Topics": [topic("t.orders"), topic("t.secret"), topic("orders"), topic("u.orders")]}
    )
    assert seen(told) == {"orders": 0}


@pytest.mark.parametrize("version", range(14))
def test_a_topic_that_is_denied_by_name_is_answered_for(version: int) -> None:
    session = Session(rules(allow(TOPIC, "orders", DESCRIBE, CREATE), topics="t."))
    sent = session.send("Metadata", version, ask("orders", "secret"))
    assert [one["Name"] for one in sent.forwarded["Topics"]] == ["t.orders"]
    told = sent.respond({"Topics": [topic("t.orders")]})
    assert seen(told) == {"orders": 0, "secret": 29}


@pytest.mark.parametrize("version", [0, 1, 9, 13])
def test_denied_topics_alone_still_bring_the_brokers(version: int) -> None:
    session = Session(rules(allow(TOPIC, "orders", DESCRIBE)))
    sent = session.send("Metadata", version, ask("secret"))
    assert sent.forwarded["Topics"] == []
    listed = [topic("orders"), topic("secret")] if version == 0 else []
    brokers = [{"NodeId": 1, "Host": "b", "Port": 1}]
    told = sent.respond({"Brokers": brokers, "Topics": listed})
    assert seen(told) == {"secret": 29}
    assert len(told["Brokers"]) == 1


def test_asking_makes_no_topic_that_the_client_may_not_make() -> None:
    session = Session(rules(allow(TOPIC, "orders", READ)))
    sent = session.send("Metadata", 9, ask("orders"))
    assert sent.forwarded["AllowAutoTopicCreation"] is False
    assert seen(sent.respond({"Topics": [topic("orders", 3)]})) == {"orders": 29}
    sent = session.send("Metadata", 9, ask("orders"))
    assert seen(sent.respond({"Topics": [topic("orders")]})) == {"orders": 0}
    sent = session.send("Metadata", 9, ask("orders", creates=False))
    assert seen(sent.respond({"Topics": [topic("orders", 3)]})) == {"orders": 3}


@pytest.mark.parametrize("rule", [allow(TOPIC, "orders", READ, CREATE), allow(CLUSTER, "", CREATE)])
def test_asking_makes_a_topic_that_the_client_may_make(rule: AccessRule) -> None:
    session = Session(rules(allow(TOPIC, "orders", READ), rule))
    assert session.send("Metadata", 9, ask("orders")).forwarded["AllowAutoTopicCreation"] is True


@pytest.mark.parametrize("version", range(4))
def test_an_old_request_that_would_make_a_topic_is_not_forwarded_for_it(version: int) -> None:
    session = Session(rules(allow(TOPIC, "*", READ), topics="t."), cluster={"t.there": topic_id(1)})
    sent = session.send("Metadata", version, ask("there", "missing"))
    assert sent.questions[0]["AllowAutoTopicCreation"] is False
    assert sorted(one["Name"] for one in sent.questions[0]["Topics"]) == ["t.missing", "t.there"]
    assert [one["Name"] for one in sent.forwarded["Topics"]] == ["t.there"]
    assert seen(sent.respond({"Topics": [topic("t.there")]})) == {"there": 0, "missing": 29}


def test_asking_makes_no_topic_against_a_topic_policy() -> None:
    limited = rules()
    limited.topic_policies.append(TopicPolicy(lambda name: name.startswith("orders-"), "orders-.*"))
    session = Session(limited)
    assert session.send("Metadata", 9, ask("orders-eu")).forwarded["AllowAutoTopicCreation"] is True
    assert session.send("Metadata", 9, ask("other")).forwarded["AllowAutoTopicCreation"] is False


def test_a_topic_by_id_is_described_where_its_name_may_be() -> None:
    session = Session(rules(allow(TOPIC, "orders", DESCRIBE), topics="t."))
    request = {"Topics": [{"TopicId": topic_id(one), "Name": None} for one in range(1, 5)]}
    sent = session.send("Metadata", 12, request)
    assert sent.forwarded["Topics"] == request["Topics"]
    found = [
        topic("t.orders", TopicId=topic_id(1)),
        topic("t.secret", TopicId=topic_id(2)),
        topic("u.other", TopicId=topic_id(3)),
        topic(None, 100, TopicId=topic_id(4)),
    ]
    told = sent.respond({"Topics": found})
    assert {one["TopicId"]: (one["Name"], one["ErrorCode"]) for one in told["Topics"]} == {
        topic_id(1): ("orders", 0),
        topic_id(2): (None, 29),
        topic_id(3): (None, 100),
        topic_id(4): (None, 100),
    }


def test_an_id_beside_a_name_opens_nothing() -> None:
    session = Session(rules(allow(TOPIC, "orders", READ)))
    both = {"Topics": [{"TopicId": topic_id(1), "Name": "secret"}], "AllowAutoTopicCreation": True}
    assert session.send("Metadata", 11, both).forwarded["Topics"] == []
    assert session.send("Metadata", 12, both).forwarded["Topics"] == [{"TopicId": topic_id(1), "Name": None}]
    both["Topics"][0]["Name"] = "orders"
    assert session.send("Metadata", 11, both).forwarded["AllowAutoTopicCreation"] is False


def test_ids_are_learned_from_what_passes() -> None:
    session = Session(rules(topics="t."))
    sent = session.send("Metadata", 12, {"Topics": None})
    sent.respond({"Topics": [topic("t.orders", TopicId=topic_id(1)), topic("u.x", TopicId=topic_id(2))]})
    assert session.ids.name(topic_id(1)) == "t.orders"
    assert session.ids.listed == {"t.orders", "u.x"}


def test_a_name_that_cannot_be_is_an_invalid_topic() -> None:
    sent = Session(rules(topics="t.")).send("Metadata", 9, ask("a" * 249, "b"))
    assert [one["Name"] for one in sent.forwarded["Topics"]] == ["t.b"]
    assert seen(sent.respond({"Topics": [topic("t.b")]})) == {"b": 0, "a" * 249: 17}


def test_the_allowed_operations_are_those_of_the_cluster_and_of_the_rules() -> None:
    session = Session(rules(allow(TOPIC, "orders", READ), allow(CLUSTER, "", DESCRIBE)))
    sent = session.send("Metadata", 9, ask("orders", IncludeTopicAuthorizedOperations=True))
    everything = 0b111111111000
    told = sent.respond(
        {
            "Topics": [topic("orders", TopicAuthorizedOperations=everything)],
            "ClusterAuthorizedOperations": everything,
        }
    )
    assert told["Topics"][0]["TopicAuthorizedOperations"] == 1 << READ | 1 << DESCRIBE
    assert told["ClusterAuthorizedOperations"] == 1 << DESCRIBE
    sent = session.send("Metadata", 9, ask("orders"))
    told = sent.respond({"Topics": [topic("orders")]})
    assert told["Topics"][0]["TopicAuthorizedOperations"] == -(2**31), "it was not asked for"


CLUSTER_TOPICS = {"t.a": topic_id(1), "t.b": topic_id(2), "t.secret": topic_id(3), "u.c": topic_id(4)}
AB = AccessRule(TOPIC, PatternType.MATCH, "?", frozenset({DESCRIBE}))


def page(*names: str, cursor: str | None = None) -> dict:
    place = None if cursor is None else {"TopicName": cursor, "PartitionIndex": 0}
    return {"Topics": [{"Name": name} for name in names], "ResponsePartitionLimit": 2000, "Cursor": place}


def test_a_page_of_all_topics_asks_for_those_that_are_visible() -> None:
    session = Session(rules(AB, topics="t."), cluster=CLUSTER_TOPICS)
    sent = session.send("DescribeTopicPartitions", 0, page())
    assert [one["Name"] for one in sent.forwarded["Topics"]] == ["t.a", "t.b"]
    cursor = {"TopicName": "t.b", "PartitionIndex": 7}
    told = sent.respond({"Topics": [topic("t.a"), topic("t.b", 3)], "NextCursor": cursor})
    assert seen(told) == {"a": 0}
    assert told["NextCursor"] == {"TopicName": "b", "PartitionIndex": 7}
    following = session.send("DescribeTopicPartitions", 0, page(cursor="b"))
    assert following.forwarded["Cursor"]["TopicName"] == "t.b"
    assert following.questions == []


def test_a_page_where_nothing_is_visible_is_empty() -> None:
    session = Session(rules(topics="none."), cluster=CLUSTER_TOPICS)
    sent = session.send("DescribeTopicPartitions", 0, page())
    assert sent.answered["Topics"] == []
    assert sent.answered["NextCursor"] is None


def test_denied_topics_of_a_page_are_answered_for_once() -> None:
    session = Session(rules(allow(TOPIC, "m", DESCRIBE)))
    sent = session.send("DescribeTopicPartitions", 0, page("a", "m", "z"))
    assert seen(sent.respond({"Topics": [topic("m")]})) == {"m": 0, "a": 29, "z": 29}
    sent = session.send("DescribeTopicPartitions", 0, page("a", "m", "z", cursor="m"))
    assert seen(sent.respond({"Topics": [topic("m")]})) == {"m": 0, "z": 29}
    assert seen(session.send("DescribeTopicPartitions", 0, page("a")).answered) == {"a": 29}
