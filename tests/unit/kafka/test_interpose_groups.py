"""Groups, their offsets and members: checked, mapped, and nothing of the cluster's names shown."""

import struct

import pytest
from kafka_dialogue import Clock, Session, allow, rules, topic_id

from gateway_runtime.kafka.access import AccessRule, Operation, PatternType, Resource
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.kafka.topic_policy import TopicPolicy
from gateway_runtime.protocols.kafka.messages import embedded_layout

TOPIC, GROUP, CLUSTER = Resource.TOPIC, Resource.GROUP, Resource.CLUSTER
READ, DESCRIBE = Operation.READ, Operation.DESCRIBE
MAPPED = rules(topics="t.", groups="g.")
G = allow(GROUP, "mine", READ)


def subscription(*topics: str, version: int = 3, tail: bytes = b"") -> bytes:
    layout = embedded_layout("ConsumerProtocolSubscription", version)
    owned = [{"Topic": name, "Partitions": [1]} for name in topics]
    body = layout.encode({"Topics": list(topics), "UserData": b"user", "OwnedPartitions": owned})
    return struct.pack(">h", version) + b"".join(body) + tail


def assignment(*topics: str) -> bytes:
    layout = embedded_layout("ConsumerProtocolAssignment", 1)
    body = layout.encode({"AssignedPartitions": [{"Topic": name, "Partitions": [0]} for name in topics]})
    return b"\0\1" + b"".join(body)


WHOLE = [
    ("JoinGroup", range(10), {"ProtocolType": "consumer"}),
    ("Heartbeat", range(5), {}),
    ("LeaveGroup", range(6), {}),
    ("SyncGroup", range(6), {}),
    ("ConsumerGroupHeartbeat", range(2), {}),
    ("ShareGroupHeartbeat", [1], {}),
    ("StreamsGroupHeartbeat", [0], {}),
]


@pytest.mark.parametrize(("name", "versions", "more"), WHOLE)
def test_membership_needs_read_on_the_group(name: str, versions: range, more: dict) -> None:
    session = Session(rules(G, topics="t.", groups="g."))
    for version in versions:
        sent = session.send(name, version, {"GroupId": "other", **more})
        assert sent.answered["ErrorCode"] == 30
        sent = session.send(name, version, {"GroupId": "mine", **more})
        assert sent.forwarded["GroupId"] == "g.mine"
        assert sent.respond({"ErrorCode": 27})["ErrorCode"] == 27


@pytest.mark.parametrize("version", range(10))
def test_a_join_maps_the_topics_in_the_bytes_of_consumers(version: int) -> None:
    session = Session(MAPPED)
    request = {
        "GroupId": "mine",
        "ProtocolType": "consumer",
        "Protocols": [{"Name": "range", "Metadata": subscription("orders", "a" * 249)}],
    }
    sent = session.send("JoinGroup", version, request)
    assert bytes(sent.forwarded["Protocols"][0]["Metadata"]) == subscription("t.orders")
    members = [
        {"MemberId": "1", "Metadata": subscription("t.orders", "u.other")},
        {"MemberId": "2", "Metadata": subscription("t.x", version=0)},
    ]
    told = sent.respond({"ProtocolName": "range", "Members": members})
    assert [bytes(member["Metadata"]) for member in told["Members"]] == [
        subscription("orders"),
        subscription("x", version=0),
    ]


@pytest.mark.parametrize("version", range(6))
def test_a_sync_maps_the_topics_in_assignments(version: int) -> None:
    session = Session(MAPPED)
    session.send("JoinGroup", 5, {"GroupId": "mine", "ProtocolType": "consumer"})
    request = {
        "GroupId": "mine",
        "ProtocolType": "consumer",
        "Assignments": [{"MemberId": "1", "Assignment": assignment("orders")}],
    }
    sent = session.send("SyncGroup", version, request)
    assert bytes(sent.forwarded["Assignments"][0]["Assignment"]) == assignment("t.orders")
    told = sent.respond({"ProtocolType": "consumer", "Assignment": assignment("t.orders", "u.other")})
    assert bytes(told["Assignment"]) == assignment("orders")


