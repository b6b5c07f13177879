"""Topics, configurations, access rules, transactions and the cluster itself."""

import pytest
from kafka_dialogue import NO_ID, Session, allow, rules, topic_id

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.topic_policy import ConfigLimit, Range, TopicPolicy

TOPIC, GROUP, CLUSTER = Resource.TOPIC, Resource.GROUP, Resource.CLUSTER
TRANSACTION = Resource.TRANSACTIONAL_ID
READ, WRITE, CREATE, DELETE = Operation.READ, Operation.WRITE, Operation.CREATE, Operation.DELETE
DESCRIBE, ALTER = Operation.DESCRIBE, Operation.ALTER
MAPPED = rules(topics="t.", groups="g.", transactional_ids="x.")


def create(*names: str, partitions: int = 1, replicas: int = 1, configs: dict | None = None) -> dict:
    return {
        "Topics": [
            {
                "Name": name,
                "NumPartitions": partitions,
                "ReplicationFactor": replicas,
                "Configs": [{"Name": key, "Value": value} for key, value in (configs or {}).items()],
            }
            for name in names
        ]
    }


def codes(response: dict, at: str = "Topics", name: str = "Name") -> dict:
    return {one[name]: one["ErrorCode"] for one in response[at]}


@pytest.mark.parametrize("version", range(2, 8))
def test_topics_are_created_one_by_one(version: int) -> None:
    session = Session(rules(allow(TOPIC, "orders", CREATE), topics="t."))
    sent = session.send("CreateTopics", version, create("orders", "secret"))
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    told = sent.respond({"Topics": [{"Name": "t.orders", "TopicId": topic_id(1), "NumPartitions": 3}]})
    assert codes(told) == {"orders": 0, "secret": 29}
    if version >= 5:
        assert (told["Topics"][0]["NumPartitions"], told["Topics"][0]["TopicConfigErrorCode"]) == (-1, 29)
    if version == 7:
        assert session.ids.name(topic_id(1)) == "t.orders"


def test_create_on_the_cluster_is_enough_for_every_legal_topic() -> None:
    session = Session(
        rules(allow(CLUSTER, "", CREATE), allow(TOPIC, "*", Operation.DESCRIBE_CONFIGS), topics="t.")
    )
    sent = session.send("CreateTopics", 7, create("orders", "a" * 249))
    told = sent.respond({"Topics": [{"Name": "t.orders", "NumPartitions": 3}]})
    assert codes(told) == {"orders": 0, "a" * 249: 17}
    assert told["Topics"][0]["NumPartitions"] == 3
    assert "249" in told["Topics"][1]["ErrorMessage"] or told["Topics"][1]["ErrorMessage"]


def test_what_a_broker_says_of_a_topic_has_the_name_of_the_client() -> None:
    sent = Session(MAPPED).send("CreateTopics", 7, create("orders"))
    text = "Topic 't.orders' already exists."
    told = sent.respond({"Topics": [{"Name": "t.orders", "ErrorCode": 36, "ErrorMessage": text}]})
    assert told["Topics"][0]["ErrorMessage"] == "Topic 'orders' already exists."


