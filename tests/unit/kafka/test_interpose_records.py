"""Produce, Fetch and ListOffsets: what is denied is taken out and answered for, names are mapped."""

import pytest
from kafka_dialogue import Clock, Session, allow, rules, topic_id

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.topic_ids import TopicIds

WRITE, READ = Operation.WRITE, Operation.READ
TOPIC = Resource.TOPIC
BATCH = b"batch"


def produce(*topics: tuple[str, list[int]], acks: int = -1, transactional_id: str | None = None) -> dict:
    return {
        "TransactionalId": transactional_id,
        "Acks": acks,
        "TimeoutMs": 1000,
        "TopicData": [
            {"Name": name, "PartitionData": [{"Index": index, "Records": BATCH} for index in indexes]}
            for name, indexes in topics
        ],
    }


def produced(*topics: tuple[str, list[int]]) -> dict:
    return {
        "Responses": [
            {
                "Name": name,
                "PartitionResponses": [
                    {"Index": index, "ErrorCode": 0, "BaseOffset": 7} for index in indexes
                ],
            }
            for name, indexes in topics
        ]
    }


def codes(response: dict, topics: str, name: str, partitions: str, index: str) -> dict:
    return {
        (topic[name], one[index]): one["ErrorCode"] for topic in response[topics] for one in topic[partitions]
    }


def produce_codes(response: dict, name: str = "Name") -> dict:
    return codes(response, "Responses", name, "PartitionResponses", "Index")


def fetch_codes(response: dict, name: str = "Topic") -> dict:
    return codes(response, "Responses", name, "Partitions", "PartitionIndex")


def test_without_rules_nothing_has_to_be_looked_at() -> None:
    assert Session(rules()).interposer.idle
    assert not Session(rules(topics="t.")).interposer.idle
    assert not Session(rules(groups="t.")).interposer.idle
    assert not Session(rules(allow(TOPIC, "*"))).interposer.idle


@pytest.mark.parametrize("version", range(3, 13))
def test_produce_forwards_what_is_allowed_by_its_other_name(version: int) -> None:
    session = Session(rules(allow(TOPIC, "orders", WRITE), topics="t."))
    sent = session.send("Produce", version, produce(("orders", [0, 1]), ("secret", [0])))
    assert [topic["Name"] for topic in sent.forwarded["TopicData"]] == ["t.orders"]
    told = sent.respond(produced(("t.orders", [0, 1])))
    assert produce_codes(told) == {("orders", 0): 0, ("orders", 1): 0, ("secret", 0): 29}


@pytest.mark.parametrize("version", [8, 12, 13])
def test_what_a_broker_says_of_an_error_has_the_name_of_the_client(version: int) -> None:
    session = Session(rules(topics="t."), cluster={"t.orders": topic_id(1)})
    request = by_id((topic_id(1), [0])) if version >= 13 else produce(("orders", [0]))
    text = "No message without a key in topic partition t.orders-0."
    error = {
        "Index": 0,
        "ErrorCode": 87,
        "ErrorMessage": text,
        "RecordErrors": [{"BatchIndex": 0, "BatchIndexErrorMessage": text}],
    }
    topic = {"Name": "t.orders", "TopicId": topic_id(1), "PartitionResponses": [error]}
    told = session.send("Produce", version, request).respond({"Responses": [topic]})
    assert "t.orders" not in repr(told)
    assert "topic partition orders-0" in repr(told)


def test_produce_of_denied_topics_alone_is_not_forwarded() -> None:
    session = Session(rules(allow(TOPIC, "orders", READ)))
    sent = session.send("Produce", 9, produce(("orders", [0, 2])))
    assert sent.forwarded is None
    assert produce_codes(sent.answered) == {("orders", 0): 29, ("orders", 2): 29}
    assert sent.answered["Responses"][0]["PartitionResponses"][0]["BaseOffset"] == -1


