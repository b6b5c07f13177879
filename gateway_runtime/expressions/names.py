"""The names that expressions know, as functions of an exchange: nothing else can be reached from one.

A missing member is None, so that `!= none` asks whether it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from gateway_runtime.exchange import Exchange, Headers, MessageView, SubscriptionInfo
from gateway_runtime.expressions.errors import ExpressionError, unknown

Getter = Callable[[Exchange], Any]


class Leaf:
    """A plain value: the way ends here."""

    __slots__ = ("get",)

    def __init__(self, get: Getter) -> None:
        self.get = get


class MapName:
    """A map with members that only the request knows; `member` makes the getter of one.

    Where it is `deep`, its values may be maps and lists themselves.
    """

    __slots__ = ("deep", "get", "member")

    def __init__(self, get: Getter, member: Callable[[str], Getter], deep: bool = False) -> None:
        self.get = get
        self.member = member
        self.deep = deep


class Branch:
    """A name with known members; `present` tells whether it is there at all, as a value."""

    __slots__ = ("get", "members")

    def __init__(self, members: dict[str, Name], get: Getter | None = None) -> None:
        self.members = members
        self.get = get


Name = Leaf | MapName | Branch


def _header_of(headers: Callable[[Exchange], Headers | None]) -> Callable[[str], Getter]:
    def member(name: str) -> Getter:
        raw = name.lower().encode("latin-1", "replace")

        def get(exchange: Exchange) -> str | None:
            found = headers(exchange)
            if found is None or raw not in found.names:
                return None
            return b", ".join(found.find_all(raw)).decode("latin-1")

        return get

    return member


def _item_of(items: Callable[[Exchange], Mapping[str, Any] | None]) -> Callable[[str], Getter]:
    def member(name: str) -> Getter:
        def get(exchange: Exchange) -> Any:
            found = items(exchange)
            return None if found is None else found.get(name)

        return get

    return member


def _request_headers(exchange: Exchange) -> Headers:
    return exchange.request.headers


def _response_headers(exchange: Exchange) -> Headers | None:
    return None if exchange.response is None else exchange.response.headers


def _query_parameters(exchange: Exchange) -> dict[str, str]:
    pairs = parse_qsl(exchange.request.query, keep_blank_values=True)
    return dict(reversed(pairs))


def _subscription(member: Callable[[SubscriptionInfo], str]) -> Leaf:
    def get(exchange: Exchange) -> str | None:
        return None if exchange.subscription is None else member(exchange.subscription)

    return Leaf(get)


def _headers_map(headers: Callable[[Exchange], Headers | None]) -> MapName:
    def whole(exchange: Exchange) -> dict[str, str]:
        found = headers(exchange)
        return {} if found is None else {name: found[name] for name in found}

    return MapName(whole, _header_of(headers))


def _message(member: Callable[[MessageView], Any]) -> Leaf:
    return Leaf(lambda exchange: None if exchange.message is None else member(exchange.message))


def _content(exchange: Exchange) -> Any:
    return None if exchange.message is None else exchange.message.content


def _content_of(member: str) -> Getter:
    return lambda exchange: _below(_content(exchange), member)


def _map(items: Callable[[Exchange], Mapping[str, Any] | None], deep: bool = False) -> MapName:
    return MapName(lambda exchange: dict(items(exchange) or {}), _item_of(items), deep)


_REQUEST: Final = Branch(
    {
        "method": Leaf(lambda exchange: exchange.request.method),
        "path": Leaf(lambda exchange: exchange.request.path),
        "api_path": Leaf(lambda exchange: exchange.request.api_path),
        "path_params": _map(lambda exchange: exchange.request.path_params),
        "query": Leaf(lambda exchange: exchange.request.query),
        "query_params": _map(_query_parameters),
        "host": Leaf(lambda exchange: exchange.request.host),
        "scheme": Leaf(lambda exchange: exchange.request.scheme),
        "version": Leaf(lambda exchange: exchange.request.version),
        "remote_address": Leaf(lambda exchange: exchange.request.remote_address),
        "headers": _headers_map(_request_headers),
    }
)
_RESPONSE: Final = Branch(
    {
        "status": Leaf(lambda exchange: None if exchange.response is None else exchange.response.status),
        "headers": _headers_map(_response_headers),
    }
)
_SUBSCRIPTION: Final = Branch(
    {
        "name": _subscription(lambda found: found.name),
        "plan": _subscription(lambda found: found.plan),
        "application": Branch(
            {
                "name": _subscription(lambda found: found.application.name),
                "client_id": _subscription(lambda found: found.application.client_id),
            }
        ),
    },
    lambda exchange: None if exchange.subscription is None else exchange.subscription.name,
)
_API: Final = Branch(
    {
        "name": Leaf(lambda exchange: exchange.api.name),
        "namespace": Leaf(lambda exchange: exchange.api.namespace),
        "version": Leaf(lambda exchange: exchange.api.version),
        "properties": _map(lambda exchange: exchange.api.properties),
    }
)
_MESSAGE: Final = Branch(
    {
        "topic": _message(lambda message: message.topic),
        "partition": _message(lambda message: message.partition),
        "offset": _message(lambda message: message.offset),
        "timestamp": _message(lambda message: message.timestamp),
        "key": _message(lambda message: message.key),
        "value": _message(lambda message: message.value),
        "headers": _map(lambda exchange: None if exchange.message is None else exchange.message.headers),
        "content": MapName(_content, _content_of, deep=True),
    }
)
_PLAN: Final = Leaf(lambda exchange: exchange.plan or None)
_ROOT: Final = Branch(
    {
        "request": _REQUEST,
        "response": _RESPONSE,
        "subscription": _SUBSCRIPTION,
        "api": _API,
        "message": _MESSAGE,
        "jwt": Branch({"claims": _map(lambda exchange: exchange.claims, deep=True)}),
        "context": Branch(
            {
                "attributes": _map(lambda exchange: exchange._attributes, deep=True),
                "subscription": _SUBSCRIPTION,
                "plan": _PLAN,
                "api": _API,
            }
        ),
    }
)


def resolve(path: list[str]) -> Getter:
    """The getter for a path of members.

    Raises ExpressionError for an unknown name, one that is no value, and members of a plain value.
    """
    name: Name = _ROOT
    for used, member in enumerate(path):
        if isinstance(name, Leaf):
            raise ExpressionError(f"`{'.'.join(path[:used])}` is a plain value: it has no `{member}`")
        if isinstance(name, MapName):
            return _nested(name, path, used)
        if member not in name.members:
            raise _unknown(path, used, list(name.members))
        name = name.members[member]
    if isinstance(name, Branch):
        if name.get is None:
            raise ExpressionError(f"`{'.'.join(path)}` is no value; name one of {', '.join(name.members)}")
        return name.get
    return name.get


def _unknown(path: list[str], used: int, known: list[str]) -> ExpressionError:
    if path[0] == "secrets":
        return ExpressionError("secrets are read by name: secrets.get('NAME')")
    kind = "name" if used == 0 else f"member of `{'.'.join(path[:used])}`"
    return unknown(kind, path[used], known)


def _nested(name: MapName, path: list[str], used: int) -> Getter:
    """The getter of a member of a map, and of the members below it where its values may have some."""
    get, rest = name.member(path[used]), path[used + 1 :]
    if not rest:
        return get
    if not name.deep:
        raise ExpressionError(f"`{'.'.join(path[: used + 1])}` is a plain value: it has no `{rest[0]}`")

    def walk(exchange: Exchange) -> Any:
        value = get(exchange)
        for member in rest:
            value = _below(value, member)
        return value

    return walk


def _below(value: Any, member: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(member)
    if isinstance(value, list | tuple) and member.isdecimal() and int(member) < len(value):
        return value[int(member)]
    return None
