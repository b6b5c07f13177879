"""Follows the references of endpoints to Services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from penstock_operator.graph.types import RESOLVED_REFS, Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.api_definition import ApiDefinition, ServiceRef
from penstock_operator.resources.explain import nearest
from penstock_operator.resources.service import PortOfService, Services


class _Place(NamedTuple):
    """A reference and where it stands."""

    ref: ServiceRef
    path: FieldPath


def services_of(api: ApiDefinition) -> tuple[str, ...]:
    """The keys of the Services that an API refers to."""
    found = (f"{api.metadata.namespace}/{place.ref.name}" for place in _places(api))
    return tuple(dict.fromkeys(found))


def foreign_services(api: ApiDefinition) -> Iterator[Finding]:
    """References that leave the API's namespace."""
    for ref, path in _places(api):
        if ref.namespace not in (None, api.metadata.namespace):
            message = f"a Service of another namespace ({ref.namespace}) cannot be referred to"
            yield Finding("RefNotPermitted", message, (*path, "namespace"), RESOLVED_REFS)


def missing_services(api: ApiDefinition, services: Services | None) -> Iterator[Finding]:
    """References that lead to no port of a Service; `services` is None where there is no cluster."""
    for place in _places(api):
        finding = _missing(place, api.metadata.namespace, services)
        if finding is not None:
            yield finding


def service_ports(api: ApiDefinition, services: Services | None) -> dict[ServiceRef, PortOfService]:
    """The ports that references lead to."""
    found = {}
    for ref, _ in _places(api):
        service = (services or {}).get(f"{api.metadata.namespace}/{ref.name}")
        port = service.port(ref.port) if service else None
        if port is not None:
            found[ref] = port
    return found


def _places(api: ApiDefinition) -> Iterator[_Place]:
    for index, group in enumerate(api.spec.endpoint_groups):
        for number, endpoint in enumerate(group.endpoints):
            if endpoint.service_ref is not None:
                path = ("spec", "endpointGroups", index, "endpoints", number, "serviceRef")
                yield _Place(endpoint.service_ref, path)


def _missing(place: _Place, namespace: str, services: Services | None) -> Finding | None:
    ref, path = place
    if services is None:
        message = "a Service has endpoints in a cluster alone: here, requests to it are answered with 503"
        return Finding("NeedsCluster", message, path, RESOLVED_REFS, "Warning")
    key = f"{namespace}/{ref.name}"
    service = services.get(key)
    if service is None:
        near = nearest(key, (name for name in services if name.startswith(f"{namespace}/")))
        return Finding("ServiceNotFound", f"there is no Service {key}{near}", (*path, "name"), RESOLVED_REFS)
    if service.is_external:
        message = f"the Service {ref.name} is an ExternalName, which has no endpoints: give its host as `url`"
        return Finding("ServiceIsExternal", message, (*path, "name"), RESOLVED_REFS)
    if service.port(ref.port) is None:
        known = ", ".join(_shown(port) for port in service.ports) or "none"
        message = f"the Service {ref.name} has no TCP port `{ref.port}`; its ports: {known}"
        return Finding("ServicePortNotFound", message, (*path, "port"), RESOLVED_REFS)
    return None


def _shown(port: PortOfService) -> str:
    return f"{port.number} ({port.name})" if port.name else str(port.number)
