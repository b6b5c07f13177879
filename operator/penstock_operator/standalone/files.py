"""Turns a manifest file into resources, holding on to the last good ones where it is broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from penstock_operator.manifests.reader import Manifest, ManifestError, read_file
from penstock_operator.resources.explain import nearest
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.parse import Parsed, describe_resource, parse, problem_of
from penstock_operator.resources.problems import Problem
from penstock_operator.resources.secret import SecretResource

GATEWAY_KIND = "GatewayDeployment"
_KNOWN_KINDS = frozenset((*KINDS, "Secret"))


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file holds: its resources, last good versions of broken ones, and what is wrong.

    `broken` names (`Kind namespace/name`) what could not be parsed; `breaks_gateway` tells that something
    broken in it is, or may be, a GatewayDeployment; `gateways` are the keys of those in it.
    """

    resources: tuple[Parsed, ...] = ()
    held: tuple[Parsed, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()
    breaks_gateway: bool = False
    gateways: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """A file while it is read; `unnamed` tells that a part is broken of which no name is known."""

    before: dict[str, Parsed]
    resources: dict[str, Parsed] = field(default_factory=dict)
    repeated: list[Parsed] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    unnamed: bool = False


def load_file(path: Path, before: FileState) -> FileState:
    """The state of a file, given the one before; a resource that did not change is the same object."""
    reading = _Reading({identity(parsed): parsed for parsed in (*before.held, *before.resources)})
    for outcome in read_file(path):
        if isinstance(outcome, ManifestError):
            reading.problems.append(problem_of(outcome))
            reading.unnamed = True
        else:
            _add(outcome, reading)
    resources, held = (*reading.resources.values(), *reading.repeated), tuple(_held(reading))
    return FileState(
        resources,
        held,
        tuple(reading.problems),
        frozenset(reading.broken),
        _breaks_gateway(reading, path),
        tuple(gateway_keys((*resources, *held))),
    )


def gateway_keys(resources: Iterable[Parsed]) -> Iterator[str]:
    """The keys of the GatewayDeployments among resources."""
    for parsed in resources:
        if type(parsed.resource) is GatewayDeployment:
            yield parsed.resource.key


def identity(parsed: Parsed) -> str:
    """`Kind namespace/name` of a resource."""
    resource = parsed.resource
    kind = "Secret" if isinstance(resource, SecretResource) else resource.kind
    return f"{kind} {resource.key}"


def _add(manifest: Manifest, reading: _Reading) -> None:
    name = describe_resource(manifest.data)
    parsed = _unchanged(manifest, reading.before.get(name)) or parse(manifest)
    if isinstance(parsed, Parsed):
        if reading.resources.setdefault(identity(parsed), parsed) is not parsed:
            reading.repeated.append(parsed)
    elif isinstance(parsed, tuple):
        reading.problems += parsed
        reading.broken.add(name)
        reading.unnamed |= "/" not in name or name.partition(" ")[0] not in _KNOWN_KINDS


def _unchanged(manifest: Manifest, before: Parsed | None) -> Parsed | None:
    if before is None or before.manifest.data != manifest.data:
        return None
    return before if before.manifest == manifest else Parsed(before.resource, manifest)


def _held(reading: _Reading) -> list[Parsed]:
    return [
        parsed
        for name, parsed in reading.before.items()
        if name not in reading.resources and (reading.unnamed or name in reading.broken)
    ]


def _breaks_gateway(reading: _Reading, path: Path) -> bool:
    kinds = {name.partition(" ")[0] for name in reading.broken}
    if any(kind == GATEWAY_KIND or GATEWAY_KIND in nearest(kind, KINDS) for kind in kinds):
        return True
    try:
        return reading.unnamed and GATEWAY_KIND.encode() in path.read_bytes()
    except OSError:
        return True