LIMITS = rules()
LIMITS.topic_policies.append(
    TopicPolicy(
        lambda name: name.startswith("orders-"),
        "orders-.*",
        Range(2, 6),
        Range(2, None),
        {
            "retention.ms": ConfigLimit(Range(1000, 5000)),
            "cleanup.policy": ConfigLimit(values=frozenset({"delete"})),
        },
    )
)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (create("orders-eu", partitions=6, replicas=2), None),
        (create("orders-eu", partitions=-1, replicas=-1), None),
        (create("other", partitions=2, replicas=2), "orders-"),
        (create("orders-eu", partitions=7, replicas=2), "at most 6, not 7"),
        (create("orders-eu", partitions=1, replicas=2), "at least 2, not 1"),
        (create("orders-eu", partitions=2, replicas=1), "replication factor"),
        (create("orders-eu", partitions=2, replicas=2, configs={"retention.ms": "5000"}), None),
        (create("orders-eu", partitions=2, replicas=2, configs={"retention.ms": "5001"}), "retention.ms"),
        (create("orders-eu", partitions=2, replicas=2, configs={"retention.ms": "-1"}), "retention.ms"),
        (create("orders-eu", partitions=2, replicas=2, configs={"retention.ms": "x"}), "whole number"),
        (
            create("orders-eu", partitions=2, replicas=2, configs={"cleanup.policy": "compact"}),
            "cleanup.policy",
        ),
        (create("orders-eu", partitions=2, replicas=2, configs={"segment.ms": "1"}), None),
    ],
)
def test_a_topic_against_a_policy_is_refused_with_what_is_wrong(request_: dict, problem: str | None) -> None:
    sent = Session(LIMITS).send("CreateTopics", 7, request_)
    if problem is None:
        assert sent.forwarded["Topics"]
    else:
        (told,) = sent.answered["Topics"]
        assert told["ErrorCode"] == 44
        assert problem in told["ErrorMessage"]


def test_assigned_partitions_and_replicas_are_counted() -> None:
    request = create("orders-eu", partitions=-1, replicas=-1)
    request["Topics"][0]["Assignments"] = [{"PartitionIndex": one, "BrokerIds": [1, 2]} for one in range(7)]
    sent = Session(LIMITS).send("CreateTopics", 7, request)
    assert "not 7" in sent.answered["Topics"][0]["ErrorMessage"]
    request["Topics"][0]["Assignments"] = [{"PartitionIndex": one, "BrokerIds": [1]} for one in range(2)]
    sent = Session(LIMITS).send("CreateTopics", 7, request)
    assert "replication" in sent.answered["Topics"][0]["ErrorMessage"]


def test_a_policy_refuses_one_topic_and_lets_the_others_pass() -> None:
    sent = Session(LIMITS).send("CreateTopics", 7, create("orders-a", "other", partitions=2, replicas=2))
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["orders-a"]
    assert codes(sent.respond({"Topics": [{"Name": "orders-a"}]})) == {"orders-a": 0, "other": 44}


@pytest.mark.parametrize("version", range(4))
def test_partitions_are_added_with_alter_and_within_the_policy(version: int) -> None:
    limited = rules(allow(TOPIC, "orders", ALTER), topics="t.")
    limited.topic_policies += LIMITS.topic_policies
    session = Session(limited)
    topics = [
        {"Name": name, "Count": count, "Assignments": None} for name, count in (("orders", 6), ("secret", 3))
    ]
    sent = session.send("CreatePartitions", version, {"Topics": topics})
    assert [topic["Name"] for topic in sent.forwarded["Topics"]] == ["t.orders"]
    assert codes(sent.respond({"Results": [{"Name": "t.orders"}]}), "Results") == {"orders": 0, "secret": 29}
    refused = session.send("CreatePartitions", version, {"Topics": [{**topics[0], "Count": 7}]}).answered
    assert refused["Results"][0]["ErrorCode"] == 44


@pytest.mark.parametrize("version", range(1, 6))
def test_topics_are_deleted_by_name(version: int) -> None:
    session = Session(rules(allow(TOPIC, "orders", DELETE), topics="t."))
    sent = session.send("DeleteTopics", version, {"TopicNames": ["orders", "secret"]})
    assert sent.forwarded["TopicNames"] == ["t.orders"]
    told = sent.respond({"Responses": [{"Name": "t.orders"}]})
    assert codes(told, "Responses") == {"orders": 0, "secret": 29}


