"""Requests of every API key that access matters to, to be asked of Kafka's own authorizer and of another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

Message = dict[str, Any]

TOPICS = ("orders", "wonly", "desc", "admin", "secret")
NAMES = (*TOPICS, "missing")
GROUPS = ("mine", "gdesc", "gdel", "other")
TRANSACTIONS = ("tx", "txd", "txo")
UNKNOWN = b"\7" * 16
NOBODY = "AAAAAAAAAAAAAAAAAAAAAA"
"""A member's id."""


class Asked(NamedTuple):
    """A message and the versions at which it is sent; None: all that both sides know."""

    name: str
    message: Message
    versions: range | None = None


def requests(ids: dict[str, bytes]) -> Iterator[Asked]:
    """All requests; `ids` are those of the topics."""
    by_id = [*((name, ids[name]) for name in TOPICS), ("missing", UNKNOWN)]
    for part in (_records, _metadata, _offsets, _membership, _groups, _topics, _transactions, _share):
        yield from part(by_id)
    yield from _cluster()


Ids = list[tuple[str, bytes]]


def _each(field: str, inner: str, *partitions: Any) -> list[Message]:
    return [{field: name, inner: list(partitions)} for name in NAMES]


def _each_id(ids: Ids, inner: str, *partitions: Any) -> list[Message]:
    return [{"TopicId": one, inner: list(partitions)} for _, one in ids]


def _batch(transactional: bool = False) -> bytes:
    producer = (5, 0, 0) if transactional else (-1, -1, -1)
    made = DefaultRecordBatchBuilder(2, 0, int(transactional), *producer, 16000)
    made.append(0, timestamp=int(time.time() * 1000), key=None, value=b"x", headers=[])
    return bytes(made.build())


def _records(ids: Ids) -> Iterator[Asked]:
    produce = {"TransactionalId": None, "Acks": -1, "TimeoutMs": 3000}
    data = {"Index": 0, "Records": _batch()}
    yield Asked("Produce", {**produce, "TopicData": _each("Name", "PartitionData", data)}, range(3, 13))
    yield Asked("Produce", {**produce, "TopicData": _each_id(ids, "PartitionData", data)}, range(13, 14))
    data = {"Index": 0, "Records": _batch(transactional=True)}
    yield Asked(
        "Produce",
        {**produce, "TransactionalId": "nope", "TopicData": _each("Name", "PartitionData", data)},
        range(9, 13),
    )
    fetch = {"ReplicaId": -1, "MaxWaitMs": 10, "MaxBytes": 1000, "SessionEpoch": -1}
    partition = {"Partition": 0, "CurrentLeaderEpoch": -1, "PartitionMaxBytes": 100}
    yield Asked("Fetch", {**fetch, "Topics": _each("Topic", "Partitions", partition)}, range(4, 13))
    yield Asked("Fetch", {**fetch, "Topics": _each_id(ids, "Partitions", partition)}, range(13, 19))
    follower = {**fetch, "ReplicaId": 1, "Topics": _each("Topic", "Partitions", partition)}
    yield Asked("Fetch", follower, range(12, 13))
    partition = {"PartitionIndex": 0, "CurrentLeaderEpoch": -1, "Timestamp": -2}
    yield Asked("ListOffsets", {"ReplicaId": -1, "Topics": _each("Name", "Partitions", partition)})
    partition = {"Partition": 0, "CurrentLeaderEpoch": -1, "LeaderEpoch": 0}
    yield Asked("OffsetForLeaderEpoch", {"ReplicaId": -2, "Topics": _each("Topic", "Partitions", partition)})
    yield Asked("DescribeProducers", {"Topics": _each("Name", "PartitionIndexes", 0)})