def test_members_of_other_kinds_keep_their_bytes() -> None:
    session = Session(MAPPED)
    metadata = subscription("orders")
    request = {
        "GroupId": "mine",
        "ProtocolType": "connect",
        "Protocols": [{"Name": "x", "Metadata": metadata}],
    }
    sent = session.send("JoinGroup", 5, request)
    assert bytes(sent.forwarded["Protocols"][0]["Metadata"]) == metadata
    told = sent.respond({"ProtocolName": "x", "Members": [{"MemberId": "1", "Metadata": metadata}]})
    assert bytes(told["Members"][0]["Metadata"]) == metadata
    sent = session.send("SyncGroup", 3, {"GroupId": "mine", "Assignments": []})
    assert bytes(sent.respond({"Assignment": assignment("t.orders")})["Assignment"]) == assignment("t.orders")


@pytest.mark.parametrize("metadata", [b"", b"\0", b"\xff\xffab", b"\0\1\x7f\xff\xff\xff", b"\0\0\0"])
def test_bytes_that_are_none_of_the_consumer_protocol_pass_as_they_are(metadata: bytes) -> None:
    request = {
        "GroupId": "mine",
        "ProtocolType": "consumer",
        "Protocols": [{"Name": "x", "Metadata": metadata}],
    }
    sent = Session(MAPPED).send("JoinGroup", 5, request)
    assert bytes(sent.forwarded["Protocols"][0]["Metadata"]) == metadata


def test_what_a_newer_subscription_has_behind_the_known_fields_is_kept() -> None:
    newer = b"\0\x09" + subscription("orders", tail=b"new")[2:]
    request = {
        "GroupId": "mine",
        "ProtocolType": "consumer",
        "Protocols": [{"Name": "x", "Metadata": newer}],
    }
    sent = Session(MAPPED).send("JoinGroup", 5, request)
    expected = b"\0\x09" + subscription("t.orders", tail=b"new")[2:]
    assert bytes(sent.forwarded["Protocols"][0]["Metadata"]) == expected


@pytest.mark.parametrize("version", range(7))
def test_described_groups_show_no_name_of_the_cluster(version: int) -> None:
    session = Session(rules(allow(GROUP, "mine", DESCRIBE), topics="t.", groups="g."))
    sent = session.send("DescribeGroups", version, {"Groups": ["mine", "other"]})
    assert sent.forwarded["Groups"] == ["g.mine"]
    member = {
        "MemberMetadata": subscription("t.orders"),
        "MemberAssignment": assignment("t.orders"),
        "MemberId": "1",
    }
    group = {
        "GroupId": "g.mine",
        "ProtocolType": "consumer",
        "Members": [member],
        "AuthorizedOperations": 1 << 3 | 1 << 8,
    }
    told = sent.respond({"Groups": [group]})
    assert {one["GroupId"]: one["ErrorCode"] for one in told["Groups"]} == {"mine": 0, "other": 30}
    assert bytes(told["Groups"][0]["Members"][0]["MemberMetadata"]) == subscription("orders")
    assert bytes(told["Groups"][0]["Members"][0]["MemberAssignment"]) == assignment("orders")
    if version >= 3:
        assert told["Groups"][0]["AuthorizedOperations"] == 1 << 8


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("DescribeGroups", "Groups"),
        ("ConsumerGroupDescribe", "GroupIds"),
        ("ShareGroupDescribe", "GroupIds"),
        ("StreamsGroupDescribe", "GroupIds"),
    ],
)
def test_descriptions_of_denied_groups_alone_are_not_forwarded(name: str, field: str) -> None:
    sent = Session(rules(G)).send(name, 1 if name == "ShareGroupDescribe" else 0, {field: ["a", "b"]})
    assert {one["GroupId"]: one["ErrorCode"] for one in sent.answered["Groups"]} == {"a": 30, "b": 30}


