"""The same requests to a broker and through the interposer: the answers are the same.

Every API key at every version that both know. Once by Kafka's own authorizer and by kafkaAcl with the same
rules, for clients with different rights; once for one that has the cluster to itself and one behind prefixes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from access_requests import GROUPS, TOPICS, TRANSACTIONS, Asked, requests
from kafka_wire import KEY, Connection, Interposed

from e2e.components.kafka import Kafka
from e2e.components.kafka_configuration import USERS, Options
from gateway_runtime.kafka.access import AccessRule, Authorizer, Operation, PatternType, Resource
from gateway_runtime.kafka.names import Mapping, NameMap
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.protocols.kafka.messages import KEYS

O, R = Operation, Resource  # noqa: E741
Message = dict[str, Any]


def rule(resource: Resource, name: str, *operations: Operation) -> AccessRule:
    """A rule for a name; `new-*` is a prefix, `*` every name."""
    if len(name) > 1 and name.endswith("*"):
        return AccessRule(resource, PatternType.PREFIX, name[:-1], frozenset(operations))
    return AccessRule(resource, PatternType.LITERAL, name, frozenset(operations))


CLIENTS = {
    "none": [],
    "user": [
        rule(R.TOPIC, "orders", O.READ, O.WRITE),
        rule(R.TOPIC, "wonly", O.WRITE),
        rule(R.TOPIC, "desc", O.DESCRIBE),
        rule(R.TOPIC, "admin", O.ALTER, O.DELETE, O.DESCRIBE_CONFIGS, O.ALTER_CONFIGS, O.CREATE),
        rule(R.TOPIC, "new-*", O.CREATE),
        rule(R.GROUP, "mine", O.READ),
        rule(R.GROUP, "gdesc", O.DESCRIBE),
        rule(R.GROUP, "gdel", O.DELETE),
        rule(R.GROUP, "gcfg", O.ALTER_CONFIGS),
        rule(R.TRANSACTIONAL_ID, "tx", O.WRITE),
        rule(R.TRANSACTIONAL_ID, "txd", O.DESCRIBE),
    ],
    "groups": [
        rule(R.GROUP, "*", O.ALL),
        rule(R.TRANSACTIONAL_ID, "*", O.ALL),
        rule(R.TOPIC, "desc", O.DESCRIBE),
    ],
    "viewer": [
        rule(R.CLUSTER, "kafka-cluster", O.DESCRIBE, O.CREATE, O.DESCRIBE_CONFIGS, O.IDEMPOTENT_WRITE),
        rule(R.TOPIC, "orders", O.DESCRIBE),
        rule(R.GROUP, "mine", O.READ),
    ],
    "operator": [
        rule(R.CLUSTER, "kafka-cluster", O.ALTER, O.ALTER_CONFIGS, O.CLUSTER_ACTION),
        rule(R.TOPIC, "*", O.READ),
        rule(R.GROUP, "*", O.READ),
    ],
}
_PATIENCE = 60.0
_TOLD = {
    "Name", "Topic", "TopicName", "GroupId", "TransactionalId", "Key", "ResourceName", "ResourceType",
    "PartitionIndex", "Index", "Partition", "PartitionId", "TopicId", "IsInternal", "NumPartitions",
    "ReplicationFactor", "TopicAuthorizedOperations", "AuthorizedOperations", "ClusterAuthorizedOperations",
    "CommittedOffset", "LowWatermark", "LeaderEpoch", "StartOffset", "Lag",
}  # fmt: skip
"""What is compared besides error codes: the rest depends on the moment."""
_OF_THE_MOMENT = {"Brokers", "NodeEndpoints", "Configs", "Nodes", "CurrentVoters", "Observers"}


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker where nothing is allowed without a rule."""
    USERS.update({name: f"{name}-secret" for name in CLIENTS})
    with Kafka(Options(brokers=1, open=False)) as made:
        yield made
    for name in CLIENTS:
        del USERS[name]


@pytest.fixture(scope="module")
def connect(broker: Kafka) -> Callable[[str], Connection]:
    return lambda user: Connection(broker.bootstrap("SASL_PLAINTEXT"), user, USERS[user])