def _metadata(ids: Ids) -> Iterator[Asked]:
    quiet = {"AllowAutoTopicCreation": False}
    tells = {"IncludeTopicAuthorizedOperations": True, "IncludeClusterAuthorizedOperations": True}
    named = [{"Name": name} for name in NAMES]
    yield Asked("Metadata", {"Topics": []}, range(1))
    yield Asked("Metadata", {"Topics": None, **quiet, **tells}, range(1, 14))
    yield Asked("Metadata", {"Topics": named, **quiet, **tells}, range(4, 14))
    some = [{"Name": name} for name in ("orders", "secret", "none")]
    yield Asked("Metadata", {"Topics": some, "AllowAutoTopicCreation": True}, range(4, 14))
    yield Asked("Metadata", {"Topics": some[:2]}, range(4))
    yield Asked(
        "Metadata", {"Topics": [{"Name": None, "TopicId": one} for _, one in ids], **quiet}, range(12, 14)
    )
    page = {"ResponsePartitionLimit": 2000, "Cursor": None}
    yield Asked("DescribeTopicPartitions", {"Topics": [], **page})
    yield Asked("DescribeTopicPartitions", {"Topics": named, **page})


def _offsets(ids: Ids) -> Iterator[Asked]:
    committed = {"PartitionIndex": 0, "CommittedOffset": 1}
    for group in GROUPS:
        commit = {"GroupId": group, "GenerationIdOrMemberEpoch": -1, "RetentionTimeMs": -1}
        yield Asked(
            "OffsetCommit", {**commit, "Topics": _each("Name", "Partitions", committed)}, range(2, 10)
        )
        yield Asked(
            "OffsetCommit", {**commit, "Topics": _each_id(ids, "Partitions", committed)}, range(10, 11)
        )
        fetch = {"GroupId": group, "Topics": _each("Name", "PartitionIndexes", 0)}
        yield Asked("OffsetFetch", fetch, range(1, 8))
        yield Asked("OffsetFetch", {"GroupId": group, "Topics": None}, range(2, 8))
        delete = {"GroupId": group, "Topics": _each("Name", "Partitions", {"PartitionIndex": 0})}
        yield Asked("OffsetDelete", delete)
    for topics, versions in (
        (_each("Name", "PartitionIndexes", 0), range(8, 10)),
        (_each_id(ids, "PartitionIndexes", 0), range(10, 11)),
        (None, range(8, 11)),
    ):
        groups = [{"GroupId": group, "MemberEpoch": -1, "Topics": topics} for group in GROUPS]
        yield Asked("OffsetFetch", {"Groups": groups}, versions)


def _membership(_ids: Ids) -> Iterator[Asked]:
    for group in GROUPS:
        member = {"GroupId": group, "MemberId": "x", "GenerationId": 1, "ProtocolType": "consumer"}
        yield Asked("Heartbeat", member)
        yield Asked("LeaveGroup", {**member, "Members": [{"MemberId": "x"}]})
        yield Asked("SyncGroup", {**member, "ProtocolName": "range"})
        times = {"SessionTimeoutMs": 10000, "RebalanceTimeoutMs": 10000}
        yield Asked("JoinGroup", {**member, **times, "Protocols": [{"Name": "range", "Metadata": b""}]})
        for topics in (["orders"], ["orders", "secret"], ["missing"]):
            beat = {"GroupId": group, "MemberId": NOBODY, "MemberEpoch": 5, "RebalanceTimeoutMs": -1}
            yield Asked("ConsumerGroupHeartbeat", {**beat, "SubscribedTopicNames": topics})
            yield Asked("ShareGroupHeartbeat", {**beat, "SubscribedTopicNames": topics})
        yield Asked("StreamsGroupHeartbeat", beat)


def _groups(_ids: Ids) -> Iterator[Asked]:
    for type_, keys in ((0, GROUPS), (1, TRANSACTIONS)):
        for key in keys:
            yield Asked("FindCoordinator", {"Key": key, "KeyType": type_}, range(type_, 4))
        yield Asked("FindCoordinator", {"KeyType": type_, "CoordinatorKeys": list(keys)}, range(4, 7))
    tells = {"IncludeAuthorizedOperations": True}
    yield Asked("DescribeGroups", {"Groups": list(GROUPS), **tells})
    for kind in ("Consumer", "Share", "Streams"):
        yield Asked(f"{kind}GroupDescribe", {"GroupIds": list(GROUPS), **tells})
    yield Asked("ListGroups", {})
    yield Asked("DeleteGroups", {"GroupsNames": ["not-there", "neither"]})


