"""The part of a GatewayDeployment that says who reaches its pods: Service and NetworkPolicy."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Network, StrictModel
from penstock_operator.resources.meta import Rules
from penstock_operator.resources.selectors import Annotations, LabelKey, LabelSelector


class ServiceTemplate(StrictModel):
    """The Service in front of the pods, with a port for each listener."""

    rules: ClassVar[Rules] = (
        (
            "self.type == 'LoadBalancer' || !(has(self.loadBalancerClass) || "
            "has(self.loadBalancerSourceRanges))",
            "loadBalancerClass and loadBalancerSourceRanges need the type LoadBalancer",
        ),
        (
            "self.type != 'ClusterIP' || !(has(self.externalTrafficPolicy) || has(self.nodePorts))",
            "externalTrafficPolicy and nodePorts need the type NodePort or LoadBalancer",
        ),
    )

    type: Annotated[
        Literal["ClusterIP", "NodePort", "LoadBalancer"], Field(description="Who can reach it.")
    ] = "ClusterIP"
    annotations: Annotated[Annotations, Field(description="Annotations, for controllers.")] = Field(
        default_factory=dict
    )
    load_balancer_class: Annotated[
        LabelKey | None, Field(description="The controller that makes the load balancer.")
    ] = None
    load_balancer_source_ranges: Annotated[
        tuple[Network, ...],
        Field(strict=False, max_length=256, description="Clients that the load balancer lets in; none: all."),
    ] = ()
    external_traffic_policy: Annotated[
        Literal["Cluster", "Local"] | None,
        Field(description="Local: to pods of the same node, which see the client's address."),
    ] = None
    node_ports: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=65535)]],
        Field(max_length=64, description="Port of the nodes by name of the listener."),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fields_of_the_type(self) -> ServiceTemplate:
        if self.type != "LoadBalancer" and (self.load_balancer_class or self.load_balancer_source_ranges):
            raise ValueError(self.rules[0][1])
        if self.type == "ClusterIP" and (self.external_traffic_policy or self.node_ports):
            raise ValueError(self.rules[1][1])
        return self


class NetworkPeer(StrictModel):
    """Pods by the labels of their namespaces and their own."""

    rules: ClassVar[Rules] = (
        (
            "has(self.namespaceSelector) || has(self.podSelector)",
            "`namespaceSelector` or `podSelector` is needed",
        ),
    )

    namespace_selector: Annotated[
        LabelSelector | None, Field(description="Their namespaces; none: the gateway's own.")
    ] = None
    pod_selector: Annotated[LabelSelector | None, Field(description="The pods; none: all.")] = None

    @model_validator(mode="after")
    def _one_selector(self) -> NetworkPeer:
        if self.namespace_selector is None and self.pod_selector is None:
            raise ValueError(self.rules[0][1])
        return self


class NetworkPolicyTemplate(StrictModel):
    """Who may connect to the pods: everybody to listeners, chosen pods to the admin port."""

    enabled: Annotated[bool, Field(description="Whether there is a NetworkPolicy.")] = True
    admin_from: Annotated[
        tuple[NetworkPeer, ...],
        Field(
            strict=False,
            max_length=32,
            description="Pods that may reach the admin port, such as Prometheus; the kubelet always may.",
        ),
    ] = ()