@pytest.fixture(scope="module")
def ids(connect: Callable[[str], Connection]) -> dict[str, bytes]:
    """The ids of topics, once all that is asked for is there, with the rules of all clients."""
    with connect("admin") as admin:
        both = [prefix + name for prefix in ("", "t.") for name in TOPICS]
        created = [{"Name": name, "NumPartitions": 1, "ReplicationFactor": 1} for name in both]
        admin.ask("CreateTopics", 7, {"Topics": created, "timeoutMs": 30000})
        for name, found in CLIENTS.items():
            bindings = [one for each in found for one in _bindings(name, each)]
            told = admin.ask("CreateAcls", 3, {"Creations": bindings})
            assert {one["ErrorCode"] for one in told["Results"]} <= {0}
        for group in GROUPS:
            _until(lambda group=group: _commit(admin, group, ""))
            _until(lambda group=group: _commit(admin, f"g.{group}", "t."))
        for id_ in TRANSACTIONS:
            _until(lambda id_=id_: _begin(admin, id_))
            _until(lambda id_=id_: _begin(admin, f"x.{id_}"))
        topics = admin.ask("Metadata", 12, {"Topics": None})["Topics"]
    return {topic["Name"]: topic["TopicId"] for topic in topics}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_answered_as_kafka_s_own_authorizer_does(
    connect: Callable[[str], Connection], ids: dict[str, bytes], client: str
) -> None:
    rules = Rules()
    rules.authorizers.append(Authorizer(CLIENTS[client]))
    told = {topic_id: name for name, topic_id in ids.items()}
    with connect("admin") as admin, connect(client) as direct:
        interposed, ranges = Interposed(admin, rules), _ranges(admin)
        for asked in requests(ids):
            for version in _versions(asked, ranges):
                expected = _compared(direct.ask(asked.name, version, asked.message), told)
                found = _compared(interposed.ask(asked.name, version, asked.message), told)
                assert found == expected, f"{asked.name} {version}: {asked.message}"


def _prefixes(*access: AccessRule) -> Rules:
    rules = Rules()
    for resource, prefix in ((R.TOPIC, "t."), (R.GROUP, "g."), (R.TRANSACTIONAL_ID, "x.")):
        rules.maps[resource] = NameMap([Mapping("", prefix, prefix=True)], topics=resource is R.TOPIC)
    if access:
        rules.authorizers.append(Authorizer(access))
    return rules


def _reaches_others(asked: Asked) -> bool:
    """Whether a request shows or touches more where a client has the cluster to itself."""
    lists = asked.name.startswith("List") and asked.name != "ListOffsets"
    is_all = asked.name in ("Metadata", "DescribeTopicPartitions") and not asked.message["Topics"]
    return lists or is_all or asked.name in ("DeleteTopics", "DescribeQuorum")


def test_a_client_behind_prefixes_is_answered_as_one_that_has_the_cluster_to_itself(
    connect: Callable[[str], Connection], ids: dict[str, bytes]
) -> None:
    own = {name: ids[name] for name in TOPICS}
    prefixed = {name: ids[f"t.{name}"] for name in TOPICS}
    told = {topic_id: name for known in (own, prefixed) for name, topic_id in known.items()}
    with connect("admin") as admin, connect("admin") as direct:
        interposed, ranges = Interposed(admin, _prefixes()), _ranges(admin)
        for plain, mapped in zip(requests(own), requests(prefixed), strict=True):
            for version in [] if _reaches_others(plain) else _versions(plain, ranges):
                expected = _compared(direct.ask(plain.name, version, plain.message), told)
                found = _compared(interposed.ask(mapped.name, version, mapped.message), told)
                assert found == expected, f"{plain.name} {version}: {plain.message}"


PATTERNS = [
    ([], "ord.*|desc", {"orders", "desc"}),
    ([rule(R.TOPIC, "orders", O.READ), rule(R.GROUP, "*", O.READ)], ".*", {"orders"}),
]