@pytest.mark.parametrize("version", range(6))
def test_a_list_has_the_groups_that_are_visible(version: int) -> None:
    groups = {"Groups": [{"GroupId": name} for name in ("g.mine", "g.other", "mine")]}
    told = Session(rules(G, groups="g.")).send("ListGroups", version, {}).respond(groups)
    assert [group["GroupId"] for group in told["Groups"]] == ["mine"]
    whole = (
        Session(rules(allow(CLUSTER, "", DESCRIBE), groups="g."))
        .send("ListGroups", version, {})
        .respond(groups)
    )
    assert [group["GroupId"] for group in whole["Groups"]] == ["mine", "other"]


def test_groups_are_deleted_one_by_one() -> None:
    session = Session(rules(allow(GROUP, "mine", Operation.DELETE), groups="g."))
    sent = session.send("DeleteGroups", 2, {"GroupsNames": ["mine", "other"]})
    assert sent.forwarded["GroupsNames"] == ["g.mine"]
    told = sent.respond({"Results": [{"GroupId": "g.mine", "ErrorCode": 0}]})
    assert {one["GroupId"]: one["ErrorCode"] for one in told["Results"]} == {"mine": 0, "other": 30}


def commit(*topics: str, index: str = "PartitionIndex") -> dict:
    return {
        "GroupId": "mine",
        "TransactionalId": "tx",
        "Topics": [{"Name": name, "Partitions": [{index: 0, "CommittedOffset": 5}]} for name in topics],
    }


def partition_codes(response: dict, name: str = "Name", at: str = "Topics") -> dict:
    return {
        (topic[name], one["PartitionIndex"]): one["ErrorCode"]
        for topic in response[at]
        for one in topic["Partitions"]
    }


@pytest.mark.parametrize("version", range(2, 10))
def test_a_commit_needs_the_group_and_each_topic(version: int) -> None:
    session = Session(rules(G, allow(TOPIC, "orders", READ), topics="t.", groups="g."))
    sent = session.send("OffsetCommit", version, commit("orders", "secret"))
    assert sent.forwarded["GroupId"] == "g.mine"
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    answer = {"Name": "t.orders", "Partitions": [{"PartitionIndex": 0, "ErrorCode": 0}]}
    assert partition_codes(sent.respond({"Topics": [answer]})) == {("orders", 0): 0, ("secret", 0): 29}
    denied = session.send("OffsetCommit", version, {**commit("orders"), "GroupId": "other"})
    assert partition_codes(denied.answered) == {("orders", 0): 30}


def test_a_commit_by_topic_ids_goes_by_their_names() -> None:
    cluster = {"orders": topic_id(1), "secret": topic_id(2)}
    session = Session(rules(G, allow(TOPIC, "orders", READ)), cluster=cluster)
    request = commit("", "", "")
    for number, topic in enumerate(request["Topics"], 1):
        topic["TopicId"] = topic_id(number)
    sent = session.send("OffsetCommit", 10, request)
    assert [topic["TopicId"] for topic in sent.forwarded["Topics"]] == [topic_id(1)]
    told = partition_codes(sent.respond({"Topics": []}), "TopicId")
    assert told == {(topic_id(2), 0): 29, (topic_id(3), 0): 100}


def test_topic_ids_pass_where_groups_alone_are_mapped() -> None:
    request = commit("")
    request["Topics"][0]["TopicId"] = topic_id(7)
    sent = Session(rules(groups="g.")).send("OffsetCommit", 10, request)
    assert sent.questions == []
    assert [topic["TopicId"] for topic in sent.forwarded["Topics"]] == [topic_id(7)]