def test_all_access_policies_must_allow() -> None:
    both = rules(allow(TOPIC, "orders", WRITE), allow(TOPIC, "other", WRITE))
    both.authorizers += rules(allow(TOPIC, "orders", WRITE), allow(TOPIC, "third", WRITE)).authorizers
    sent = Session(both).send("Produce", 9, produce(("orders", [0]), ("other", [0]), ("third", [0])))
    assert [topic["Name"] for topic in sent.forwarded["TopicData"]] == ["orders"]


def test_a_denied_transactional_id_denies_every_partition() -> None:
    access = allow(TOPIC, "*"), allow(Resource.TRANSACTIONAL_ID, "mine", WRITE)
    session = Session(rules(*access, transactional_ids="t."))
    sent = session.send("Produce", 9, produce(("orders", [0]), transactional_id="other"))
    assert produce_codes(sent.answered) == {("orders", 0): 53}
    sent = session.send("Produce", 9, produce(("orders", [0]), transactional_id="mine"))
    assert sent.forwarded["TransactionalId"] == "t.mine"


def test_a_topic_that_joins_a_transaction_by_its_records_is_checked_as_well() -> None:
    """KIP-890: from version 12 on no AddPartitionsToTxn comes before."""
    access = allow(TOPIC, "orders", WRITE), allow(Resource.TRANSACTIONAL_ID, "mine", WRITE)
    sent = Session(rules(*access)).send("Produce", 12, produce(("secret", [0]), transactional_id="mine"))
    assert produce_codes(sent.answered) == {("secret", 0): 29}


def test_without_acknowledgement_a_refusal_closes_the_connection() -> None:
    session = Session(rules(allow(TOPIC, "orders", WRITE)))
    assert session.send("Produce", 9, produce(("secret", [0]), acks=0)).call.closes
    mixed = session.send("Produce", 9, produce(("orders", [0]), ("secret", [0]), acks=0))
    assert mixed.call.closes
    assert [topic["Name"] for topic in mixed.forwarded["TopicData"]] == ["orders"]
    assert not session.send("Produce", 9, produce(("orders", [0]), acks=0)).call.closes


def test_a_name_that_becomes_too_long_is_told_apart_from_a_denied_one() -> None:
    sent = Session(rules(topics="t.")).send("Produce", 9, produce(("a" * 249, [0]), ("b", [0])))
    assert [topic["Name"] for topic in sent.forwarded["TopicData"]] == ["t.b"]
    told = sent.respond(produced(("t.b", [0])))
    assert produce_codes(told) == {("a" * 249, 0): 17, ("b", 0): 0}


def by_id(*topics: tuple[bytes, list[int]]) -> dict:
    found = produce(*[("", indexes) for _, indexes in topics])
    for made, (number, _) in zip(found["TopicData"], topics, strict=True):
        made["TopicId"] = number
    return found


def test_produce_by_topic_ids_asks_for_their_names_once() -> None:
    cluster = {"t.orders": topic_id(1), "t.secret": topic_id(2)}
    session = Session(rules(allow(TOPIC, "orders", WRITE), topics="t."), cluster=cluster)
    sent = session.send("Produce", 13, by_id((topic_id(1), [0]), (topic_id(2), [0])))
    asked = [topic["TopicId"] for question in sent.questions for topic in question["Topics"]]
    assert asked == [topic_id(1), topic_id(2)]
    assert [topic["TopicId"] for topic in sent.forwarded["TopicData"]] == [topic_id(1)]
    assert sent.call.message["TopicData"][0]["Name"] == "orders"
    told = sent.respond(
        {"Responses": [{"TopicId": topic_id(1), "PartitionResponses": [{"Index": 0, "ErrorCode": 0}]}]}
    )
    assert produce_codes(told, "TopicId") == {(topic_id(1), 0): 0, (topic_id(2), 0): 29}
    assert session.send("Produce", 13, by_id((topic_id(1), [0]))).questions == []