def test_topics_are_deleted_by_name_or_id() -> None:
    cluster = {"t.orders": topic_id(1), "t.secret": topic_id(2), "u.other": topic_id(3)}
    session = Session(rules(allow(TOPIC, "orders", DELETE), topics="t."), cluster=cluster)
    request = [{"Name": name, "TopicId": NO_ID} for name in ("orders", "secret")]
    request += [{"Name": None, "TopicId": topic_id(number)} for number in (1, 2, 3, 4)]
    sent = session.send("DeleteTopics", 6, {"Topics": request})
    assert [(one["Name"], one["TopicId"]) for one in sent.forwarded["Topics"]] == [
        ("t.orders", NO_ID),
        (None, topic_id(1)),
    ]
    told = sent.respond({"Responses": [{"Name": "t.orders", "TopicId": topic_id(1)}]})
    assert [(one["Name"], one["TopicId"], one["ErrorCode"]) for one in told["Responses"]] == [
        ("orders", topic_id(1), 0),
        ("secret", NO_ID, 29),
        (None, topic_id(2), 29),
        (None, topic_id(3), 100),
        (None, topic_id(4), 100),
    ]


def test_a_topic_that_may_be_described_alone_is_told_apart_from_one_that_is_missing() -> None:
    session = Session(rules(allow(TOPIC, "*", DESCRIBE), topics="t."), cluster={"t.orders": topic_id(1)})
    sent = session.send("DeleteTopics", 5, {"TopicNames": ["orders", "missing"]})
    assert codes(sent.answered, "Responses") == {"orders": 29, "missing": 3}
    request = [{"Name": "orders", "TopicId": NO_ID}, {"Name": "missing", "TopicId": NO_ID}]
    sent = session.send("DeleteTopics", 6, {"Topics": request})
    assert codes(sent.answered, "Responses") == {"orders": 29, "missing": 3}
    sent = session.send("DeleteTopics", 6, {"Topics": [{"Name": None, "TopicId": topic_id(1)}]})
    assert codes(sent.answered, "Responses") == {"orders": 29}


def test_descriptions_of_denied_transactions_alone_are_not_forwarded() -> None:
    sent = Session(rules(allow(TOPIC, "*"))).send("DescribeTransactions", 0, {"TransactionalIds": ["a"]})
    assert codes(sent.answered, "TransactionStates", "TransactionalId") == {"a": 53}


PARTS = [
    ("DeleteRecords", range(3), DELETE, "Partitions", {"PartitionIndex": 0}, "Topics", "Name"),
    ("OffsetForLeaderEpoch", range(2, 5), DESCRIBE, "Partitions", {"Partition": 0}, "Topics", "Topic"),
    ("DescribeProducers", [0], READ, "PartitionIndexes", 0, "Topics", "Name"),
]


@pytest.mark.parametrize(("name", "versions", "operation", "inner", "one", "to", "field"), PARTS)
def test_requests_for_partitions_are_checked_topic_by_topic(
    name: str, versions: range, operation: Operation, inner: str, one: object, to: str, field: str
) -> None:
    session = Session(rules(allow(TOPIC, "orders", operation), topics="t."))
    for version in versions:
        topics = [{field: topic, inner: [one]} for topic in ("orders", "secret")]
        sent = session.send(name, version, {"Topics": topics})
        assert [topic[field] for topic in sent.forwarded["Topics"]] == ["t.orders"]
        told = sent.respond({to: [{field: "t.orders", "Partitions": []}]})
        assert [(topic[field], [one["ErrorCode"] for one in topic["Partitions"]]) for topic in told[to]] == [
            ("orders", []),
            ("secret", [29]),
        ]


@pytest.mark.parametrize("version", range(6))
def test_a_producer_id_needs_the_transactional_id_or_a_topic_to_write_to(version: int) -> None:
    session = Session(rules(allow(TRANSACTION, "mine", WRITE), transactional_ids="x."))
    sent = session.send("InitProducerId", version, {"TransactionalId": "mine"})
    assert sent.forwarded["TransactionalId"] == "x.mine"
    denied = session.send("InitProducerId", version, {"TransactionalId": "other"}).answered
    assert (denied["ErrorCode"], denied["ProducerId"], denied["ProducerEpoch"]) == (53, -1, -1)
    assert session.send("InitProducerId", version, {"TransactionalId": None}).answered["ErrorCode"] == 31
    for rule in (allow(TOPIC, "a", WRITE), allow(CLUSTER, "", Operation.IDEMPOTENT_WRITE)):
        assert Session(rules(rule)).send("InitProducerId", version, {"TransactionalId": None}).forwarded


