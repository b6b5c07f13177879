"""Turns what is published and what pods report into how far each section is served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway_runtime.snapshot.codec import digest
from gateway_runtime.snapshot.types import Snapshot
from penstock_operator.graph.types import GatewayNode
from penstock_operator.status.observed import ObservedGateway, Pod, Publication

ERROR_LENGTH: Final = 1024


class Served(NamedTuple):
    """How many of the live pods of a gateway serve the present content of a section; why one cannot."""

    serving: int
    live: int
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One gateway as it is: what should be served (`snapshot`), and what is.

    A gateway without a snapshot is not published yet. `least` is the resourceVersion that all pods have
    reached; all that is published up to it is `full`.
    """

    node: GatewayNode
    observed: ObservedGateway
    snapshot: Snapshot | None
    full: Served
    least: int
    has_errors: bool

    def api(self, key: str) -> Served:
        """How far an API is served."""
        wanted = self.snapshot.apis.get(key) if self.snapshot else None
        return self._served(self.observed.apis.get(key), wanted.digest if wanted else "", key)

    def subscriptions(self, key: str) -> Served:
        """How far the subscriptions of an API are served."""
        wanted = self.snapshot.subscriptions.get(key) if self.snapshot else None
        return self._served(self.observed.subscriptions.get(key), wanted.digest if wanted else "", key)

    def gateway(self) -> Served:
        """How far the gateway's own section is served."""
        wanted = digest(self.snapshot.gateway) if self.snapshot else ""
        return self._served(self.observed.gateway, wanted, "")

    def _served(self, publication: Publication | None, wanted: str, key: str) -> Served:
        if publication is None or publication.digest != wanted:
            return Served(0, self.full.live)
        if publication.resource_version <= self.least and not self.has_errors:
            return self.full
        return _count(self.observed.pods, publication.resource_version, key)


def view(node: GatewayNode, observed: ObservedGateway, snapshot: Snapshot | None) -> View:
    """The view of one gateway."""
    pods = observed.pods
    return View(
        node,
        observed,
        snapshot,
        Served(len(pods), len(pods)),
        min((pod.resource_version for pod in pods), default=0),
        any(pod.errors for pod in pods),
    )


def total(served: Iterable[Served]) -> Served:
    """The sum over several gateways; the first error stands for all."""
    found = tuple(served)
    error = next((one.error for one in found if one.error), "")
    return Served(sum(one.serving for one in found), sum(one.live for one in found), error)


def _count(pods: tuple[Pod, ...], resource_version: int, key: str) -> Served:
    serving, error = 0, ""
    for pod in pods:
        if key in pod.errors:
            error = error or f"pod {pod.name}: {pod.errors[key]}"[:ERROR_LENGTH]
        elif pod.resource_version >= resource_version:
            serving += 1
    return Served(serving, len(pods), error)