def test_an_unknown_topic_id_is_answered_for_alone_and_the_rest_goes_on() -> None:
    session = Session(rules(topics="t."), cluster={"t.orders": topic_id(1), "u.other": topic_id(2)})
    request = by_id((topic_id(1), [0]), (topic_id(2), [0]), (topic_id(3), [0]))
    sent = session.send("Produce", 13, request)
    assert [topic["TopicId"] for topic in sent.forwarded["TopicData"]] == [topic_id(1)]
    told = sent.respond({"Responses": []})
    assert produce_codes(told, "TopicId") == {(topic_id(2), 0): 100, (topic_id(3), 0): 100}


def test_topic_ids_pass_where_no_rule_is_about_topics() -> None:
    sent = Session(rules(groups="t.")).send("Produce", 13, by_id((topic_id(3), [0])))
    assert sent.questions == []
    assert [topic["TopicId"] for topic in sent.forwarded["TopicData"]] == [topic_id(3)]


def fetch(*topics: tuple[str, list[int]], session: int = 0, epoch: int = -1, forgotten: tuple = ()) -> dict:
    return {
        "ReplicaId": -1,
        "MaxWaitMs": 500,
        "MinBytes": 1,
        "SessionId": session,
        "SessionEpoch": epoch,
        "Topics": [
            {"Topic": name, "Partitions": [{"Partition": one, "FetchOffset": 5} for one in indexes]}
            for name, indexes in topics
        ],
        "ForgottenTopicsData": [{"Topic": name, "Partitions": indexes} for name, indexes in forgotten],
    }


def fetched(*topics: tuple[str, list[int]], session: int = 0, error: int = 0) -> dict:
    return {
        "ErrorCode": error,
        "SessionId": session,
        "Responses": [
            {
                "Topic": name,
                "Partitions": [{"PartitionIndex": one, "ErrorCode": 0, "Records": BATCH} for one in indexes],
            }
            for name, indexes in topics
        ],
    }


ONE_ALLOWED = rules(allow(TOPIC, "orders", READ), topics="t.")


