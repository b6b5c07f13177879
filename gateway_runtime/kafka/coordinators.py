"""FindCoordinator: keys that are groups, transactional ids or partitions of share groups, by their type."""

from __future__ import annotations

from typing import Final

from gateway_runtime.kafka.access import Operation, Resource
from gateway_runtime.kafka.call import Call, Message
from gateway_runtime.kafka.error_codes import MESSAGES
from gateway_runtime.kafka.handler import Handler
from gateway_runtime.kafka.view import DENIED, View

_MANY: Final = 4
"""The first version with many keys."""
_KEY_TYPES: Final = {0: Resource.GROUP, 1: Resource.TRANSACTIONAL_ID}
_SHARE: Final = 2
"""Keys of this type are `group:topicId:partition`; brokers alone ask for them."""


class FindCoordinator(Handler):
    """Checks and maps each key."""

    def admit(self, view: View, call: Call) -> Message | None:
        """Take denied keys out."""
        if call.version < _MANY:
            code = self._error(view, call, call.message["Key"])
            return _answer("Key", call.message["Key"], code) if code else None
        kept = []
        for key in call.message["CoordinatorKeys"]:
            code = self._error(view, call, key)
            if code:
                call.denied = [*(call.denied or ()), (key, code)]
            else:
                kept.append(key)
        if call.denied:
            call.message["CoordinatorKeys"] = kept
            call.edited = True
        return None if kept or not call.denied else {"Coordinators": _answers(call)}

    def to_cluster(self, view: View, call: Call) -> None:
        """Map the keys."""
        if _mapped(view, call):
            message = call.message
            if call.version < _MANY:
                message["Key"] = _forward(view, call, message["Key"])
            else:
                message["CoordinatorKeys"] = [_forward(view, call, key) for key in message["CoordinatorKeys"]]
            call.edited = True

    def to_client(self, view: View, call: Call, response: Message) -> None:
        """Map the keys back."""
        if _mapped(view, call):
            for one in response.get("Coordinators", ()):
                one["Key"] = _backward(view, call, one["Key"])
            call.response_edited = True

    def finish(self, _view: View, call: Call, response: Message) -> None:
        """Answer for denied keys."""
        if call.denied:
            response["Coordinators"] = [*response["Coordinators"], *_answers(call)]
            call.response_edited = True

    def _error(self, view: View, call: Call, key: str) -> int:
        resource = _KEY_TYPES.get(_type(call))
        if resource is not None:
            return view.error(resource, key, Operation.DESCRIBE)
        if not view.allows_cluster(Operation.CLUSTER_ACTION):
            return DENIED[Resource.CLUSTER]
        return view.name_error(Resource.GROUP, key.rsplit(":", 2)[0])


def _type(call: Call) -> int:
    return int(call.message.get("KeyType", 0))


def _resource(call: Call) -> Resource:
    return _KEY_TYPES.get(_type(call), Resource.GROUP)


def _mapped(view: View, call: Call) -> bool:
    return _resource(call) in view.maps


def _forward(view: View, call: Call, key: str) -> str:
    if _type(call) != _SHARE:
        return view.to_cluster(_resource(call), key)
    # A group's name may hold colons, an id and a number hold none.
    group, *rest = key.rsplit(":", 2)
    return ":".join([view.to_cluster(Resource.GROUP, group), *rest])


def _backward(view: View, call: Call, key: str) -> str:
    if _type(call) != _SHARE:
        return view.to_client(_resource(call), key) or ""
    group, *rest = key.rsplit(":", 2)
    return ":".join([view.to_client(Resource.GROUP, group) or "", *rest])


def _answers(call: Call) -> list[Message]:
    return [_answer("Key", key, code) for key, code in call.denied or ()]


def _answer(field: str, key: str, code: int) -> Message:
    told = {"ErrorCode": code, "ErrorMessage": MESSAGES[code], "NodeId": -1, "Host": "", "Port": -1}
    return {field: key, **told}