@pytest.mark.parametrize("version", range(6))
def test_a_commit_in_a_transaction_needs_it_as_well(version: int) -> None:
    transaction = allow(Resource.TRANSACTIONAL_ID, "tx", Operation.WRITE)
    session = Session(rules(G, transaction, allow(TOPIC, "orders", READ), topics="t."))
    sent = session.send("TxnOffsetCommit", version, commit("orders", "secret"))
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    assert partition_codes(sent.respond({"Topics": []})) == {("secret", 0): 29}
    for field, code in (("TransactionalId", 53), ("GroupId", 30)):
        denied = session.send("TxnOffsetCommit", version, {**commit("orders"), field: "other"})
        assert partition_codes(denied.answered) == {("orders", 0): code}


def offsets(*names: str) -> dict:
    return {
        "Topics": [
            {"Name": name, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 4, "ErrorCode": 0}]}
            for name in names
        ]
    }


@pytest.mark.parametrize("version", range(1, 8))
def test_offsets_are_fetched_for_what_may_be_described(version: int) -> None:
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE), topics="t.", groups="g."))
    topics = [{"Name": name, "PartitionIndexes": [0]} for name in ("orders", "secret")]
    sent = session.send("OffsetFetch", version, {"GroupId": "mine", "Topics": topics})
    assert sent.forwarded["GroupId"] == "g.mine"
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    told = sent.respond(offsets("t.orders"))
    assert partition_codes(told) == {("orders", 0): 0, ("secret", 0): 29}
    assert told["Topics"][1]["Partitions"][0]["CommittedOffset"] == -1
    denied = session.send("OffsetFetch", version, {"GroupId": "other", "Topics": topics}).answered
    if version >= 2:
        assert (denied["ErrorCode"], denied["Topics"]) == (30, [])
    else:
        assert partition_codes(denied) == {("orders", 0): 30, ("secret", 0): 30}


@pytest.mark.parametrize("version", range(2, 8))
def test_all_offsets_of_a_group_are_those_of_visible_topics(version: int) -> None:
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE), topics="t."))
    sent = session.send("OffsetFetch", version, {"GroupId": "mine", "Topics": None})
    told = sent.respond(offsets("t.orders", "t.secret", "u.other"))
    assert partition_codes(told) == {("orders", 0): 0}


@pytest.mark.parametrize("version", [8, 9])
def test_offsets_of_many_groups_are_checked_group_by_group(version: int) -> None:
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE), topics="t.", groups="g."))
    topics = [{"Name": name, "PartitionIndexes": [0]} for name in ("orders", "secret")]
    groups = [{"GroupId": "mine", "Topics": topics}, {"GroupId": "other", "Topics": None}]
    sent = session.send("OffsetFetch", version, {"Groups": groups})
    assert [group["GroupId"] for group in sent.forwarded["Groups"]] == ["g.mine"]
    told = sent.respond({"Groups": [{"GroupId": "g.mine", **offsets("t.orders")}]})
    assert [(group["GroupId"], group["ErrorCode"]) for group in told["Groups"]] == [
        ("mine", 0),
        ("other", 30),
    ]
    assert partition_codes(told["Groups"][0]) == {("orders", 0): 0, ("secret", 0): 29}
    alone = session.send("OffsetFetch", version, {"Groups": groups[1:]})
    assert alone.answered["Groups"][0]["ErrorCode"] == 30


def test_offsets_by_topic_ids_go_by_their_names() -> None:
    cluster = {"t.orders": topic_id(1), "t.secret": topic_id(2)}
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE), topics="t."), cluster=cluster)
    topics = [{"TopicId": topic_id(number), "PartitionIndexes": [0]} for number in (1, 2)]
    sent = session.send("OffsetFetch", 10, {"Groups": [{"GroupId": "mine", "Topics": topics}]})
    assert [topic["TopicId"] for topic in sent.forwarded["Groups"][0]["Topics"]] == [topic_id(1)]
    told = sent.respond({"Groups": [{"GroupId": "mine", "Topics": []}]})
    assert partition_codes(told["Groups"][0], "TopicId") == {(topic_id(2), 0): 29}
    sent = session.send("OffsetFetch", 10, {"Groups": [{"GroupId": "mine", "Topics": None}]})
    found = [{"TopicId": topic_id(number), "Partitions": [{"PartitionIndex": 0}]} for number in (1, 2)]
    told = sent.respond({"Groups": [{"GroupId": "mine", "Topics": found}]})
    assert [topic["TopicId"] for topic in told["Groups"][0]["Topics"]] == [topic_id(1)]


