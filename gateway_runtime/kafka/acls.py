"""A cluster's own access rules, seen and changed by a client with other names.

A prefix before all names turns `*` into that prefix and back. What other mappings cannot express is
refused; to describe, all rules are asked for and filtered here by the client's names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import CLUSTER_AUTHORIZATION_FAILED, INVALID_REQUEST, MESSAGES
from gateway_runtime.kafka.handler import Handler
from gateway_runtime.kafka.names import IllegalName, NameMap
from gateway_runtime.kafka.view import View

ANY: Final = 1
MATCH: Final = 2
LITERAL: Final = 3
PREFIXED: Final = 4
"""Pattern types as the protocol numbers them."""
_ANY_RESOURCE: Final = 1
_WILDCARD: Final = "*"
_TYPES: Final = {2: Resource.TOPIC, 3: Resource.GROUP, 5: Resource.TRANSACTIONAL_ID}
"""ACL resource types that have mapped names."""


class Pattern(NamedTuple):
    """What an access rule is for."""

    type: int
    name: str


def pattern_to_cluster(names: NameMap, pattern: Pattern) -> Pattern | None:
    """A client's pattern in the cluster's names; None where no pattern says the same there."""
    if pattern.type == LITERAL and pattern.name != _WILDCARD:
        try:
            return Pattern(LITERAL, names.to_cluster(pattern.name))
        except IllegalName:
            return None
    if pattern.type == LITERAL:
        return None if names.prefix is None else Pattern(PREFIXED, names.prefix)
    return _prefix_to_cluster(names, pattern.name) if pattern.type == PREFIXED else None


def pattern_to_client(names: NameMap, pattern: Pattern) -> Pattern | None:
    """A cluster's pattern in the client's names; None where the client has none that says the same."""
    if pattern.type == PREFIXED and names.prefix == pattern.name:
        return Pattern(LITERAL, _WILDCARD)
    if pattern.name == _WILDCARD:
        return None
    if pattern.type == LITERAL:
        name = names.to_client(pattern.name)
        return None if name is None else Pattern(LITERAL, name)
    mapping = names.of_cluster(pattern.name)
    name = pattern.name if mapping is None else mapping.backward(pattern.name)
    if name is None or pattern_to_cluster(names, Pattern(PREFIXED, name)) != pattern:
        return None
    return Pattern(PREFIXED, name)


def _prefix_to_cluster(names: NameMap, prefix: str) -> Pattern | None:
    """A prefix, where one mapping alone is for all names that begin so."""
    if any(one.client.startswith(prefix) and one.client != prefix for one in names.mappings):
        return None
    mapping = names.of_client(prefix)
    if mapping is None:
        reached = any(one.cluster.startswith(prefix) or one.covers(prefix) for one in names.mappings)
        return None if reached else Pattern(PREFIXED, prefix)
    mapped = mapping.forward(prefix) if mapping.prefix else None
    return None if not mapped else Pattern(PREFIXED, mapped)


@dataclass(frozen=True, slots=True)
class _Filter:
    """A client's filter over access rules, by its own names."""

    resource: int
    pattern: int
    name: str | None

    def takes(self, resource: int, pattern: Pattern) -> bool:
        """Whether a rule is among those that are asked for (KIP-290)."""
        if self.resource not in (_ANY_RESOURCE, resource):
            return False
        if self.pattern in (LITERAL, PREFIXED) and self.pattern != pattern.type:
            return False
        if self.name is None:
            return True
        return self._matches(pattern) if self.pattern == MATCH else self.name == pattern.name

    def _matches(self, pattern: Pattern) -> bool:
        assert self.name is not None
        if pattern.type == PREFIXED:
            return self.name.startswith(pattern.name)
        return pattern.name in (self.name, _WILDCARD)


