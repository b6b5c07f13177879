"""The observed objects -> what statuses are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from penstock_operator.cluster.kinds import ObjectKey
from penstock_operator.cluster.observed import Observed, Sections
from penstock_operator.cluster.pipeline import Outcome
from penstock_operator.cluster.store import Store
from penstock_operator.cluster.store import Unparsed as StoredUnparsed
from penstock_operator.deploy.identity import instance
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject
from penstock_operator.status.observed import Observed as Seen
from penstock_operator.status.observed import ObservedGateway, Pod, SecretVersion, Unparsed

_NOTHING: Final = Sections()


@dataclass(frozen=True, slots=True)
class Told:
    """What the operator itself has found out: versions of secret values, and names that are taken."""

    secrets: Mapping[str, SecretVersion]
    taken: Mapping[str, tuple[str, ...]]


def observation(outcome: Outcome, observed: Observed, store: Store, told: Told) -> Seen:
    """What is seen now of all gateways, GatewaySecrets and unparsed resources."""
    gateways = {
        key: _gateway(node.gateway, observed, told.taken.get(key, ()))
        for key, node in outcome.serving.gateways.items()
    }
    unparsed = {name: _unparsed(one) for name, one in store.unparsed.items()}
    return Seen(datetime.now(UTC), gateways, told.secrets, unparsed)


def _unparsed(one: StoredUnparsed) -> Unparsed:
    generation = one.data["metadata"].get("generation", 1)
    return Unparsed(generation, one.problems, one.data.get("status"))


def _gateway(gateway: GatewayDeployment, observed: Observed, taken: tuple[str, ...]) -> ObservedGateway:
    namespace, name = gateway.metadata.namespace, instance(gateway)
    sections = observed.sections.get((namespace, name), _NOTHING)
    deployment = observed.objects.get(ObjectKey("Deployment", namespace, name), {})
    pods = observed.pods(namespace, name)
    return ObservedGateway(
        pods=tuple(Pod(pod, lease.version, lease.errors) for pod, lease in sorted(pods.items())),
        gateway=sections.gateway.get(""),
        apis=sections.api,
        subscriptions=sections.subscriptions,
        wanted=_count(deployment, "spec", "replicas"),
        ready=_count(deployment, "status", "readyReplicas"),
        addresses=_addresses(observed.objects.get(ObjectKey("Service", namespace, name), {})),
        taken=taken,
    )


def _count(found: KubeObject, part: str, name: str) -> int:
    value = (found.get(part) or {}).get(name, 0)
    return value if isinstance(value, int) else 0


def _addresses(service: KubeObject) -> tuple[str, ...]:
    """Where clients reach a Service: its load balancer's addresses, else its name in the cluster."""
    ingress: list[dict[str, Any]] = ((service.get("status") or {}).get("loadBalancer") or {}).get(
        "ingress"
    ) or []
    found = tuple(str(one.get("hostname") or one.get("ip")) for one in ingress)
    if found or not service:
        return found
    metadata = service["metadata"]
    return (f"{metadata['name']}.{metadata['namespace']}.svc",)