def test_offsets_are_deleted_with_the_right_to_delete_the_group() -> None:
    session = Session(
        rules(allow(GROUP, "mine", Operation.DELETE), allow(TOPIC, "orders", READ), topics="t.")
    )
    topics = [{"Name": name, "Partitions": [{"PartitionIndex": 0}]} for name in ("orders", "secret")]
    sent = session.send("OffsetDelete", 0, {"GroupId": "mine", "Topics": topics})
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    assert partition_codes(sent.respond({"Topics": []})) == {("secret", 0): 29}
    assert session.send("OffsetDelete", 0, {"GroupId": "other", "Topics": topics}).answered["ErrorCode"] == 30


FIND = [(0, GROUP, 30), (1, Resource.TRANSACTIONAL_ID, 53)]


@pytest.mark.parametrize(("type_", "resource", "code"), FIND)
def test_coordinators_are_found_for_what_may_be_described(type_: int, resource: Resource, code: int) -> None:
    session = Session(rules(allow(resource, "mine", DESCRIBE), groups="g.", transactional_ids="g."))
    for version in range(0 if type_ == 0 else 1, 4):
        sent = session.send("FindCoordinator", version, {"Key": "mine", "KeyType": type_})
        assert sent.forwarded["Key"] == "g.mine"
        assert sent.respond({"NodeId": 1})["NodeId"] == 1
        denied = session.send("FindCoordinator", version, {"Key": "other", "KeyType": type_})
        assert (denied.answered["ErrorCode"], denied.answered["NodeId"]) == (code, -1)
    for version in range(4, 7):
        sent = session.send(
            "FindCoordinator", version, {"KeyType": type_, "CoordinatorKeys": ["mine", "other"]}
        )
        assert sent.forwarded["CoordinatorKeys"] == ["g.mine"]
        told = sent.respond({"Coordinators": [{"Key": "g.mine", "NodeId": 1}]})
        assert {one["Key"]: one["ErrorCode"] for one in told["Coordinators"]} == {"mine": 0, "other": code}


def test_keys_of_share_groups_have_the_group_mapped() -> None:
    session = Session(rules(groups="g."))
    sent = session.send("FindCoordinator", 6, {"KeyType": 2, "CoordinatorKeys": ["a:b:id:0"]})
    assert sent.forwarded["CoordinatorKeys"] == ["g.a:b:id:0"]
    told = sent.respond({"Coordinators": [{"Key": "g.a:b:id:0"}]})
    assert told["Coordinators"][0]["Key"] == "a:b:id:0"
    denied = Session(rules(G)).send("FindCoordinator", 6, {"KeyType": 2, "CoordinatorKeys": ["mine:id:0"]})
    assert denied.answered["Coordinators"][0]["ErrorCode"] == 31


def heartbeat(*topics: str, regex: str | None = None, epoch: int = 0) -> dict:
    return {
        "GroupId": "mine",
        "MemberId": "m",
        "MemberEpoch": epoch,
        "SubscribedTopicNames": list(topics) if topics else None,
        "SubscribedTopicRegex": regex,
    }


@pytest.mark.parametrize(("name", "version"), [("ConsumerGroupHeartbeat", 1), ("ShareGroupHeartbeat", 1)])
def test_a_heartbeat_with_a_denied_topic_is_refused(name: str, version: int) -> None:
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE), topics="t."))
    sent = session.send(name, version, heartbeat("orders"))
    assert sent.forwarded["SubscribedTopicNames"] == ["t.orders"]
    assert session.send(name, version, heartbeat("orders", "secret")).answered["ErrorCode"] == 29
    assert Session(MAPPED).send(name, version, heartbeat("a" * 249)).answered["ErrorCode"] == 17