@pytest.mark.parametrize("version", range(4))
def test_partitions_join_a_transaction_all_or_none(version: int) -> None:
    access = allow(TRANSACTION, "mine", WRITE), allow(TOPIC, "orders", WRITE)
    session = Session(rules(*access, topics="t.", transactional_ids="x."))

    def request(*names: str, transaction: str = "mine") -> dict:
        topics = [{"Name": name, "Partitions": [0]} for name in names]
        return {"V3AndBelowTransactionalId": transaction, "V3AndBelowTopics": topics}

    def told(response: dict) -> dict:
        return {
            topic["Name"]: [one["PartitionErrorCode"] for one in topic["ResultsByPartition"]]
            for topic in response["ResultsByTopicV3AndBelow"]
        }

    sent = session.send("AddPartitionsToTxn", version, request("orders"))
    assert sent.forwarded["V3AndBelowTransactionalId"] == "x.mine"
    assert [topic["Name"] for topic in sent.forwarded["V3AndBelowTopics"]] == ["t.orders"]
    answer = {"Name": "t.orders", "ResultsByPartition": [{"PartitionIndex": 0}]}
    assert told(sent.respond({"ResultsByTopicV3AndBelow": [answer]})) == {"orders": [0]}
    mixed = session.send("AddPartitionsToTxn", version, request("orders", "secret"))
    assert told(mixed.answered) == {"orders": [55], "secret": [29]}
    denied = session.send("AddPartitionsToTxn", version, request("orders", transaction="other"))
    assert told(denied.answered) == {"orders": [53]}


@pytest.mark.parametrize("version", [4, 5])
def test_what_brokers_add_to_transactions_needs_cluster_action(version: int) -> None:
    transaction = {"TransactionalId": "mine", "Topics": [{"Name": "orders", "Partitions": [0]}]}
    request = {"Transactions": [transaction]}
    denied = Session(rules(allow(TRANSACTION, "*"))).send("AddPartitionsToTxn", version, request)
    assert denied.answered["ErrorCode"] == 31
    sent = Session(MAPPED).send("AddPartitionsToTxn", version, request)
    (found,) = sent.forwarded["Transactions"]
    assert (found["TransactionalId"], found["Topics"][0]["Name"]) == ("x.mine", "t.orders")
    result = {"TransactionalId": "x.mine", "TopicResults": [{"Name": "t.orders"}]}
    told = sent.respond({"ResultsByTransaction": [result]})["ResultsByTransaction"][0]
    assert (told["TransactionalId"], told["TopicResults"][0]["Name"]) == ("mine", "orders")


def test_offsets_and_ends_of_transactions_need_them() -> None:
    session = Session(
        rules(allow(TRANSACTION, "mine", WRITE), allow(GROUP, "g", READ), transactional_ids="x.")
    )
    for name, version in (("AddOffsetsToTxn", 4), ("EndTxn", 5)):
        sent = session.send(name, version, {"TransactionalId": "mine", "GroupId": "g"})
        assert sent.forwarded["TransactionalId"] == "x.mine"
        assert (
            session.send(name, version, {"TransactionalId": "other", "GroupId": "g"}).answered["ErrorCode"]
            == 53
        )
    request = {"TransactionalId": "mine", "GroupId": "other"}
    assert session.send("AddOffsetsToTxn", 4, request).answered["ErrorCode"] == 30


