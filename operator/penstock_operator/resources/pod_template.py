"""The part of a GatewayDeployment that says what its pods are like, and how many there are."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Duration, StrictModel
from penstock_operator.resources.meta import NamedList, NameRef, ResourceName, Rules
from penstock_operator.resources.quantities import Count, Quantity
from penstock_operator.resources.selectors import Annotations, LabelKey, Labels, LabelValue


class Autoscaling(StrictModel):
    """A number of pods that follows their load."""

    rules: ClassVar[Rules] = (
        ("self.minReplicas <= self.maxReplicas", "minReplicas must be at most maxReplicas"),
    )

    min_replicas: Annotated[int, Field(ge=1, le=1000, description="The fewest pods.")] = 2
    max_replicas: Annotated[int, Field(ge=1, le=1000, description="The most pods.")]
    cpu_utilization: Annotated[
        int, Field(ge=1, le=1000, description="Percent of the requested CPU to hold on average.")
    ] = 70

    @model_validator(mode="after")
    def _least_below_most(self) -> Autoscaling:
        if self.min_replicas > self.max_replicas:
            raise ValueError(self.rules[0][1])
        return self


class DisruptionBudget(StrictModel):
    """How many pods may be away at once for work on nodes."""

    max_unavailable: Annotated[
        Count, Field(description="A number, or a percentage of the pods; there is no budget for one pod.")
    ] = 1


class Resources(StrictModel):
    """CPU and memory of a pod."""

    requests: Annotated[
        dict[str, Quantity], Field(max_length=16, description="What a node must have free.")
    ] = {"cpu": "250m", "memory": "256Mi"}  # noqa: RUF012
    limits: Annotated[dict[str, Quantity], Field(max_length=16, description="What it may use at most.")] = (
        Field(default_factory=dict)
    )

    @property
    def cpu(self) -> str | None:
        """The CPU that a pod counts on: the limit, else the request."""
        return self.limits.get("cpu") or self.requests.get("cpu")


class Toleration(StrictModel):
    """A taint of nodes that pods bear; see Kubernetes' Toleration."""

    rules: ClassVar[Rules] = (
        (
            "self.operator == 'Exists' ? !has(self.value) : has(self.key)",
            "Exists has no `value`, Equal needs a `key`",
        ),
        (
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "tolerationSeconds needs effect: NoExecute",
        ),
    )

    key: Annotated[LabelKey | None, Field(description="The taint; none, with Exists: all.")] = None
    operator: Annotated[Literal["Exists", "Equal"], Field(description="Whether the value counts.")] = "Equal"
    value: Annotated[LabelValue | None, Field(description="The taint's value, for Equal.")] = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        Field(description="The taint's effect; none: all."),
    ] = None
    toleration_seconds: Annotated[
        int | None, Field(ge=0, description="How long NoExecute is borne; none: for good.")
    ] = None

    @model_validator(mode="after")
    def _as_kubernetes_takes_it(self) -> Toleration:
        if self.value is not None if self.operator == "Exists" else self.key is None:
            raise ValueError(self.rules[0][1])
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError(self.rules[1][1])
        return self


class TopologySpread(StrictModel):
    """How evenly the gateway's pods lie over the nodes; see Kubernetes' TopologySpreadConstraint."""

    topology_key: Annotated[LabelKey, Field(description="The label whose values are the domains of nodes.")]
    max_skew: Annotated[int, Field(ge=1, description="The largest difference between two domains.")] = 1
    when_unsatisfiable: Annotated[
        Literal["DoNotSchedule", "ScheduleAnyway"], Field(description="Where it cannot be had.")
    ] = "ScheduleAnyway"


class PodTemplate(StrictModel):
    """What the pods are like; a change of it rolls them."""

    labels: Annotated[Labels, Field(description="Labels, besides the operator's own.")] = Field(
        default_factory=dict
    )
    annotations: Annotated[Annotations, Field(description="Annotations.")] = Field(default_factory=dict)
    resources: Resources = Field(default_factory=Resources, description="CPU and memory.")
    node_selector: Annotated[Labels, Field(description="Labels that nodes must have.")] = Field(
        default_factory=dict
    )
    tolerations: Annotated[
        tuple[Toleration, ...], Field(strict=False, max_length=64, description="Taints that pods bear.")
    ] = ()
    affinity: Annotated[
        dict[str, Any] | None, Field(description="Kubernetes' Affinity; checked where it is applied.")
    ] = None
    topology_spread_constraints: Annotated[
        tuple[TopologySpread, ...],
        Field(strict=False, max_length=16, description="How pods are spread; an empty list: not at all."),
    ] = (
        TopologySpread(topologyKey="topology.kubernetes.io/zone"),
        TopologySpread(topologyKey="kubernetes.io/hostname"),
    )
    priority_class_name: Annotated[ResourceName | None, Field(description="A PriorityClass.")] = None
    image_pull_secrets: Annotated[
        NamedList[NameRef], Field(max_length=16, description="Secrets for the registry of the image.")
    ] = ()
    drain_delay: Annotated[
        Duration,
        Field(
            ge=0,
            le=3600,
            description="How long a pod that stops serves on until load balancers have left it.",
        ),
    ] = 10.0


class ServiceAccountTemplate(StrictModel):
    """The pods' ServiceAccount."""

    annotations: Annotated[
        Annotations, Field(description="Annotations, such as those that give it rights in a cloud.")
    ] = Field(default_factory=dict)
