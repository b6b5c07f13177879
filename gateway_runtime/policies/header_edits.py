"""The steps of transformHeaders, apart from its model so that they can be compiled ahead of time."""

from __future__ import annotations

from gateway_runtime.exchange import Exchange, Headers, field_line
from gateway_runtime.policies.base import Template


class Edit:
    """One change of header fields."""

    __slots__ = ()

    def apply(self, exchange: Exchange, headers: Headers) -> None:
        """Make the change."""
        raise NotImplementedError


class Removal(Edit):
    """Takes every field of a name out."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name.lower().encode("ascii")

    def apply(self, exchange: Exchange, headers: Headers) -> None:
        """Take the fields out."""
        headers.discard(self._name)


class ReadyField(Edit):
    """Sets or adds a field that is known at load. Raises HeaderError for a value no field can have."""

    __slots__ = ("_line", "_name", "_replaces")

    def __init__(self, name: str, value: str, replaces: bool) -> None:
        self._name = name.lower().encode("ascii")
        self._line = field_line(name, value)
        self._replaces = replaces

    def apply(self, exchange: Exchange, headers: Headers) -> None:
        """Put the line in."""
        if self._replaces:
            headers.set_line(self._name, self._line)
        else:
            headers.names.append(self._name)
            headers.lines.append(self._line)


class ComputedField(Edit):
    """Sets or adds a field whose value each request gives; `apply` raises HeaderError where it cannot be."""

    __slots__ = ("_name", "_replaces", "_value")

    def __init__(self, name: str, value: Template, replaces: bool) -> None:
        self._name = name
        self._value = value
        self._replaces = replaces

    def apply(self, exchange: Exchange, headers: Headers) -> None:
        """Compute the value and put the field in."""
        value = self._value(exchange)
        if self._replaces:
            headers.set(self._name, value)
        else:
            headers.add(self._name, value)


class RequestEdits:
    """Changes of the request's fields, in order."""

    __slots__ = ("_edits",)

    def __init__(self, edits: list[Edit]) -> None:
        self._edits = edits

    def __call__(self, exchange: Exchange) -> None:
        headers = exchange.request.headers
        for edit in self._edits:
            edit.apply(exchange, headers)


class ResponseEdits:
    """Changes of the response's fields, in order."""

    __slots__ = ("_edits",)

    def __init__(self, edits: list[Edit]) -> None:
        self._edits = edits

    def __call__(self, exchange: Exchange) -> None:
        response = exchange.response
        if response is not None:
            for edit in self._edits:
                edit.apply(exchange, response.headers)