class DescribeAcls(Handler):
    """Needs Describe on the cluster."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Ask for all rules where names are mapped."""
        if not view.allows_cluster(Operation.DESCRIBE):
            return self.refuse(call, CLUSTER_AUTHORIZATION_FAILED)
        message = call.message
        if view.maps:
            given = message["ResourceTypeFilter"], message["PatternTypeFilter"], message["ResourceNameFilter"]
            call.notes = _Filter(*given)
            message["PatternTypeFilter"], message["ResourceNameFilter"] = ANY, None
            call.edited = True
        return None

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the patterns back, and filter them."""
        if call.notes is not None:
            seen = (_seen(view, one) for one in response["Resources"])
            response["Resources"] = [one for one in seen if one is not None and _takes(call.notes, one)]
            call.response_edited = True


class CreateAcls(Handler):
    """Needs Alter on the cluster. Answers go by position."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Refuse all, or those that cannot be said in the cluster's names."""
        created = call.message["Creations"]
        if not view.allows_cluster(Operation.ALTER):
            return {"Results": [_refusal(CLUSTER_AUTHORIZATION_FAILED) for _ in created]}
        if not view.maps:
            return None
        mapped = [
            _mapped(view, one, "ResourceType", "ResourceName", "ResourcePatternType") for one in created
        ]
        return _keep_places(call, "Creations", "Results", mapped)

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Put refusals in their places."""
        _fill_places(call, response, "Results")


class DeleteAcls(Handler):
    """Needs Alter on the cluster. Where names are mapped, a filter must say one: else it would reach far."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Refuse all, or those that cannot be said in the cluster's names."""
        filters = call.message["Filters"]
        if not view.allows_cluster(Operation.ALTER):
            return {"FilterResults": [_refusal(CLUSTER_AUTHORIZATION_FAILED) for _ in filters]}
        if not view.maps:
            return None
        fields = "ResourceTypeFilter", "ResourceNameFilter", "PatternTypeFilter"
        return _keep_places(
            call, "Filters", "FilterResults", [_mapped(view, one, *fields) for one in filters]
        )

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the patterns back."""
        for result in response["FilterResults"] if view.maps else ():
            seen = (_seen(view, one) for one in result["MatchingAcls"])
            result["MatchingAcls"] = [one for one in seen if one is not None]
            call.response_edited = True

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Put refusals in their places."""
        _fill_places(call, response, "FilterResults")


def _mapped(view: View, one: Message, type_: str, name: str, pattern: str) -> Message | None:
    """A rule or filter in the cluster's names; None where it cannot be said there."""
    resource = _TYPES.get(one[type_])
    if resource is None:
        return None if one[type_] == _ANY_RESOURCE else one
    names = view.maps.get(resource)
    if names is None:
        return one
    if one[name] is None:
        return None
    found = pattern_to_cluster(names, Pattern(one[pattern], one[name]))
    return None if found is None else {**one, pattern: found.type, name: found.name}


def _seen(view: View, one: Message) -> Message | None:
    """A rule in the client's names; None where it cannot see it."""
    names = view.maps.get(_TYPES.get(one["ResourceType"], Resource.CLUSTER))
    if names is None:
        return one
    found = pattern_to_client(names, Pattern(one["PatternType"], one["ResourceName"]))
    return None if found is None else {**one, "PatternType": found.type, "ResourceName": found.name}


def _takes(wanted: _Filter, one: Message) -> bool:
    return wanted.takes(one["ResourceType"], Pattern(one["PatternType"], one["ResourceName"]))


def _refusal(code: int) -> Message:
    return {"ErrorCode": code, "ErrorMessage": MESSAGES[code]}


def _keep_places(call: Call, at: str, to: str, mapped: list[Message | None]) -> Message | None:
    call.message[at] = [one for one in mapped if one is not None]
    call.notes = [one is not None for one in mapped]
    call.edited = True
    if any(call.notes) or not call.notes:
        return None
    return {to: [_refusal(INVALID_REQUEST) for _ in mapped]}


def _fill_places(call: Call, response: Message, to: str) -> None:
    places: Any = call.notes
    if places is not None and not all(places):
        answers = iter(response[to])
        refused = _refusal(INVALID_REQUEST)
        response[to] = [next(answers, refused) if there else refused for there in places]
        call.response_edited = True
