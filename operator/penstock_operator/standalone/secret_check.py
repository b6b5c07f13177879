"""Follows every reference to a secret in a folder: which resolve, and what is wrong with the others.

Values are asked for and forgotten: nothing here gives one away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from gateway_runtime.secrets.given import GivenSecrets
from gateway_runtime.secrets.store import SecretStore
from gateway_runtime.snapshot.references import credentials, listener_references
from gateway_runtime.snapshot.types import ApiSection, JwtSecurity, SecretRef, Snapshot
from penstock_operator.graph.build import build_graph
from penstock_operator.publish.secrets import SecretValues
from penstock_operator.publish.snapshots import build_snapshots
from penstock_operator.resources.problems import Problem
from penstock_operator.standalone.folder import Folder
from penstock_operator.standalone.gateway import with_gateway
from penstock_operator.standalone.placeholders import with_placeholders

State = Literal["Resolved", "Missing", "NotAsked"]
_PATIENCE: Final = 2.0
"""Seconds for a provider to log in once its credentials are there, and to answer again."""
_LONGEST: Final = 30.0


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One secret that an API of a gateway reads, or that the gateway itself does (no API)."""

    gateway: str
    api: str
    name: str
    uri: str
    state: State
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """All references that lead to a provider, and what is wrong with the manifests themselves."""

    references: tuple[Reference, ...]
    problems: tuple[Problem, ...]

    @property
    def is_good(self) -> bool:
        """Whether all is there, as far as it was asked."""
        return not self.problems and all(one.state != "Missing" for one in self.references)


def check_secrets(path: Path, offline: bool) -> Check:
    """The check of a folder; `offline` looks at names and permissions alone."""
    folder = Folder(path)
    folder.scan()
    resources = with_gateway(folder.resources())
    if offline:
        resources = with_placeholders(resources)
    graph = build_graph(resources, now=datetime.now(UTC), broken=folder.broken())
    found = (*folder.problems(), *graph.problems)
    problems = tuple(one for one in found if one.severity == "Error" or one.reason.startswith("Secret"))
    references: list[Reference] = []
    for key, snapshot in sorted(build_snapshots(graph).items()):
        values = None if offline else SecretValues().of(resources, snapshot)
        references += sorted(_references(key, snapshot, values))
    return Check(tuple(references), problems)


def _references(gateway: str, snapshot: Snapshot, values: Mapping[str, str] | None) -> Iterator[Reference]:
    named = list(_named(snapshot))
    problems = (
        None if values is None else asyncio.run(_resolve(snapshot, {ref.uri for *_, ref in named}, values))
    )
    for api, name, reference in named:
        if problems is None:
            yield Reference(gateway, api, name, reference.uri, "NotAsked")
        else:
            problem = problems[reference.uri]
            yield Reference(gateway, api, name, reference.uri, "Missing" if problem else "Resolved", problem)


def _named(snapshot: Snapshot) -> Iterator[tuple[str, str, SecretRef]]:
    for provider in snapshot.gateway.secret_providers:
        yield from (("", f"provider {provider.name}", reference) for reference in credentials(provider))
    for listener in snapshot.gateway.kafka_listeners:
        yield from (("", f"listener {listener.name}", one) for one in listener_references(listener))
    for key, entry in snapshot.apis.items():
        yield from ((key, name, reference) for name, reference in _of_api(entry.section))


def _of_api(section: ApiSection) -> Iterator[tuple[str, SecretRef]]:
    yield from section.secrets.items()
    for plan in section.plans:
        if isinstance(plan.security, JwtSecurity) and plan.security.secret is not None:
            yield f"plan {plan.name}", plan.security.secret


async def _resolve(snapshot: Snapshot, uris: set[str], values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each secret; empty where it has a value."""
    changed, given = asyncio.Event(), GivenSecrets()
    given.give(values)
    store = SecretStore(given, changed.set)
    try:
        store.want(snapshot.gateway.secret_providers, uris, {})
        await _settled(store, uris, changed)
        return {uri: store.problem(uri) if store.value(uri) is None else "" for uri in uris}
    finally:
        await store.stop()


async def _settled(store: SecretStore, uris: set[str], changed: asyncio.Event) -> None:
    """Until all values are there, or those that are not had their time."""
    began, quiet = monotonic(), monotonic()
    while any(store.value(uri) is None for uri in uris):
        if any(map(store.is_unread, uris)):
            quiet = monotonic()
        left = min(quiet + _PATIENCE, began + _LONGEST) - monotonic()
        if left <= 0:
            return
        changed.clear()
        try:
            await asyncio.wait_for(changed.wait(), left)
        except TimeoutError:
            continue
