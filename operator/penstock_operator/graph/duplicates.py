"""Finds names that are given twice within a resource, and resources that are given twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from penstock_operator.graph.types import Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import GatewayDeployment


def duplicate_names_of_api(api: ApiDefinition) -> Iterator[Finding]:
    """Endpoint groups of an API, and endpoints of a group, with the same name."""
    groups = api.spec.endpoint_groups
    path: FieldPath = ("spec", "endpointGroups")
    yield from _repeated("endpoint group", (group.name for group in groups), path)
    for index, group in enumerate(groups):
        names = (endpoint.name for endpoint in group.endpoints)
        yield from _repeated("endpoint", names, (*path, index, "endpoints"))


def duplicate_names_of_gateway(gateway: GatewayDeployment) -> Iterator[Finding]:
    """Listeners of a gateway with the same name, or the same address and port."""
    listeners = gateway.spec.listeners
    path: FieldPath = ("spec", "listeners")
    yield from _repeated("listener", (listener.name for listener in listeners), path)
    places = (f"{listener.address}:{listener.port}" for listener in listeners)
    yield from _repeated("listener at", places, path, "port")


def _repeated(what: str, names: Iterable[str], path: FieldPath, member: str = "name") -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            message = f"the {what} `{name}` is there already, at [{first[name]}]"
            yield Finding("DuplicateName", message, (*path, index, member))