def _topics(ids: Ids) -> Iterator[Asked]:
    created = ("new-a", "other-b", *NAMES[:5])
    topics = [{"Name": name, "NumPartitions": 1, "ReplicationFactor": 1} for name in created]
    yield Asked("CreateTopics", {"Topics": topics, "timeoutMs": 5000, "validateOnly": True})
    more = [{"Name": name, "Count": 50, "Assignments": None} for name in NAMES]
    yield Asked("CreatePartitions", {"Topics": more, "TimeoutMs": 5000, "ValidateOnly": True})
    kept = ("orders", "secret", "missing")
    yield Asked("DeleteTopics", {"TopicNames": list(kept), "TimeoutMs": 3000}, range(1, 6))
    both = [{"Name": name} for name in kept]
    both += [{"Name": None, "TopicId": one} for name, one in ids if name in kept]
    yield Asked("DeleteTopics", {"Topics": both, "TimeoutMs": 3000}, range(6, 7))
    partition = {"PartitionIndex": 0, "Offset": 0}
    yield Asked("DeleteRecords", {"Topics": _each("Name", "Partitions", partition), "TimeoutMs": 3000})


def _transactions(_ids: Ids) -> Iterator[Asked]:
    for id_ in (None, *TRANSACTIONS):
        new = {"TransactionalId": id_, "TransactionTimeoutMs": 1000, "ProducerId": -1, "ProducerEpoch": -1}
        yield Asked("InitProducerId", new)
    for id_ in ("tx", "txo"):
        producer = {"TransactionalId": id_, "ProducerId": 999, "ProducerEpoch": 1}
        old = {f"V3AndBelow{field}": value for field, value in producer.items()}
        for names in (NAMES, ("orders", "wonly")):
            topics = [{"Name": name, "Partitions": [0]} for name in names]
            yield Asked("AddPartitionsToTxn", {**old, "V3AndBelowTopics": topics}, range(4))
        yield Asked("EndTxn", producer)
        for group in ("mine", "other"):
            yield Asked("AddOffsetsToTxn", {**producer, "GroupId": group})
            committed = _each("Name", "Partitions", {"PartitionIndex": 0, "CommittedOffset": 1})
            commit = {**producer, "GroupId": group, "GenerationId": -1, "Topics": committed}
            yield Asked("TxnOffsetCommit", commit)
    verify = {
        "TransactionalId": "tx",
        "ProducerId": 999,
        "VerifyOnly": True,
        "Topics": _each("Name", "Partitions", 0),
    }
    yield Asked("AddPartitionsToTxn", {"Transactions": [verify]}, range(4, 6))
    yield Asked("DescribeTransactions", {"TransactionalIds": list(TRANSACTIONS)})
    yield Asked("ListTransactions", {"DurationFilter": -1})


def _share(ids: Ids) -> Iterator[Asked]:
    for group in ("mine", "other"):
        share = {"GroupId": group, "MemberId": NOBODY, "MaxWaitMs": 10, "MaxBytes": 1000, "MaxRecords": 10}
        # A session that is not there: what one that is there gives depends on the moment.
        topics = _each_id(ids[:-1], "Partitions", {"PartitionIndex": 0})
        yield Asked("ShareFetch", {**share, "BatchSize": 10, "ShareSessionEpoch": 5, "Topics": topics})
        yield Asked("ShareAcknowledge", {**share, "ShareSessionEpoch": 5, "Topics": topics})
    groups = [{"GroupId": group, "Topics": _each("TopicName", "Partitions", 0)} for group in GROUPS]
    yield Asked("DescribeShareGroupOffsets", {"Groups": groups})
    for group in GROUPS:
        partition = {"PartitionIndex": 0, "StartOffset": 0}
        topics = _each("TopicName", "Partitions", partition)
        yield Asked("AlterShareGroupOffsets", {"GroupId": group, "Topics": topics})
        yield Asked("DeleteShareGroupOffsets", {"GroupId": group, "Topics": topics})