def test_transactions_are_described_with_the_topics_that_may_be() -> None:
    access = allow(TRANSACTION, "mine", DESCRIBE), allow(TOPIC, "orders", DESCRIBE)
    session = Session(rules(*access, topics="t.", transactional_ids="x."))
    sent = session.send("DescribeTransactions", 0, {"TransactionalIds": ["mine", "other"]})
    assert sent.forwarded["TransactionalIds"] == ["x.mine"]
    topics = [{"Topic": name, "Partitions": [0]} for name in ("t.orders", "t.secret", "u.x")]
    told = sent.respond({"TransactionStates": [{"TransactionalId": "x.mine", "Topics": topics}]})
    assert codes(told, "TransactionStates", "TransactionalId") == {"mine": 0, "other": 53}
    assert [topic["Topic"] for topic in told["TransactionStates"][0]["Topics"]] == ["orders"]


def test_transactions_are_listed_by_a_pattern_over_the_names_of_the_client() -> None:
    session = Session(rules(allow(TRANSACTION, "a*", DESCRIBE), transactional_ids="x."))
    sent = session.send("ListTransactions", 2, {"TransactionalIdPattern": "a|b|ab"})
    assert sent.forwarded["TransactionalIdPattern"] is None
    states = [{"TransactionalId": name} for name in ("x.a", "x.b", "x.ab", "x.abc", "a", "y.a")]
    told = sent.respond({"TransactionStates": states})
    assert [state["TransactionalId"] for state in told["TransactionStates"]] == ["a", "ab"]
    assert session.send("ListTransactions", 2, {"TransactionalIdPattern": "a("}).answered["ErrorCode"] == 128


def resources(*pairs: tuple[int, str], **more: object) -> dict:
    return {"Resources": [{"ResourceType": type_, "ResourceName": name, **more} for type_, name in pairs]}


RESOURCES = ((2, "orders"), (2, "secret"), (4, "1"), (32, "mine"), (32, "other"), (16, "metrics"))


@pytest.mark.parametrize(
    ("name", "version", "to", "operation"),
    [
        ("DescribeConfigs", 4, "Results", Operation.DESCRIBE_CONFIGS),
        ("AlterConfigs", 2, "Responses", Operation.ALTER_CONFIGS),
        ("IncrementalAlterConfigs", 1, "Responses", Operation.ALTER_CONFIGS),
    ],
)
def test_configurations_are_checked_and_mapped_by_the_type_of_their_resource(
    name: str, version: int, to: str, operation: Operation
) -> None:
    access = allow(TOPIC, "orders", operation), allow(GROUP, "mine", operation)
    session = Session(rules(*access, topics="t.", groups="g."))
    sent = session.send(name, version, resources(*RESOURCES))
    kept = [(one["ResourceType"], one["ResourceName"]) for one in sent.forwarded["Resources"]]
    assert kept == [(2, "t.orders"), (32, "g.mine")]
    told = sent.respond({to: resources(*kept)["Resources"]})[to]
    assert {(one["ResourceType"], one["ResourceName"]): one["ErrorCode"] for one in told} == {
        (2, "orders"): 0,
        (32, "mine"): 0,
        (2, "secret"): 29,
        (4, "1"): 31,
        (32, "other"): 30,
        (16, "metrics"): 31,
    }
    assert session.send(name, version, resources((4, "1"))).answered[to][0]["ErrorCode"] == 31
    cluster = Session(rules(allow(CLUSTER, "", operation), topics="t."))
    assert cluster.send(name, version, resources((4, "1"))).forwarded["Resources"][0]["ResourceName"] == "1"


@pytest.mark.parametrize(("name", "version"), [("AlterConfigs", 2), ("IncrementalAlterConfigs", 1)])
def test_settings_are_held_to_the_topic_policy(name: str, version: int) -> None:
    def settings(value: str | None, operation: int = 0) -> dict:
        return resources(
            (2, "orders-eu"),
            Configs=[{"Name": "retention.ms", "Value": value, "ConfigOperation": operation}],
        )

    session = Session(LIMITS)
    assert session.send(name, version, settings("4000")).forwarded["Resources"]
    refused = session.send(name, version, settings("9000")).answered["Responses"][0]
    assert refused["ErrorCode"] == 44
    assert "retention.ms must be at most 5000, not 9000" in refused["ErrorMessage"]
    if name == "IncrementalAlterConfigs":
        assert session.send(name, version, settings(None, operation=1)).forwarded["Resources"]


