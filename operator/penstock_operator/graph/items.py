"""Turns one parsed resource into an item: what it refers to, claims and uses, and its own findings.

Everything here depends on that one resource, so an item is made once and kept while the resource stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from penstock_operator.graph.api_types import wrong_flows
from penstock_operator.graph.expressions import Use, Uses, examine
from penstock_operator.graph.jwt_keys import mismatched_keys
from penstock_operator.graph.kafka_routes import KafkaAddress, address_of, port_findings
from penstock_operator.graph.keys import key_secret_name
from penstock_operator.graph.plug_ins import check_plug_ins
from penstock_operator.graph.response_templates import unknown_error_keys
from penstock_operator.graph.routes import Claim, claims_of, invalid_paths
from penstock_operator.graph.services import foreign_services, services_of
from penstock_operator.graph.texts import Text, texts
from penstock_operator.graph.types import Finding, ResourceId
from penstock_operator.graph.urls import invalid_addresses, invalid_endpoints
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.flows import Flow
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.meta import Resource
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.secret import SecretResource
from penstock_operator.resources.subscription import Subscription


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A resource by itself; `target` is the key of the API (plan) or the plan (subscription) that it is for.

    `secret` is the key of the Secret that it names in a field, or that the operator makes for it; `tags` and
    `is_started` are those of an API, `services` the keys of the Services that it refers to, and `kafka` the
    address of one of type Kafka.
    """

    parsed: Parsed
    kind: str
    key: str
    target: str = ""
    secret: str = ""
    findings: tuple[Finding, ...] = ()
    secrets: tuple[Use, ...] = ()
    properties: tuple[Use, ...] = ()
    claims: tuple[Claim, ...] = ()
    tags: tuple[str, ...] = ()
    is_started: bool = False
    services: tuple[str, ...] = ()
    kafka: KafkaAddress | None = None

    @property
    def id(self) -> ResourceId:
        """The name of the resource."""
        resource = self.parsed.resource
        if isinstance(resource, SecretResource):
            return ResourceId(self.kind, resource.namespace, resource.name)
        return ResourceId(self.kind, resource.metadata.namespace, resource.metadata.name)

    @property
    def namespace(self) -> str:
        """The namespace of the resource."""
        return self.key.partition("/")[0]

    @property
    def name(self) -> str:
        """The name of the resource in its namespace."""
        return self.key.partition("/")[2]

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong with the resource alone."""
        return not any(finding.is_error for finding in self.findings)

    @property
    def age(self) -> tuple[float, str]:
        """Sorts the oldest first; resources without a creation time come last, by their names."""
        resource = self.parsed.resource
        created = None if isinstance(resource, SecretResource) else resource.metadata.creation_timestamp
        return (created.timestamp() if created else float("inf"), self.key)

    @property
    def place(self) -> tuple[str, int, int, str]:
        """Sorts by the place in the folder."""
        manifest = self.parsed.manifest
        return (manifest.file, manifest.document, manifest.line, str(manifest.path))


class _Links(NamedTuple):
    """The names in a resource's own fields."""

    target: str = ""
    secret: str = ""


def make_item(parsed: Parsed) -> Item:
    """The item of a resource."""
    resource = parsed.resource
    if isinstance(resource, SecretResource):
        return Item(parsed, "Secret", resource.key)
    uses = _uses(resource)
    links = _links(resource)
    return Item(
        parsed,
        resource.kind,
        resource.key,
        links.target,
        links.secret,
        tuple(uses.findings),
        tuple(uses.secrets),
        tuple(uses.properties),
        claims_of(resource) if isinstance(resource, ApiDefinition) else (),
        *_service(resource),
        services_of(resource) if isinstance(resource, ApiDefinition) else (),
        address_of(resource) if isinstance(resource, ApiDefinition) else None,
    )


def _uses(resource: Resource) -> Uses:
    spec = resource.spec  # type: ignore[attr-defined]
    found: list[Text] = list(texts(spec, ("spec",)))
    outcomes = list(check_plug_ins(_flows(resource), ("spec", "flows")))
    found += [outcome for outcome in outcomes if isinstance(outcome, Text)]
    uses = examine(found)
    findings = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
    uses.findings[:0] = [*_own_findings(resource), *findings]
    return uses


def _own_findings(resource: Resource) -> list[Finding]:
    if isinstance(resource, ApiDefinition):
        return [
            *invalid_paths(resource),
            *invalid_endpoints(resource),
            *port_findings(resource),
            *wrong_flows(resource.spec.flows, resource),
            *foreign_services(resource),
            *unknown_error_keys(resource),
        ]
    if isinstance(resource, GatewayDeployment):
        return list(invalid_addresses(resource))
    return list(mismatched_keys(resource)) if isinstance(resource, Plan) else []


def _flows(resource: Resource) -> tuple[Flow, ...]:
    return resource.spec.flows if isinstance(resource, ApiDefinition | Plan | GatewayDeployment) else ()


def _links(resource: Resource) -> _Links:
    prefix = f"{resource.metadata.namespace}/"
    if isinstance(resource, Plan):
        jwt = resource.spec.security.jwt
        secret = jwt.key.secret_ref if jwt else None
        return _Links(prefix + resource.spec.api_ref.name, prefix + secret.name if secret else "")
    if isinstance(resource, Subscription):
        key = resource.spec.api_key
        secret_name = key.secret_ref.name if key else key_secret_name(resource.metadata.name)
        return _Links(prefix + resource.spec.plan_ref.name, prefix + secret_name)
    if isinstance(resource, GatewaySecret):
        source = resource.spec.source.kubernetes
        return _Links(secret=prefix + source.name if source else "")
    return _Links()


def _service(resource: Resource) -> tuple[tuple[str, ...], bool]:
    if isinstance(resource, ApiDefinition):
        return resource.spec.tags, resource.spec.state == "Started"
    return (), False