@pytest.mark.parametrize(("access", "pattern", "topics"), PATTERNS)
def test_a_pattern_subscribes_a_member_behind_prefixes_to_its_own_topics(
    connect: Callable[[str], Connection],
    ids: dict[str, bytes],
    access: list[AccessRule],
    pattern: str,
    topics: set[str],
) -> None:
    group, member = f"patterns-{len(access)}", "BBBBBBBBBBBBBBBBBBBBBB"
    beat = {"GroupId": group, "MemberId": member, "MemberEpoch": 0, "RebalanceTimeoutMs": 30000}
    beat |= {"SubscribedTopicRegex": pattern, "TopicPartitions": []}
    expected = {ids[f"t.{name}"] for name in topics}
    with connect("admin") as admin:
        client = Interposed(admin, _prefixes(*access))

        def is_assigned() -> bool:
            found = client.ask("ConsumerGroupHeartbeat", 1, beat)
            assert found["ErrorCode"] == 0, found
            beat.update(MemberEpoch=found["MemberEpoch"], SubscribedTopicRegex=None, TopicPartitions=None)
            assigned = found["Assignment"] or {"TopicPartitions": []}
            return {one["TopicId"] for one in assigned["TopicPartitions"]} == expected

        _until(is_assigned)
        (described,) = client.ask("ConsumerGroupDescribe", 1, {"GroupIds": [group]})["Groups"]
    assert described["ErrorCode"] == 0
    assert described["Members"][0]["SubscribedTopicRegex"] == pattern


def _bindings(user: str, found: AccessRule) -> Iterator[Message]:
    pattern = 4 if found.pattern is PatternType.PREFIX else 3
    for operation in found.operations:
        yield {
            "ResourceType": found.resource,
            "ResourceName": found.name,
            "ResourcePatternType": pattern,
            "Principal": f"User:{user}",
            "Host": "*",
            "Operation": operation,
            "PermissionType": 3,
        }


def _commit(admin: Connection, group: str, prefix: str) -> bool:
    committed = [{"PartitionIndex": 0, "CommittedOffset": 1}]
    topics = [{"Name": prefix + name, "Partitions": committed} for name in TOPICS]
    admin.ask("FindCoordinator", 4, {"KeyType": 0, "CoordinatorKeys": [group]})
    told = admin.ask("OffsetCommit", 8, {"GroupId": group, "GenerationIdOrMemberEpoch": -1, "Topics": topics})
    return {one["ErrorCode"] for topic in told["Topics"] for one in topic["Partitions"]} == {0}


def _begin(admin: Connection, id_: str) -> bool:
    admin.ask("FindCoordinator", 4, {"KeyType": 1, "CoordinatorKeys": [id_]})
    producer = {"TransactionalId": id_, "TransactionTimeoutMs": 1000, "ProducerId": -1, "ProducerEpoch": -1}
    return admin.ask("InitProducerId", 5, producer)["ErrorCode"] == 0


def _until(holds: Callable[[], bool]) -> None:
    """Coordinators come to be with the first who asks for one."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def _ranges(admin: Connection) -> dict[int, tuple[int, int]]:
    told = admin.ask("ApiVersions", 3, {"ClientSoftwareName": "test", "ClientSoftwareVersion": "1"})
    return {one["ApiKey"]: (one["MinVersion"], one["MaxVersion"]) for one in told["ApiKeys"]}


def _versions(asked: Asked, ranges: dict[int, tuple[int, int]]) -> list[int]:
    known = KEYS[KEY[asked.name]]
    lowest, highest = ranges[known.key]
    both = range(max(lowest, known.lowest), min(highest, known.highest) + 1)
    return [version for version in both if asked.versions is None or version in asked.versions]


def _compared(value: Any, names: dict[bytes, str]) -> Any:
    """What must be the same of a response: lists in any order, ids by their topics."""
    if isinstance(value, list):
        return sorted(
            (_compared(one, names) for one in value), key=lambda one: json.dumps(one, sort_keys=True)
        )
    if not isinstance(value, dict):
        return value
    found = {}
    for field, one in value.items():
        if isinstance(one, dict | list):
            if field not in _OF_THE_MOMENT:
                found[field] = _compared(one, names)
        elif isinstance(one, bytes):
            found[field] = names.get(one, "unknown" if any(one) else "none")
        elif field.endswith("ErrorCode") or field in _TOLD:
            found[field] = one
    return found