def test_listed_configurations_are_those_of_visible_resources() -> None:
    sent = Session(MAPPED).send("ListConfigResources", 1, {"ResourceTypes": []})
    found = [(2, "t.orders"), (2, "u.x"), (32, "g.mine"), (32, "x"), (4, "1")]
    told = sent.respond({"ConfigResources": resources(*found)["Resources"]})["ConfigResources"]
    assert [(one["ResourceType"], one["ResourceName"]) for one in told] == [
        (2, "orders"),
        (32, "mine"),
        (4, "1"),
    ]
    denied = Session(rules(allow(TOPIC, "*"))).send("ListConfigResources", 1, {"ResourceTypes": []})
    assert denied.answered["ErrorCode"] == 31


def acl(type_: int, pattern: int, name: str | None) -> dict:
    return {
        "ResourceType": type_,
        "ResourcePatternType": pattern,
        "ResourceName": name,
        "Principal": "User:a",
    }


ANY, MATCH, LITERAL, PREFIXED = 1, 2, 3, 4


@pytest.mark.parametrize(
    ("mapping", "given", "mapped"),
    [
        ("t.", (LITERAL, "orders"), (LITERAL, "t.orders")),
        ("t.", (LITERAL, "*"), (PREFIXED, "t.")),
        ("t.", (PREFIXED, "ord"), (PREFIXED, "t.ord")),
        ([("a-*", "x.a-*")], (PREFIXED, "a-b"), (PREFIXED, "x.a-b")),
        ([("a-*", "x.a-*")], (PREFIXED, "c"), (PREFIXED, "c")),
        ([("a-*", "x.a-*")], (PREFIXED, "a"), None),
        ([("a-*", "x.a-*")], (PREFIXED, "x"), None),
        ([("a-*", "x.a-*")], (LITERAL, "*"), None),
        ([("a", "x.a")], (PREFIXED, "a"), None),
        ("t.", (LITERAL, "a" * 249), None),
    ],
)
def test_a_rule_of_the_cluster_is_made_in_its_names_or_refused(
    mapping: object, given: tuple[int, str], mapped: tuple[int, str] | None
) -> None:
    session = Session(rules(topics=mapping))
    sent = session.send("CreateAcls", 3, {"Creations": [acl(2, *given), acl(4, LITERAL, "kafka-cluster")]})
    kept = [(one["ResourcePatternType"], one["ResourceName"]) for one in sent.forwarded["Creations"]]
    assert kept == [*([mapped] if mapped else []), (LITERAL, "kafka-cluster")]
    told = sent.respond({"Results": [{"ErrorCode": 0} for _ in kept]})["Results"]
    assert [one["ErrorCode"] for one in told] == [0 if mapped else 42, 0]


def test_rules_of_the_cluster_are_seen_in_the_names_of_the_client() -> None:
    def found(type_: int, pattern: int, name: str) -> dict:
        return {"ResourceType": type_, "PatternType": pattern, "ResourceName": name, "Acls": []}

    everything = [
        found(2, LITERAL, "t.orders"),
        found(2, PREFIXED, "t."),
        found(2, PREFIXED, "t.ord"),
        found(2, LITERAL, "*"),
        found(2, PREFIXED, "t"),
        found(2, LITERAL, "u.x"),
        found(3, LITERAL, "g.mine"),
        found(4, LITERAL, "kafka-cluster"),
    ]

    def asked(type_: int, pattern: int, name: str | None) -> list[tuple[int, int, str]]:
        request = {"ResourceTypeFilter": type_, "PatternTypeFilter": pattern, "ResourceNameFilter": name}
        sent = Session(MAPPED).send("DescribeAcls", 3, request)
        assert (sent.forwarded["PatternTypeFilter"], sent.forwarded["ResourceNameFilter"]) == (ANY, None)
        told = sent.respond({"Resources": everything})["Resources"]
        return [(one["ResourceType"], one["PatternType"], one["ResourceName"]) for one in told]

    topics = [(2, LITERAL, "orders"), (2, LITERAL, "*"), (2, PREFIXED, "ord")]
    assert asked(1, ANY, None) == [*topics, (3, LITERAL, "mine"), (4, LITERAL, "kafka-cluster")]
    assert asked(2, ANY, "orders") == [(2, LITERAL, "orders")]
    assert asked(2, MATCH, "orders") == topics
    assert asked(2, PREFIXED, None) == [(2, PREFIXED, "ord")]
    assert asked(2, LITERAL, "*") == [(2, LITERAL, "*")]


