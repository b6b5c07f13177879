"""What is done with each API key; a key without an entry is not offered to clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.acls import CreateAcls, DeleteAcls, DescribeAcls
from gateway_runtime.kafka.cluster_calls import (
    ALTER_CLIENT_QUOTAS,
    ALTER_PARTITION_REASSIGNMENTS,
    ALTER_REPLICA_LOG_DIRS,
    ELECT_LEADERS,
    DescribeCluster,
)
from gateway_runtime.kafka.configs import LIST_CONFIG_RESOURCES, Configs
from gateway_runtime.kafka.coordinators import FindCoordinator
from gateway_runtime.kafka.fetch import Fetch, ShareFetch
from gateway_runtime.kafka.groups import (
    READ_GROUP,
    DescribeGroups,
    DescribeNewGroups,
    JoinGroup,
    ListGroups,
    SyncGroup,
    groups_to_describe,
)
from gateway_runtime.kafka.handler import Handler, Need, Row
from gateway_runtime.kafka.heartbeats import ConsumerHeartbeat, Heartbeat, StreamsHeartbeat
from gateway_runtime.kafka.metadata import DescribeTopicPartitions, Metadata
from gateway_runtime.kafka.offsets import OFFSETS, SHARE_OFFSETS, GroupOffsets, OffsetFetch
from gateway_runtime.kafka.parts import Parts
from gateway_runtime.kafka.produce import Produce
from gateway_runtime.kafka.topics import CreatePartitions, CreateTopics, DeleteTopics
from gateway_runtime.kafka.transactions import (
    WRITE_TRANSACTION,
    AddPartitionsToTxn,
    DescribeTransactions,
    InitProducerId,
    ListTransactions,
)
from gateway_runtime.protocols.kafka.messages import KEYS


def _cluster(operation: Operation) -> Row:
    return Row(needs=(Need(Resource.CLUSTER, operation),))


def _topics(operation: Operation, at: str, to: str, name: str = "Name", **more: Any) -> Parts:
    return Parts(Resource.TOPIC, operation, at, name, to, name, **more)


_WRITE_GROUP_TRANSACTION: Final = (WRITE_TRANSACTION, READ_GROUP)
_DELETE_GROUP: Final = Need(Resource.GROUP, Operation.DELETE, "GroupId")

HIDDEN: Final[Mapping[int, str]] = {
    38: "delegation tokens are the cluster's, and clients authenticate with the gateway",
    39: "as CreateDelegationToken",
    40: "as CreateDelegationToken",
    41: "as CreateDelegationToken",
    50: "credentials are the cluster's, and clients authenticate with the gateway",
    51: "as DescribeUserScramCredentials",
    80: "voters are the concern of controllers, whose addresses clients do not see",
    81: "as AddRaftVoter",
}
"""API keys that are never offered, and why."""

BY_SESSION: Final[Mapping[int, str]] = {
    17: "the gateway authenticates its clients",
    18: "the gateway offers what it and the broker both know",
    36: "the gateway authenticates its clients",
}
"""API keys that the gateway answers itself, and why."""

HANDLERS: Final[Mapping[int, Handler]] = {
    0: Produce(),
    1: Fetch(),
    2: Row(
        parts=_topics(
            Operation.DESCRIBE,
            "Topics",
            "Topics",
            inner="Partitions",
            defaults={"Timestamp": -1, "Offset": -1, "LeaderEpoch": -1},
        )
    ),
    3: Metadata(),
    8: Row(
        needs=(READ_GROUP,),
        parts=_topics(Operation.READ, "Topics", "Topics", inner="Partitions"),
        refuses_parts=True,
    ),
    9: OffsetFetch(OFFSETS),
    10: FindCoordinator(),
    11: JoinGroup(needs=(READ_GROUP,), defaults={"GenerationId": -1}),
    12: Row(needs=(READ_GROUP,)),
    13: Row(needs=(READ_GROUP,)),
    14: SyncGroup(needs=(READ_GROUP,)),
    15: DescribeGroups(parts=groups_to_describe("Groups")),
    16: ListGroups(),
    19: CreateTopics(),
    20: DeleteTopics(),
    21: Row(
        parts=_topics(Operation.DELETE, "Topics", "Topics", inner="Partitions", defaults={"LowWatermark": -1})
    ),
    22: InitProducerId(),
    23: Row(
        parts=_topics(
            Operation.DESCRIBE,
            "Topics",
            "Topics",
            "Topic",
            inner="Partitions",
            index="Partition",
            to_index="Partition",
            defaults={"LeaderEpoch": -1, "EndOffset": -1},
        )
    ),
    24: AddPartitionsToTxn(),
    25: Row(needs=_WRITE_GROUP_TRANSACTION),
    26: Row(needs=(WRITE_TRANSACTION,)),
    28: Row(
        needs=_WRITE_GROUP_TRANSACTION,
        parts=_topics(Operation.READ, "Topics", "Topics", inner="Partitions"),
        refuses_parts=True,
    ),
    29: DescribeAcls(),
    30: CreateAcls(),
    31: DeleteAcls(),
    32: Configs(Operation.DESCRIBE_CONFIGS, "Results"),
    33: Configs(Operation.ALTER_CONFIGS, "Responses"),
    34: ALTER_REPLICA_LOG_DIRS,
    35: _cluster(Operation.DESCRIBE),
    37: CreatePartitions(),
    42: Row(parts=Parts(Resource.GROUP, Operation.DELETE, "GroupsNames", None, "Results", "GroupId")),
    43: ELECT_LEADERS,
    44: Configs(Operation.ALTER_CONFIGS, "Responses"),
    45: ALTER_PARTITION_REASSIGNMENTS,
    46: _cluster(Operation.DESCRIBE),
    47: Row(needs=(_DELETE_GROUP,), parts=_topics(Operation.READ, "Topics", "Topics", inner="Partitions")),
    48: Row(needs=(Need(Resource.CLUSTER, Operation.DESCRIBE_CONFIGS),), defaults={"Entries": None}),
    49: ALTER_CLIENT_QUOTAS,
    55: _cluster(Operation.DESCRIBE),
    57: _cluster(Operation.ALTER),
    60: DescribeCluster(),
    61: Row(parts=_topics(Operation.READ, "Topics", "Topics", inner="PartitionIndexes", index=None)),
    64: _cluster(Operation.ALTER),
    65: DescribeTransactions(
        parts=Parts(
            Resource.TRANSACTIONAL_ID,
            Operation.DESCRIBE,
            "TransactionalIds",
            None,
            "TransactionStates",
            "TransactionalId",
        )
    ),
    66: ListTransactions(),
    68: ConsumerHeartbeat(),
    69: DescribeNewGroups(parts=groups_to_describe("GroupIds")),
    71: Handler(),
    72: Handler(),
    74: LIST_CONFIG_RESOURCES,
    75: DescribeTopicPartitions(),
    76: Heartbeat(),
    77: DescribeNewGroups(parts=groups_to_describe("GroupIds")),
    78: ShareFetch(),
    79: Row(
        needs=(READ_GROUP,),
        parts=Parts(
            Resource.TOPIC, Operation.READ, "Topics", "Name", "Responses", "Name", inner="Partitions"
        ),
        goes_empty=True,
    ),
    88: StreamsHeartbeat(),
    89: DescribeNewGroups(parts=groups_to_describe("GroupIds")),
    90: GroupOffsets(SHARE_OFFSETS),
    91: Row(
        needs=(READ_GROUP,),
        parts=_topics(Operation.READ, "Topics", "Responses", "TopicName", inner="Partitions"),
        goes_empty=True,
    ),
    92: Row(
        needs=(_DELETE_GROUP,),
        parts=_topics(Operation.READ, "Topics", "Responses", "TopicName"),
        goes_empty=True,
    ),
}


def offered(key: int, version: int) -> bool:
    """Whether clients may send an API key at a version: it has a handler, or the gateway answers it."""
    known = KEYS.get(key)
    if known is None or not known.lowest <= version <= known.highest:
        return False
    return key in HANDLERS or key in BY_SESSION
