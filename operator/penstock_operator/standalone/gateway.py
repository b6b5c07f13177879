"""Chooses the one gateway that a standalone process runs."""

from __future__ import annotations

from dataclasses import dataclass

from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.meta import API_VERSION
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.problems import Problem
from penstock_operator.standalone.files import gateway_keys


def _default_gateway() -> Parsed:
    data = {
        "apiVersion": API_VERSION,
        "kind": "GatewayDeployment",
        "metadata": {"name": "default", "namespace": "default"},
        "spec": {},
    }
    return Parsed(GatewayDeployment.model_validate(data), Manifest("", 0, 0, data))


DEFAULT_GATEWAY = _default_gateway()
"""What runs where a folder has no GatewayDeployment: one HTTP listener at port 8080."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The resources with the gateway among them, its key, or why there is none."""

    resources: list[Parsed]
    key: str | None = None
    problem: Problem | None = None


def with_gateway(resources: list[Parsed]) -> list[Parsed]:
    """The resources, with the default gateway where they have none."""
    return resources if any(gateway_keys(resources)) else [*resources, DEFAULT_GATEWAY]


def choose_gateway(resources: list[Parsed], gateways: frozenset[str], name: str | None) -> Choice:
    """The gateway of that name (or `namespace/name`) among those with these keys; else the only one."""
    candidates = resources if gateways else [*resources, DEFAULT_GATEWAY]
    keys = gateways or {DEFAULT_GATEWAY.resource.key}
    wanted = {key for key in keys if name is None or name in (key, key.partition("/")[2])}
    if len(wanted) == 1:
        return Choice(candidates, wanted.pop())
    names = ", ".join(sorted(keys))
    if not wanted:
        message = f"there is no GatewayDeployment `{name}`; there is: {names}"
        return Choice(candidates, None, Problem("Error", "GatewayNotFound", message))
    message = f"there are several GatewayDeployments, choose one with --gateway: {names}"
    return Choice(candidates, None, Problem("Error", "GatewayAmbiguous", message))


def broken_gateway() -> Problem:
    """Nothing is served in place of a broken gateway: its platform policies would be missing."""
    message = "the GatewayDeployment is broken, and no default is run in its place: nothing is served"
    return Problem("Error", "GatewayBroken", message)