def test_what_a_broker_says_of_a_heartbeat_has_the_names_of_the_client() -> None:
    sent = Session(MAPPED).send("ConsumerGroupHeartbeat", 1, heartbeat("orders"))
    told = sent.respond({"ErrorCode": 69, "ErrorMessage": "Group g.mine with t.orders not found."})
    assert told["ErrorMessage"] == "Group mine with orders not found."


def test_a_pattern_goes_on_with_the_prefix_before_it() -> None:
    sent = Session(rules(topics="t.")).send("ConsumerGroupHeartbeat", 1, heartbeat(regex="a|b"))
    assert sent.forwarded["SubscribedTopicRegex"] == r"t\.(?:a|b)"
    assert sent.questions == []


@pytest.mark.parametrize("regex", ["a(", "a)|(b", r"a\Qb", "a)(?:b"])
def test_a_pattern_that_would_reach_out_of_its_prefix_is_refused(regex: str) -> None:
    sent = Session(rules(topics="t.")).send("ConsumerGroupHeartbeat", 1, heartbeat(regex=regex))
    assert sent.answered["ErrorCode"] == 128


CLUSTER_TOPICS = {"t.a": topic_id(1), "t.b": topic_id(2), "t.secret": topic_id(3), "u.a": topic_id(4)}
AB = AccessRule(TOPIC, PatternType.MATCH, "?", frozenset({DESCRIBE}))


def test_under_access_rules_a_pattern_becomes_the_visible_names_that_it_matches() -> None:
    session = Session(rules(G, AB, topics="t."), cluster=CLUSTER_TOPICS)
    sent = session.send("ConsumerGroupHeartbeat", 1, heartbeat(regex=".*"))
    assert sent.forwarded["SubscribedTopicRegex"] == r"t\.a|t\.b"
    sent = session.send("ConsumerGroupHeartbeat", 1, heartbeat(regex="secret"))
    assert sent.forwarded["SubscribedTopicRegex"] == "!"


def test_a_topic_that_comes_later_joins_a_pattern_with_a_later_heartbeat() -> None:
    clock = Clock()
    session = Session(rules(topics=[("x", "y"), ("a-*", "b-*")]), TopicIds(clock), {"b-1": topic_id(1)})
    sent = session.send("ConsumerGroupHeartbeat", 1, heartbeat(regex="a-.*"))
    assert sent.forwarded["SubscribedTopicRegex"] == "b-1"
    session.cluster["b-2"] = topic_id(2)
    soon = session.send("ConsumerGroupHeartbeat", 1, heartbeat(epoch=1))
    assert soon.forwarded["SubscribedTopicRegex"] is None
    clock.time += 61
    later = session.send("ConsumerGroupHeartbeat", 1, heartbeat(epoch=1))
    assert later.forwarded["SubscribedTopicRegex"] == "b-1|b-2"
    after = session.send("ConsumerGroupHeartbeat", 1, heartbeat(epoch=1))
    assert after.forwarded["SubscribedTopicRegex"] is None
    session.send("ConsumerGroupHeartbeat", 1, heartbeat(epoch=-1))
    clock.time += 61
    assert session.send("ConsumerGroupHeartbeat", 1, heartbeat(epoch=1)).questions == []


def topology(*topics: str, regex: str | None = None) -> dict:
    subtopology = {
        "SubtopologyId": "0",
        "SourceTopics": list(topics),
        "SourceTopicRegex": [regex] if regex else [],
        "StateChangelogTopics": [{"Name": "store-changelog", "Partitions": 1, "ReplicationFactor": 1}],
    }
    return {"GroupId": "mine", "Topology": {"Epoch": 1, "Subtopologies": [subtopology]}}


