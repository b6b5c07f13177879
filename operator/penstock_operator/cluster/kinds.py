"""The kinds of objects that the operator watches or writes, and where the API server has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway_runtime.snapshot.parts import GATEWAY_LABEL
from penstock_operator.deploy.identity import MANAGED_BY_LABEL, MANAGER
from penstock_operator.history.revisions import API_LABEL
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import GROUP, VERSION


class ObjectKey(NamedTuple):
    """Names one object; `namespace` is empty for those of the whole cluster."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`Kind namespace/name`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind, how its collection is called, and which of its objects matter (a label selector)."""

    name: str
    group: str
    version: str
    plural: str
    selector: str = ""
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As in `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of a collection, or of one object."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{base}{place}/{self.plural}" + (f"/{name}" if name else "")


_OURS: Final = f"{MANAGED_BY_LABEL}={MANAGER}"

RESOURCES: Final = tuple(Kind(name, GROUP, VERSION, model.names.plural) for name, model in KINDS.items())
SECRET: Final = Kind("Secret", "", "v1", "secrets")
SERVICE: Final = Kind("Service", "", "v1", "services")
"""All of them: users' own are what endpoints refer to."""
NAMESPACE: Final = Kind("Namespace", "", "v1", "namespaces", namespaced=False)
CONFIG_MAP: Final = Kind("ConfigMap", "", "v1", "configmaps", _OURS)
LEASE: Final = Kind("Lease", "coordination.k8s.io", "v1", "leases", f"{_OURS},{GATEWAY_LABEL}")
REVISION: Final = Kind("ControllerRevision", "apps", "v1", "controllerrevisions", API_LABEL)
EVENT: Final = Kind("Event", "events.k8s.io", "v1", "events")
OWNED: Final = (
    Kind("ServiceAccount", "", "v1", "serviceaccounts", _OURS),
    Kind("Role", "rbac.authorization.k8s.io", "v1", "roles", _OURS),
    Kind("RoleBinding", "rbac.authorization.k8s.io", "v1", "rolebindings", _OURS),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies", _OURS),
    Kind("Deployment", "apps", "v1", "deployments", _OURS),
    SERVICE,
    Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets", _OURS),
    Kind("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers", _OURS),
)
"""What runs a gateway, in the order in which it is applied."""

WATCHED: Final = (*RESOURCES, SECRET, NAMESPACE, CONFIG_MAP, LEASE, REVISION, *OWNED)
BY_NAME: Final = {kind.name: kind for kind in (*WATCHED, EVENT)}


def key_of(found: KubeObject) -> ObjectKey:
    """The key of an object."""
    metadata = found["metadata"]
    return ObjectKey(found["kind"], metadata.get("namespace", ""), metadata["name"])