RESOURCES = (
    *((2, name) for name in NAMES),
    (4, "1"),
    (8, "1"),
    (16, "metrics"),
    (32, "mine"),
    (32, "gcfg"),
    (32, "other"),
)


def _resources(types: tuple[int, ...], **more: Any) -> list[Message]:
    return [
        {"ResourceType": type_, "ResourceName": name, **more} for type_, name in RESOURCES if type_ in types
    ]


def _cluster() -> Iterator[Asked]:
    yield Asked("DescribeConfigs", {"Resources": _resources((2, 4, 8), ConfigurationKeys=["retention.ms"])})
    everything = _resources((2, 4, 8, 16, 32), ConfigurationKeys=["retention.ms"])
    yield Asked("DescribeConfigs", {"Resources": everything}, range(4, 5))
    yield Asked("AlterConfigs", {"Resources": _resources((2, 4)), "ValidateOnly": True})
    yield Asked("IncrementalAlterConfigs", {"Resources": _resources((2, 4, 16, 32)), "ValidateOnly": True})
    yield Asked("ListConfigResources", {"ResourceTypes": [2]})
    nobody = {"Operation": 3, "PermissionType": 3}
    rule = {
        "ResourceType": 2,
        "ResourceName": "x",
        "ResourcePatternType": 3,
        "Principal": "User:x",
        "Host": "*",
    }
    yield Asked("CreateAcls", {"Creations": [{**rule, **nobody}]})
    wanted = {
        "ResourceTypeFilter": 2,
        "ResourceNameFilter": "x",
        "PatternTypeFilter": 3,
        "PrincipalFilter": "User:y",
    }
    yield Asked("DescribeAcls", {**wanted, **nobody})
    yield Asked("DeleteAcls", {"Filters": [{**wanted, **nobody}]})
    dirs = [{"Path": "/not-there", "Topics": _each("Name", "Partitions", 0)}]
    yield Asked("AlterReplicaLogDirs", {"Dirs": dirs})
    yield Asked("DescribeLogDirs", {"Topics": [{"Topic": "orders", "Partitions": [0]}]})
    elected = {"ElectionType": 0, "TimeoutMs": 3000, "TopicPartitions": _each("Topic", "Partitions", 0)}
    yield Asked("ElectLeaders", elected)
    cancelled = [{"Name": "orders", "Partitions": [{"PartitionIndex": 0, "Replicas": None}]}]
    yield Asked("AlterPartitionReassignments", {"TimeoutMs": 3000, "Topics": cancelled})
    yield Asked("ListPartitionReassignments", {"TimeoutMs": 3000, "Topics": None})
    yield Asked("DescribeClientQuotas", {"Components": [], "Strict": False})
    entity = [{"EntityType": "user", "EntityName": "q"}]
    change = [{"Key": "producer_byte_rate", "Value": 1.0, "Remove": True}]
    yield Asked("AlterClientQuotas", {"Entries": [{"Entity": entity, "Ops": change}], "ValidateOnly": True})
    quorum = [{"TopicName": "__cluster_metadata", "Partitions": [{"PartitionIndex": 0}]}]
    yield Asked("DescribeQuorum", {"Topics": quorum})
    feature = [{"Feature": "none", "MaxVersionLevel": 1, "UpgradeType": 1}]
    yield Asked("UpdateFeatures", {"timeoutMs": 3000, "FeatureUpdates": feature, "ValidateOnly": True})
    yield Asked("DescribeCluster", {"IncludeClusterAuthorizedOperations": True, "EndpointType": 1})
    yield Asked("UnregisterBroker", {"BrokerId": 99})