def test_the_topics_of_a_topology_are_checked_and_mapped() -> None:
    access = G, allow(TOPIC, "orders", DESCRIBE), allow(TOPIC, "store-*", DESCRIBE, Operation.CREATE)
    session = Session(rules(*access, topics="t."), cluster={"t.orders": topic_id(1)})
    sent = session.send("StreamsGroupHeartbeat", 0, topology("orders", regex="ord.*"))
    found = sent.forwarded["Topology"]["Subtopologies"][0]
    assert found["SourceTopics"] == ["t.orders"]
    assert found["SourceTopicRegex"] == [r"t\.orders"]
    assert found["StateChangelogTopics"][0]["Name"] == "t.store-changelog"
    told = sent.respond(
        {
            "PartitionsByUserEndpoint": [
                {"ActivePartitions": [{"Topic": "t.orders", "Partitions": [0]}], "StandbyPartitions": []}
            ]
        }
    )
    assert told["PartitionsByUserEndpoint"][0]["ActivePartitions"][0]["Topic"] == "orders"
    assert session.send("StreamsGroupHeartbeat", 0, topology("secret")).answered["ErrorCode"] == 29


def test_a_topology_makes_no_topic_that_the_client_may_not_make() -> None:
    session = Session(rules(G, allow(TOPIC, "*", READ), topics="t."))
    sent = session.send("StreamsGroupHeartbeat", 0, topology("orders"))
    assert [topic["Name"] for topic in sent.questions[0]["Topics"]] == ["t.store-changelog"]
    assert sent.answered["ErrorCode"] == 29
    session.cluster["t.store-changelog"] = topic_id(1)
    assert session.send("StreamsGroupHeartbeat", 0, topology("orders")).forwarded
    assert session.send("StreamsGroupHeartbeat", 0, topology("orders", regex="a.*")).forwarded


def test_a_topology_makes_no_topic_against_a_topic_policy() -> None:
    limited = rules()
    limited.topic_policies.append(TopicPolicy(lambda name: name == "orders", "orders"))
    assert Session(limited).send("StreamsGroupHeartbeat", 0, topology("orders")).answered["ErrorCode"] == 29


def test_what_a_broker_says_of_a_topology_has_the_names_of_the_client() -> None:
    sent = Session(rules(topics="t.")).send("StreamsGroupHeartbeat", 0, topology("orders"))
    told = sent.respond(
        {"Status": [{"StatusCode": 1, "StatusDetail": "Source topics t.orders are missing."}]}
    )
    assert told["Status"][0]["StatusDetail"] == "Source topics orders are missing."


def described(*topics: str, group: str = "g.mine", regex: str | None = None) -> dict:
    partitions = [{"TopicId": topic_id(number), "TopicName": name} for number, name in enumerate(topics, 1)]
    member = {
        "MemberId": "m",
        "SubscribedTopicNames": list(topics),
        "SubscribedTopicRegex": regex,
        "Assignment": {"TopicPartitions": partitions},
        "TargetAssignment": {"TopicPartitions": partitions},
    }
    return {"Groups": [{"GroupId": group, "Members": [member]}]}


@pytest.mark.parametrize(("name", "version"), [("ConsumerGroupDescribe", 1), ("ShareGroupDescribe", 1)])
def test_described_members_show_no_name_of_the_cluster(name: str, version: int) -> None:
    session = Session(MAPPED)
    sent = session.send(name, version, {"GroupIds": ["mine"]})
    assert sent.forwarded["GroupIds"] == ["g.mine"]
    told = sent.respond(described("t.orders", "u.other", regex=r"t\.(?:a.*)"))["Groups"][0]
    assert told["GroupId"] == "mine"
    member = told["Members"][0]
    assert member["SubscribedTopicNames"] == ["orders"]
    assert [one["TopicName"] for one in member["Assignment"]["TopicPartitions"]] == ["orders"]
    assert member.get("SubscribedTopicRegex", "a.*") == "a.*"
    assert session.ids.name(topic_id(1)) == "t.orders"


