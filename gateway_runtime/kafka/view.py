"""What one client may see and do: its rules with the names of one session, decisions kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.error_codes import (
    CLUSTER_AUTHORIZATION_FAILED,
    GROUP_AUTHORIZATION_FAILED,
    INVALID_GROUP_ID,
    INVALID_TOPIC_EXCEPTION,
    NONE,
    TOPIC_AUTHORIZATION_FAILED,
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    UNKNOWN_TOPIC_ID,
)
from gateway_runtime.kafka.fetch_sessions import PartitionSessions
from gateway_runtime.kafka.names import IllegalName
from gateway_runtime.kafka.regexes import Regexes
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.kafka.topic_ids import TopicIds
from gateway_runtime.kafka.walk import Change
from gateway_runtime.protocols.kafka.messages import entities

Message = dict[str, Any]

DENIED: Final = {
    Resource.TOPIC: TOPIC_AUTHORIZATION_FAILED,
    Resource.GROUP: GROUP_AUTHORIZATION_FAILED,
    Resource.CLUSTER: CLUSTER_AUTHORIZATION_FAILED,
    Resource.TRANSACTIONAL_ID: TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
_ILLEGAL: Final = {
    Resource.TOPIC: INVALID_TOPIC_EXCEPTION,
    Resource.GROUP: INVALID_GROUP_ID,
    Resource.TRANSACTIONAL_ID: TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
KINDS: Final = {
    "topicName": Resource.TOPIC,
    "groupId": Resource.GROUP,
    "transactionalId": Resource.TRANSACTIONAL_ID,
}
"""What Kafka's annotations call the resources that have names."""
_NO_OPERATIONS: Final = -(2**31)
_REMEMBERED: Final = 10_000
_PROTOCOLS: Final = 1000


class View:
    """The rules and the state of one session."""

    __slots__ = (
        "_paths",
        "_protocol_types",
        "_verdicts",
        "authorizers",
        "fetches",
        "ids",
        "maps",
        "regexes",
        "rules",
        "shares",
        "watches_topics",
    )

    def __init__(self, rules: Rules, ids: TopicIds) -> None:
        self.rules = rules
        self.ids = ids
        self.authorizers = tuple(rules.authorizers)
        self.maps = rules.maps
        self.fetches = PartitionSessions()
        self.shares = PartitionSessions()
        self.regexes = Regexes()
        self.watches_topics = bool(self.authorizers or Resource.TOPIC in self.maps or rules.needs_topic_names)
        """Whether the name of a topic that is given by id matters."""
        self._verdicts: dict[tuple[int, int], dict[str, int]] = {}
        self._paths: dict[tuple[int, int, bool], list[tuple[tuple[str, ...], Change]]] = {}
        self._protocol_types: dict[str, str] = {}

    def allows(self, resource: Resource, name: str, operation: Operation) -> bool:
        """Whether all access rules allow an operation."""
        return all(one.allows(resource, name, operation) for one in self.authorizers)

    def allows_cluster(self, operation: Operation) -> bool:
        """Whether all access rules allow an operation on the cluster."""
        return self.allows(Resource.CLUSTER, "", operation)

    def verdicts(self, resource: Resource, operation: Operation) -> dict[str, int]:
        """Decisions that are known already, for `error`."""
        return self._verdicts.setdefault((resource, operation), {})

    def error(self, resource: Resource, name: str, operation: Operation) -> int:
        """The error code for an operation on a client's name; 0 where it may go on."""
        known = self.verdicts(resource, operation)
        code = known.get(name)
        if code is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            code = known[name] = self._decide(resource, name, operation)
        return code

    def name_error(self, resource: Resource, name: str) -> int:
        """The error code for a client's name that has none in the cluster; else 0."""
        names = self.maps.get(resource)
        if names is not None:
            try:
                names.to_cluster(name)
            except IllegalName:
                return _ILLEGAL[resource]
        return NONE

    def id_error(self, topic_id: bytes, operation: Operation) -> int:
        """As `error`, for a topic by its id."""
        if not self.watches_topics:
            return NONE
        name = self.name_of(topic_id)
        return UNKNOWN_TOPIC_ID if name is None else self.error(Resource.TOPIC, name, operation)

    def name_of(self, topic_id: bytes) -> str | None:
        """A client's name of a topic id; None where it is not known, or the client cannot see it."""
        name = self.ids.name(topic_id)
        return None if name is None else self.to_client(Resource.TOPIC, name)

    def to_cluster(self, resource: Resource, name: str) -> str:
        """The cluster's name of a client's; raises IllegalName where there is none."""
        names = self.maps.get(resource)
        return name if names is None else names.to_cluster(name)

    def to_client(self, resource: Resource, name: str) -> str | None:
        """The client's name of a cluster's; None where the client cannot see it."""
        names = self.maps.get(resource)
        return name if names is None else names.to_client(name)

    def operations(self, resource: Resource, name: str, given: int) -> int:
        """The operations that both the cluster (`given`) and the rules allow, as a bit field."""
        if given == _NO_OPERATIONS:
            return given
        for one in self.authorizers:
            given &= one.operations(resource, name)
        return given

    def visible_topics(self) -> list[str]:
        """The client's names of all topics that were listed last and that it may describe."""
        names = (self.to_client(Resource.TOPIC, name) for name in self.ids.listed)
        return [
            name
            for name in sorted(filter(None, names))
            if not self.error(Resource.TOPIC, name, Operation.DESCRIBE)
        ]

    def paths(self, key: int, version: int, is_request: bool) -> list[tuple[tuple[str, ...], Change]]:
        """Where a message has names that are mapped, and how."""
        found = self._paths.get((key, version, is_request))
        if found is None:
            found = self._paths[key, version, is_request] = [
                (entity.path, self._change(resource, is_request))
                for entity in entities(key, version, is_request)
                if (resource := KINDS.get(entity.kind)) is not None and resource in self.maps
            ]
        return found

    def named(self, key: int, version: int) -> list[tuple[Resource, tuple[str, ...]]]:
        """What of a request has names that are mapped, and where."""
        found = ((KINDS.get(entity.kind), entity.path) for entity in entities(key, version, True))
        return [(kind, path) for kind, path in found if kind is not None and kind in self.maps]

    def protocol_type(self, group: str) -> str | None:
        """What members of a group that joined on this connection are, such as `consumer`."""
        return self._protocol_types.get(group)

    def keep_protocol_type(self, group: str, protocol_type: str) -> None:
        """Remember what a member is, for requests that do not say it."""
        if len(self._protocol_types) >= _PROTOCOLS:
            self._protocol_types.clear()
        self._protocol_types[group] = protocol_type

    def _change(self, resource: Resource, is_request: bool) -> Change:
        names = self.maps[resource]
        forward: Callable[[str], str] = names.to_cluster
        return forward if is_request else names.to_client

    def _decide(self, resource: Resource, name: str, operation: Operation) -> int:
        if not self.allows(resource, name, operation):
            return DENIED[resource]
        return self.name_error(resource, name)
