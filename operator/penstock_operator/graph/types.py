"""The types of the graph: resources linked to each other, and what was found wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.graph.scram import ScramKeys
from penstock_operator.graph.secret_names import Provided
from penstock_operator.manifests.reader import FieldPath, format_path, line_of
from penstock_operator.resources.api_definition import ApiDefinition, ServiceRef
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.problems import Problem, Severity
from penstock_operator.resources.service import PortOfService
from penstock_operator.resources.subscription import Subscription

if TYPE_CHECKING:
    from penstock_operator.graph.assembly import Assembled
    from penstock_operator.graph.items import Item
    from penstock_operator.graph.keys import KeyWork

ACCEPTED = "Accepted"
RESOLVED_REFS = "ResolvedRefs"


class ResourceId(NamedTuple):
    """Names one resource."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`Kind namespace/name`, as problems show it."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one field of a resource; `condition` is the type of condition that it sets.

    What `denies` is a decision, not a mistake: the resource has no effect, nor has a version before it.
    """

    reason: str
    message: str
    path: FieldPath = ("spec",)
    condition: str = ACCEPTED
    severity: Severity = "Error"
    denies: bool = False

    @property
    def is_error(self) -> bool:
        """Whether the resource is broken, so that a version before it may be used in its place."""
        return self.severity == "Error"

    @property
    def excludes(self) -> bool:
        """Whether the resource cannot be used."""
        return self.denies or self.severity == "Error"


@dataclass(frozen=True, slots=True)
class Condition:
    """A status condition of Kubernetes; `status` is True or False as text."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int


@dataclass(frozen=True, slots=True)
class Report:
    """A resource with its findings."""

    parsed: Parsed
    id: ResourceId
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> Iterator[Problem]:
        """The findings with their places."""
        manifest = self.parsed.manifest
        for found in self.findings:
            place = (format_path(found.path), manifest.file, line_of(manifest, found.path))
            yield Problem(found.severity, found.reason, found.message, str(self.id), *place)


def problems_of(reports: Iterable[Report]) -> tuple[Problem, ...]:
    """The problems of all findings."""
    return tuple(problem for report in reports for problem in report.problems)


@dataclass(frozen=True, slots=True, eq=False)
class SubscriptionNode:
    """A usable subscription; `key_digests` are the hexadecimal SHA-256 of its API keys.

    `scram` are, for a Kafka API, the keys that check proofs of each of them, for each mechanism.
    """

    subscription: Subscription
    key_digests: tuple[str, ...]
    scram: tuple[ScramKeys, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PlanNode:
    """A usable plan; `manifest` is its data as written, `secret_uri` names the key of a jwt plan.

    `provided` are the secrets of its expressions that a gateway's providers have to give.
    """

    plan: Plan
    manifest: dict[str, object]
    subscriptions: tuple[SubscriptionNode, ...]
    secret_uri: str | None = None
    provided: tuple[Provided, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ApiNode:
    """A usable API with its usable plans in order; `secrets` maps names in expressions to what they name.

    `provided` are the secrets of its own expressions that a gateway's providers have to give: in the node of
    an API that a gateway serves, `secrets` has them too. `services` are the ports that endpoints refer to.
    """

    api: ApiDefinition
    manifest: dict[str, object]
    plans: tuple[PlanNode, ...]
    secrets: tuple[tuple[str, SecretRef], ...]
    provided: tuple[Provided, ...] = ()
    services: Mapping[ServiceRef, PortOfService] = field(default_factory=dict)
    needs_providers: bool = field(init=False)
    """Whether the node of a gateway differs from this one; asked of all APIs at each edit."""

    def __post_init__(self) -> None:
        needed = bool(self.provided) or any(plan.provided for plan in self.plans)
        object.__setattr__(self, "needs_providers", needed)


@dataclass(frozen=True, slots=True, eq=False)
class GatewayNode:
    """A usable gateway with the APIs that it serves, by `namespace/name`."""

    gateway: GatewayDeployment
    manifest: dict[str, object]
    apis: dict[str, ApiNode]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """What should run where, and what is wrong: the reports are those of resources with findings.

    `groups` are all APIs with what belongs to them, by key, the broken ones too; `others` are the gateways,
    the GatewaySecrets, and what is for an API or a plan that is not there.
    """

    gateways: dict[str, GatewayNode]
    apis: dict[str, ApiNode]
    reports: tuple[Report, ...] = ()
    groups: Mapping[str, Assembled] = field(default_factory=dict)
    others: tuple[Item, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, and where; looked up anew each time."""
        return problems_of(self.reports)

    @property
    def next_change(self) -> float | None:
        """When a subscription starts or ends, or a previous key runs out, next."""
        moments = (group.next_change for group in self.groups.values())
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def keys_to_make(self) -> tuple[KeyWork, ...]:
        """The Secrets of API keys that the operator is to write."""
        return tuple(work for group in self.groups.values() for work in group.keys)