def test_of_rules_for_prefixes_those_are_seen_that_say_the_same_in_the_names_of_the_client() -> None:
    session = Session(rules(topics=[("a-*", "x.a-*"), ("one", "two")]))
    found = ["c", "x", "x.a-", "x.a-b", "a", "a-b", "two", "tw", "one"]
    sent = session.send(
        "DescribeAcls", 3, {"ResourceTypeFilter": 2, "PatternTypeFilter": ANY, "ResourceNameFilter": None}
    )
    told = sent.respond(
        {"Resources": [{"ResourceType": 2, "PatternType": PREFIXED, "ResourceName": one} for one in found]}
    )
    assert [one["ResourceName"] for one in told["Resources"]] == ["c", "a-", "a-b"]


def test_rules_of_other_clients_cannot_be_deleted() -> None:
    def wanted(type_: int, pattern: int, name: str | None) -> dict:
        return {"ResourceTypeFilter": type_, "PatternTypeFilter": pattern, "ResourceNameFilter": name}

    filters = [wanted(2, LITERAL, "a"), wanted(2, ANY, None), wanted(1, ANY, None), wanted(2, MATCH, "a")]
    sent = Session(MAPPED).send("DeleteAcls", 3, {"Filters": filters})
    assert [one["ResourceNameFilter"] for one in sent.forwarded["Filters"]] == ["t.a"]
    matching = [{"ResourceType": 2, "PatternType": LITERAL, "ResourceName": name} for name in ("t.a", "u.a")]
    told = sent.respond({"FilterResults": [{"MatchingAcls": matching}]})["FilterResults"]
    assert [one["ErrorCode"] for one in told] == [0, 42, 42, 42]
    assert [one["ResourceName"] for one in told[0]["MatchingAcls"]] == ["a"]


def test_rules_of_the_cluster_need_it() -> None:
    session = Session(rules(allow(TOPIC, "*")))
    assert session.send("DescribeAcls", 3, {}).answered["ErrorCode"] == 31
    created = session.send("CreateAcls", 3, {"Creations": [acl(2, LITERAL, "a")]}).answered
    assert [one["ErrorCode"] for one in created["Results"]] == [31]
    deleted = session.send("DeleteAcls", 3, {"Filters": [{}, {}]}).answered
    assert [one["ErrorCode"] for one in deleted["FilterResults"]] == [31, 31]
    permitted = Session(rules(allow(CLUSTER, "", ALTER)))
    assert permitted.send("CreateAcls", 3, {"Creations": [acl(2, LITERAL, "a")]}).forwarded["Creations"]


OF_CLUSTER = [
    ("DescribeLogDirs", 5, DESCRIBE),
    ("AlterPartitionReassignments", 1, ALTER),
    ("ListPartitionReassignments", 0, DESCRIBE),
    ("DescribeClientQuotas", 1, Operation.DESCRIBE_CONFIGS),
    ("DescribeQuorum", 2, DESCRIBE),
    ("UpdateFeatures", 2, ALTER),
    ("UnregisterBroker", 0, ALTER),
]


