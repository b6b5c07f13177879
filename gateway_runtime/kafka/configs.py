"""Configurations: resources named by type, checked, mapped and held to the topic policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import MESSAGES, NONE, POLICY_VIOLATION
from gateway_runtime.kafka.handler import Handler, Need, Row
from gateway_runtime.kafka.view import DENIED, View

_TOPIC: Final = 2
_GROUP: Final = 32
_RESOURCES: Final = {_TOPIC: Resource.TOPIC, _GROUP: Resource.GROUP}
"""Config resource types that have names of topics and groups; the others are the cluster's."""
_TEXT: Final = "_text"
"""Where a denied resource says why."""
_SET: Final = 0
_APPEND: Final = 2


@dataclass(frozen=True, slots=True)
class Configs(Handler):
    """Resources of a request, each answered by type and name in the array `to` of the response."""

    operation: Operation
    to: str

    def admit(self, view: View, call: Call) -> Message | None:
        """Take out what is denied or against a policy."""
        kept, denied = [], []
        for one in call.message["Resources"]:
            code, text = self._check(view, one)
            if code:
                denied.append(({**one, _TEXT: text}, code))
            else:
                kept.append(one)
        if not denied:
            return None
        call.message["Resources"], call.denied, call.edited = kept, denied, True
        return None if kept else {self.to: self._answers(call)}

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the names of topics and groups."""
        for one in call.message["Resources"]:
            resource = _RESOURCES.get(one["ResourceType"])
            if resource is not None and resource in view.maps:
                one["ResourceName"] = view.to_cluster(resource, one["ResourceName"])
                call.edited = True

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map them back."""
        response[self.to] = map_resources(view, call, response[self.to])

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Answer for what was taken out."""
        if call.denied:
            response[self.to] = [*response[self.to], *self._answers(call)]
            call.response_edited = True

    def _check(self, view: View, one: Message) -> tuple[int, str | None]:
        resource = _RESOURCES.get(one["ResourceType"])
        if resource is None:
            code = NONE if view.allows_cluster(self.operation) else DENIED[Resource.CLUSTER]
        else:
            code = view.error(resource, one["ResourceName"], self.operation)
        if code or resource is not Resource.TOPIC or self.operation is not Operation.ALTER_CONFIGS:
            return code, MESSAGES.get(code)
        problem = _problem(view, one)
        return (POLICY_VIOLATION, problem) if problem else (NONE, None)

    def _answers(self, call: Call) -> list[Message]:
        return [
            {
                "ErrorCode": code,
                "ErrorMessage": one[_TEXT],
                "ResourceType": one["ResourceType"],
                "ResourceName": one["ResourceName"],
            }
            for one, code in call.denied or ()
        ]


class ListConfigResources(Row):
    """Resources that have a configuration, those of other clients left out."""

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the names back."""
        response["ConfigResources"] = map_resources(view, call, response["ConfigResources"])


LIST_CONFIG_RESOURCES: Final = ListConfigResources(
    needs=(Need(Resource.CLUSTER, Operation.DESCRIBE_CONFIGS),)
)


def map_resources(view: View, call: Call, resources: list[Any]) -> list[Any]:
    """Resources by the client's names, without those that it cannot see."""
    kept = []
    for one in resources:
        resource = _RESOURCES.get(one.get("ResourceType", -1))
        if resource is not None and resource in view.maps:
            name = view.to_client(resource, one["ResourceName"])
            call.response_edited = True
            if name is None:
                continue
            if one.get("ErrorMessage"):
                one["ErrorMessage"] = one["ErrorMessage"].replace(one["ResourceName"], name)
            one["ResourceName"] = name
        kept.append(one)
    return kept


def _problem(view: View, one: Message) -> str | None:
    """What a policy has against settings; what is appended to a list is checked as a value of its own."""
    for policy in view.rules.topic_policies:
        for setting in one["Configs"]:
            if setting.get("ConfigOperation", _SET) in (_SET, _APPEND):
                problem = policy.config_problem(setting["Name"], setting["Value"])
                if problem is not None:
                    return problem
    return None
