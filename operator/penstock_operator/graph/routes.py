"""Turns the listeners of APIs into claims on hosts and paths, and finds claims that conflict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from penstock_operator.graph.types import Finding
from penstock_operator.resources.api_definition import ApiDefinition, HttpListener

if TYPE_CHECKING:
    from penstock_operator.graph.items import Item

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile("[-A-Za-z0-9._~]")


class Claim(NamedTuple):
    """A host (`*`: all) and a normalised path that an API wants to serve."""

    host: str
    path: str

    def __str__(self) -> str:
        """The claim as users read it."""
        return f"{self.path} on {'all hosts' if self.host == '*' else self.host}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A claim that `loser` cannot have, as the older `winner` has it."""

    loser: Item
    winner: Item
    claim: Claim


def normal_path(path: str) -> str:
    """A path prefix in its normal form: no slash at its end, and only what must be escaped is.

    RFC 3986 sections 6.2.2.1 and 6.2.2.2.
    """
    return _ESCAPE.sub(_unescape, path).rstrip("/") or "/"


def claims_of(api: ApiDefinition) -> tuple[Claim, ...]:
    """The hosts and paths of an API, each once."""
    claims: dict[Claim, None] = {}
    for _, listener in _http_listeners(api):
        path = normal_path(listener.path)
        for host in listener.hosts or ("*",):
            claims[Claim(host, path)] = None
    return tuple(claims)


def invalid_paths(api: ApiDefinition) -> Iterator[Finding]:
    """Listeners at paths that no normalised request path has, and listeners given twice."""
    seen: dict[Claim, int] = {}
    for index, listener in _http_listeners(api):
        place = ("spec", "listeners", index, "http")
        path = normal_path(listener.path)
        if path != "/" and not all(part not in ("", ".", "..") for part in path[1:].split("/")):
            message = f"`{path}` has empty or dot segments, which no normalised request path has"
            yield Finding("InvalidPath", message, (*place, "path"))
        for host in listener.hosts or ("*",):
            claim = Claim(host, path)
            if seen.setdefault(claim, index) != index:
                message = f"{claim} is served by [{seen[claim]}] of this API already"
                yield Finding("DuplicateName", message, (*place, "path"))


def find_conflicts(apis: Iterable[Item]) -> dict[str, Conflict]:
    """The APIs that cannot be served beside the others, by key.

    The oldest first take all that they claim; one that finds a claim taken takes none.
    """
    contested = _contested(apis)
    taken: dict[Claim, Item] = {}
    conflicts = {}
    for api in sorted(contested.values(), key=lambda item: item.age):
        claim = next((claim for claim in api.claims if claim in taken), None)
        if claim is None:
            taken.update(dict.fromkeys(api.claims, api))
        else:
            conflicts[api.key] = Conflict(api, taken[claim], claim)
    return conflicts


def conflict_finding(conflict: Conflict, gateway: str) -> Finding:
    """The finding of the loser, at the field that makes the claim."""
    api = conflict.loser.parsed.resource
    assert isinstance(api, ApiDefinition)
    winner = f"the older ApiDefinition {conflict.winner.key} on the gateway {gateway}"
    message = f"{conflict.claim} is served by {winner}"
    return Finding("RouteConflict", message, _field_of(api, conflict.claim))


def _contested(apis: Iterable[Item]) -> dict[str, Item]:
    first: dict[Claim, Item] = {}
    contested: dict[str, Item] = {}
    for api in apis:
        for claim in api.claims:
            other = first.setdefault(claim, api)
            if other is not api:
                contested[api.key] = api
                contested[other.key] = other
    return contested


def _field_of(api: ApiDefinition, claim: Claim) -> tuple[str | int, ...]:
    for index, listener in _http_listeners(api):
        if normal_path(listener.path) == claim.path and claim.host in (listener.hosts or ("*",)):
            return ("spec", "listeners", index, "http", "path")
    return ("spec", "listeners")


def _http_listeners(api: ApiDefinition) -> Iterator[tuple[int, HttpListener]]:
    for index, listener in enumerate(api.spec.listeners):
        if listener.http is not None:
            yield index, listener.http


def _unescape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0].upper()