@pytest.mark.parametrize(("name", "version", "operation"), OF_CLUSTER)
def test_the_cluster_is_seen_and_changed_with_rights_on_it(
    name: str, version: int, operation: Operation
) -> None:
    assert Session(rules(allow(TOPIC, "*"))).send(name, version, {}).answered["ErrorCode"] == 31
    assert Session(rules(allow(CLUSTER, "", operation))).send(name, version, {}).forwarded is not None


def test_refusals_of_the_cluster_are_told_for_each_thing_where_responses_are_made_so() -> None:
    session = Session(rules(allow(TOPIC, "*")))
    dirs = {"Dirs": [{"Path": "/", "Topics": [{"Name": "a", "Partitions": [0, 1]}]}]}
    (topic,) = session.send("AlterReplicaLogDirs", 2, dirs).answered["Results"]
    assert [one["ErrorCode"] for one in topic["Partitions"]] == [31, 31]
    elected = session.send(
        "ElectLeaders", 2, {"TopicPartitions": [{"Topic": "a", "Partitions": [0]}]}
    ).answered
    assert elected["ErrorCode"] == 31
    assert elected["ReplicaElectionResults"][0]["PartitionResult"][0]["ErrorCode"] == 31
    topics = [{"Name": "a", "Partitions": [{"PartitionIndex": 3}]}]
    reassigned = session.send("AlterPartitionReassignments", 1, {"Topics": topics}).answered
    assert reassigned["ErrorCode"] == 31
    assert reassigned["Responses"][0]["Partitions"][0]["ErrorCode"] == 31
    entity = [{"EntityType": "user", "EntityName": "a"}]
    (entry,) = session.send("AlterClientQuotas", 1, {"Entries": [{"Entity": entity}]}).answered["Entries"]
    assert (entry["ErrorCode"], entry["Entity"]) == (31, entity)


def test_leaders_of_all_partitions_are_not_elected_for_a_client_that_sees_a_part() -> None:
    assert Session(MAPPED).send("ElectLeaders", 2, {"TopicPartitions": None}).answered["ErrorCode"] == 42
    sent = Session(MAPPED).send("ElectLeaders", 2, {"TopicPartitions": [{"Topic": "a", "Partitions": [0]}]})
    assert sent.forwarded["TopicPartitions"][0]["Topic"] == "t.a"
    results = [{"Topic": name, "PartitionResult": []} for name in ("t.a", "u.b")]
    told = sent.respond({"ReplicaElectionResults": results})
    assert [one["Topic"] for one in told["ReplicaElectionResults"]] == ["a"]


def test_topics_of_others_are_left_out_where_the_cluster_lists_all() -> None:
    topics = [{"Name": name} for name in ("t.a", "u.b")]
    told = (
        Session(MAPPED)
        .send("DescribeLogDirs", 5, {"Topics": None})
        .respond({"Results": [{"Topics": topics}]})
    )
    assert [topic["Name"] for topic in told["Results"][0]["Topics"]] == ["a"]
    told = Session(MAPPED).send("ListPartitionReassignments", 0, {"Topics": None}).respond({"Topics": topics})
    assert [topic["Name"] for topic in told["Topics"]] == ["a"]


def test_a_name_that_cannot_be_refuses_a_request_for_the_cluster() -> None:
    request = {"Topics": [{"Name": "a" * 249, "Partitions": []}]}
    assert Session(MAPPED).send("AlterPartitionReassignments", 1, request).answered["ErrorCode"] == 17


def test_operations_on_the_cluster_are_those_of_the_rules() -> None:
    session = Session(rules(allow(CLUSTER, "", DESCRIBE)))
    sent = session.send("DescribeCluster", 2, {"IncludeClusterAuthorizedOperations": True})
    assert (
        sent.respond({"ClusterAuthorizedOperations": 0xFF8})["ClusterAuthorizedOperations"] == 1 << DESCRIBE
    )


@pytest.mark.parametrize("name", ["GetTelemetrySubscriptions", "PushTelemetry"])
def test_telemetry_needs_nothing(name: str) -> None:
    assert Session(rules(allow(TOPIC, "a"), topics="t.")).send(name, 0, {}).forwarded is not None