def test_a_pattern_that_holds_names_of_the_cluster_is_not_shown() -> None:
    sent = Session(rules(topics=[("a", "t.a")])).send("ConsumerGroupDescribe", 1, {"GroupIds": ["mine"]})
    told = sent.respond(described("t.a", group="mine", regex=r"t\.a|t\.b"))
    assert told["Groups"][0]["Members"][0]["SubscribedTopicRegex"] == ""


@pytest.mark.parametrize(("name", "version"), [("ConsumerGroupDescribe", 0), ("ShareGroupDescribe", 1)])
def test_a_group_with_a_hidden_topic_is_denied_as_at_a_broker(name: str, version: int) -> None:
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE)))
    sent = session.send(name, version, {"GroupIds": ["mine", "other"]})
    told = sent.respond(described("orders", "secret", group="mine"))
    assert [(one["GroupId"], one["ErrorCode"]) for one in told["Groups"]] == [("mine", 29), ("other", 30)]
    assert told["Groups"][0]["Members"] == []
    sent = session.send(name, version, {"GroupIds": ["mine"]})
    assert sent.respond(described("orders", group="mine"))["Groups"][0]["ErrorCode"] == 0


def test_offsets_of_share_groups_are_checked_and_mapped() -> None:
    session = Session(rules(G, allow(TOPIC, "orders", DESCRIBE), topics="t.", groups="g."))
    topics = [{"TopicName": name, "Partitions": [0]} for name in ("orders", "secret")]
    groups = [{"GroupId": "mine", "Topics": topics}, {"GroupId": "other", "Topics": None}]
    sent = session.send("DescribeShareGroupOffsets", 1, {"Groups": groups})
    assert [topic["TopicName"] for topic in sent.forwarded["Groups"][0]["Topics"]] == ["t.orders"]
    answer = {"TopicName": "t.orders", "Partitions": [{"PartitionIndex": 0}]}
    told = sent.respond({"Groups": [{"GroupId": "g.mine", "Topics": [answer]}]})
    assert [(one["GroupId"], one["ErrorCode"]) for one in told["Groups"]] == [("mine", 0), ("other", 30)]
    assert partition_codes(told["Groups"][0], "TopicName") == {("orders", 0): 0, ("secret", 0): 29}


def test_offsets_of_share_groups_are_altered_and_deleted_topic_by_topic() -> None:
    access = allow(GROUP, "mine", READ, Operation.DELETE), allow(TOPIC, "orders", READ)
    session = Session(rules(*access, topics="t."))
    topics = [{"TopicName": name, "Partitions": [{"PartitionIndex": 0}]} for name in ("orders", "secret")]
    sent = session.send("AlterShareGroupOffsets", 0, {"GroupId": "mine", "Topics": topics})
    assert [topic["TopicName"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    told = sent.respond({"Responses": [{"TopicName": "t.orders", "Partitions": []}]})
    assert partition_codes(told, "TopicName", "Responses") == {("secret", 0): 29}
    sent = session.send("DeleteShareGroupOffsets", 0, {"GroupId": "mine", "Topics": topics})
    told = sent.respond({"Responses": [{"TopicName": "t.orders"}]})
    assert {one["TopicName"]: one["ErrorCode"] for one in told["Responses"]} == {"orders": 0, "secret": 29}
    assert (
        session.send("DeleteShareGroupOffsets", 0, {"GroupId": "x", "Topics": topics}).answered["ErrorCode"]
        == 30
    )


@pytest.mark.parametrize("name", ["AlterShareGroupOffsets", "DeleteShareGroupOffsets"])
def test_what_a_broker_says_of_a_share_group_is_told_though_no_topic_is_allowed(name: str) -> None:
    session = Session(rules(allow(GROUP, "mine", READ, Operation.DELETE)))
    sent = session.send(name, 0, {"GroupId": "mine", "Topics": [{"TopicName": "orders"}]})
    assert sent.forwarded["Topics"] == []
    told = sent.respond({"ErrorCode": 69})
    assert (told["ErrorCode"], told["Responses"]) == (69, [])