@pytest.mark.parametrize("version", range(4, 13))
def test_fetch_forwards_what_is_allowed_by_its_other_name(version: int) -> None:
    sent = Session(ONE_ALLOWED).send("Fetch", version, fetch(("orders", [0]), ("secret", [1, 2])))
    assert [topic["Topic"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    told = sent.respond(fetched(("t.orders", [0])))
    assert fetch_codes(told) == {("orders", 0): 0, ("secret", 1): 29, ("secret", 2): 29}
    assert told["Responses"][1]["Partitions"][0]["HighWatermark"] == -1


def test_denied_partitions_of_a_session_are_told_with_every_poll_until_they_are_forgotten() -> None:
    session = Session(ONE_ALLOWED)
    first = session.send("Fetch", 12, fetch(("orders", [0]), ("secret", [1, 2]), epoch=0))
    first.respond(fetched(session=9))
    empty = session.send("Fetch", 12, fetch(session=9, epoch=1))
    assert empty.forwarded["Topics"] == []
    assert fetch_codes(empty.respond(fetched(session=9))) == {("secret", 1): 29, ("secret", 2): 29}
    forgets = session.send(
        "Fetch", 12, fetch(session=9, epoch=2, forgotten=(("secret", [1]), ("orders", [0])))
    )
    assert forgets.forwarded["ForgottenTopicsData"] == [{"Topic": "t.orders", "Partitions": [0]}]
    assert fetch_codes(forgets.respond(fetched(session=9))) == {("secret", 2): 29}
    forgets = session.send("Fetch", 12, fetch(session=9, epoch=3, forgotten=(("secret", [2]),)))
    assert forgets.forwarded["ForgottenTopicsData"] == []
    assert fetch_codes(forgets.respond(fetched(session=9))) == {}


def test_a_denied_partition_that_joins_a_session_later_is_told_from_then_on() -> None:
    session = Session(ONE_ALLOWED)
    session.send("Fetch", 12, fetch(("orders", [0]), epoch=0)).respond(fetched(session=9))
    assert fetch_codes(session.send("Fetch", 12, fetch(session=9, epoch=1)).respond(fetched(session=9))) == {}
    joins = session.send("Fetch", 12, fetch(("secret", [1]), session=9, epoch=2))
    assert joins.forwarded["Topics"] == []
    assert fetch_codes(joins.respond(fetched(session=9))) == {("secret", 1): 29}
    empty = session.send("Fetch", 12, fetch(session=9, epoch=3))
    assert fetch_codes(empty.respond(fetched(session=9))) == {("secret", 1): 29}


def test_a_new_session_does_not_inherit_what_was_denied_in_the_one_before() -> None:
    session = Session(ONE_ALLOWED)
    session.send("Fetch", 12, fetch(("secret", [1]), epoch=0)).respond(fetched(session=9))
    session.send("Fetch", 12, fetch(("orders", [0]), session=9, epoch=0)).respond(fetched(session=10))
    empty = session.send("Fetch", 12, fetch(session=10, epoch=1))
    assert fetch_codes(empty.respond(fetched(session=10))) == {}


def test_a_broker_that_does_not_know_the_session_is_told_to_the_client_as_it_is() -> None:
    session = Session(ONE_ALLOWED)
    session.send("Fetch", 12, fetch(("secret", [1]), epoch=0)).respond(fetched(session=9))
    lost = session.send("Fetch", 12, fetch(session=9, epoch=1)).respond(fetched(error=70))
    assert (lost["ErrorCode"], lost["Responses"]) == (70, [])


def test_who_says_to_be_a_broker_reads_nothing() -> None:
    request = fetch(("orders", [0])) | {"ReplicaId": 1}
    sent = Session(ONE_ALLOWED).send("Fetch", 12, request)
    assert fetch_codes(sent.answered) == {("orders", 0): 29}
    by_state = {**fetch(), "ReplicaState": {"ReplicaId": 1, "ReplicaEpoch": 1}}
    assert Session(ONE_ALLOWED).send("Fetch", 17, by_state).forwarded is None


def fetch_by_id(*ids: bytes, session: int = 0, epoch: int = 0) -> dict:
    found = fetch(*[("", [0]) for _ in ids], session=session, epoch=epoch)
    for made, number in zip(found["Topics"], ids, strict=True):
        made["TopicId"] = number
    return found


def test_fetch_by_topic_ids_is_checked_by_their_names_and_tells_them() -> None:
    cluster = {"t.orders": topic_id(1), "t.secret": topic_id(2)}
    session = Session(ONE_ALLOWED, cluster=cluster)
    sent = session.send("Fetch", 17, fetch_by_id(topic_id(1), topic_id(2)))
    assert [topic["TopicId"] for topic in sent.forwarded["Topics"]] == [topic_id(1)]
    response = {
        "SessionId": 9,
        "Responses": [{"TopicId": topic_id(1), "Partitions": [{"PartitionIndex": 0, "Records": b""}]}],
    }
    told = sent.respond(response)
    assert fetch_codes(told, "TopicId") == {(topic_id(1), 0): 0, (topic_id(2), 0): 29}
    seen = {**response, "ErrorCode": 0}
    session.interposer.to_client(sent.call, seen)
    assert seen["Responses"][0]["Topic"] == "orders"


def test_a_topic_id_that_becomes_known_joins_the_session_with_a_later_poll() -> None:
    clock = Clock()
    session = Session(ONE_ALLOWED, TopicIds(clock))
    first = session.send("Fetch", 17, fetch_by_id(topic_id(1)))
    assert first.forwarded["Topics"] == []
    assert fetch_codes(first.respond({"SessionId": 9}), "TopicId") == {(topic_id(1), 0): 100}
    soon = session.send("Fetch", 17, fetch_by_id(session=9, epoch=1))
    assert soon.questions == [], "an id that was missing a moment ago is not asked for with every poll"
    soon.respond({"SessionId": 9})
    clock.time += 2
    session.cluster["t.orders"] = topic_id(1)
    later = session.send("Fetch", 17, fetch_by_id(session=9, epoch=2))
    assert [topic["TopicId"] for topic in later.forwarded["Topics"]] == [topic_id(1)]
    assert later.forwarded["Topics"][0]["Partitions"][0]["FetchOffset"] == 5
    assert fetch_codes(later.respond({"SessionId": 9}), "TopicId") == {}


@pytest.mark.parametrize("version", range(1, 12))
def test_list_offsets_needs_describe(version: int) -> None:
    def asked(name: str) -> dict:
        return {"Name": name, "Partitions": [{"PartitionIndex": 0, "Timestamp": -1}]}

    sent = Session(ONE_ALLOWED).send("ListOffsets", version, {"Topics": [asked("orders"), asked("secret")]})
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    answer = {"Name": "t.orders", "Partitions": [{"PartitionIndex": 0, "ErrorCode": 0, "Offset": 3}]}
    told = sent.respond({"Topics": [answer]})
    assert codes(told, "Topics", "Name", "Partitions", "PartitionIndex") == {
        ("orders", 0): 0,
        ("secret", 0): 29,
    }
    assert told["Topics"][1]["Partitions"][0]["Offset"] == -1


def share_fetch(*ids: bytes, epoch: int, forgotten: tuple = ()) -> dict:
    return {
        "GroupId": "g",
        "MemberId": "m",
        "ShareSessionEpoch": epoch,
        "MaxWaitMs": 500,
        "Topics": [
            {
                "TopicId": one,
                "Partitions": [
                    {
                        "PartitionIndex": 0,
                        "AcknowledgementBatches": [
                            {"FirstOffset": 0, "LastOffset": 1, "AcknowledgeTypes": [1]}
                        ],
                    }
                ],
            }
            for one in ids
        ],
        "ForgottenTopicsData": [{"TopicId": one, "Partitions": [0]} for one in forgotten],
    }


def test_share_fetch_withholds_denied_topics_from_the_session() -> None:
    access = rules(allow(TOPIC, "orders", READ), allow(Resource.GROUP, "g", READ), topics="t.", groups="t.")
    session = Session(access, cluster={"t.orders": topic_id(1), "t.secret": topic_id(2)})
    first = session.send("ShareFetch", 1, share_fetch(topic_id(1), topic_id(2), epoch=0))
    assert first.forwarded["GroupId"] == "t.g"
    assert [topic["TopicId"] for topic in first.forwarded["Topics"]] == [topic_id(1)]
    told = first.respond({})
    assert fetch_codes(told, "TopicId") == {(topic_id(2), 0): 29}
    assert told["Responses"][0]["Partitions"][0]["AcknowledgeErrorCode"] == 29
    empty = session.send("ShareFetch", 1, share_fetch(epoch=1))
    assert fetch_codes(empty.respond({}), "TopicId") == {(topic_id(2), 0): 29}
    forgets = session.send("ShareFetch", 1, share_fetch(epoch=2, forgotten=(topic_id(2),)))
    assert forgets.forwarded["ForgottenTopicsData"] == []
    assert fetch_codes(forgets.respond({}), "TopicId") == {}


def test_share_fetch_needs_the_group() -> None:
    sent = Session(rules(allow(TOPIC, "*", READ))).send("ShareFetch", 1, share_fetch(epoch=0))
    assert sent.answered["ErrorCode"] == 30


def test_share_acknowledge_answers_for_denied_topics() -> None:
    access = rules(allow(TOPIC, "orders", READ), allow(Resource.GROUP, "g", READ))
    session = Session(access, cluster={"orders": topic_id(1), "secret": topic_id(2)})
    request = share_fetch(topic_id(1), topic_id(2), topic_id(3), epoch=1)
    sent = session.send("ShareAcknowledge", 1, request)
    assert [topic["TopicId"] for topic in sent.forwarded["Topics"]] == [topic_id(1)]
    told = fetch_codes(sent.respond({}), "TopicId")
    assert told == {(topic_id(2), 0): 29, (topic_id(3), 0): 100}
