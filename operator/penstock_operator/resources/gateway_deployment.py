"""GatewayDeployment: one gateway, what it listens on and which APIs it serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Duration, Network, Size, StrictModel
from penstock_operator.manifests.nodes import PathPart
from penstock_operator.resources.api_definition import AccessLog, Tag
from penstock_operator.resources.exposure import NetworkPolicyTemplate, ServiceTemplate
from penstock_operator.resources.flows import Flows
from penstock_operator.resources.kafka_routing import KafkaRouting, ListenerTls
from penstock_operator.resources.meta import (
    NamedList,
    Names,
    PrinterColumn,
    Resource,
    Rules,
    SecretKeyRef,
    condition_columns,
)
from penstock_operator.resources.pod_template import (
    Autoscaling,
    DisruptionBudget,
    PodTemplate,
    ServiceAccountTemplate,
)
from penstock_operator.resources.secret_provider import SecretProvider, credentials
from penstock_operator.resources.selectors import LabelSelector

DEFAULT_REPLICAS = 2


class Listener(StrictModel):
    """An address that the gateway serves."""

    rules: ClassVar[Rules] = (
        (
            # In defaults of lists nothing else is a default yet.
            "has(self.protocol) && self.protocol == 'Kafka' ? has(self.routing) : "
            "!has(self.routing) && !has(self.tls)",
            "protocol: Kafka needs `routing`, and alone has it and `tls`",
        ),
        (
            "has(self.port) != (has(self.routing) && self.routing.type == 'Port')",
            "`port` is needed, but for routing by ports, which has its `range` instead",
        ),
        (
            "!has(self.routing) || self.routing.type == 'Port' || has(self.tls)",
            "routing by hosts needs `tls`, which tells the host",
        ),
    )

    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            max_length=63,
            description="Its name within the gateway.",
        ),
    ]
    protocol: Annotated[
        Literal["HTTP", "Kafka"], Field(description="HTTP: HTTP/1.1 without TLS; Kafka: its own protocol.")
    ] = "HTTP"
    port: Annotated[
        int | None, Field(ge=1, le=65535, description="The TCP port; none with routing by ports.")
    ] = None
    address: Annotated[str, Field(description="The IP address to bind.")] = "0.0.0.0"  # noqa: S104
    tls: Annotated[ListenerTls | None, Field(description="TLS towards Kafka clients; none: no TLS.")] = None
    routing: Annotated[
        KafkaRouting | None, Field(description="How Kafka APIs and their brokers are told apart.")
    ] = None

    @property
    def ports(self) -> range:
        """All its TCP ports."""
        return (
            range(self.port, self.port + 1) if self.port else self.routing.ports if self.routing else range(0)
        )

    @model_validator(mode="after")
    def _fits_its_protocol(self) -> Listener:
        by_port = self.routing is not None and self.routing.type == "Port"
        is_kafka = self.protocol == "Kafka"
        holds = (
            is_kafka == (self.routing is not None) and (is_kafka or self.tls is None),
            by_port == (self.port is None),
            self.routing is None or by_port or self.tls is not None,
        )
        for held, (_, message) in zip(holds, self.rules, strict=True):
            if not held:
                raise ValueError(message)
        return self


class Limits(StrictModel):
    """Bounds on what one client may send."""

    request_line: Annotated[Size, Field(ge=256, description="The longest request line.")] = 8192
    header_count: Annotated[int, Field(ge=1, description="The most header fields.")] = 100
    header_bytes: Annotated[Size, Field(ge=1024, description="The largest request head.")] = 32768
    body: Annotated[Size | None, Field(description="The largest request body; none: no limit.")] = None
    buffered_body: Annotated[Size, Field(description="The largest body that a policy may hold at once.")] = (
        1048576
    )
    connections: Annotated[int, Field(ge=1, description="The most client connections of a worker.")] = 20000


class Timeouts(StrictModel):
    """Time limits towards clients."""

    header: Annotated[Duration, Field(description="From a request's first byte to the end of its head.")] = (
        10.0
    )
    body: Annotated[Duration, Field(description="Between two parts of a request or response body.")] = 30.0
    idle: Annotated[Duration, Field(description="Between two requests of a connection.")] = 75.0
    drain: Annotated[Duration, Field(description="The longest that a stop waits for open requests.")] = 30.0


class NamespaceSelection(StrictModel):
    """Which namespaces the gateway's APIs may live in."""

    rules: ClassVar[Rules] = (
        (
            "(has(self.from) && self.from == 'Selector') == has(self.selector)",
            "`selector` goes with from: Selector",
        ),
    )

    from_: Annotated[
        Literal["All", "Same", "Selector"],
        Field(alias="from", description="Same: the GatewayDeployment's own; Selector: by their labels."),
    ] = "All"
    selector: Annotated[LabelSelector | None, Field(description="Labels of the namespaces.")] = None

    @model_validator(mode="after")
    def _selector_with_selector(self) -> NamespaceSelection:
        if (self.from_ == "Selector") != (self.selector is not None):
            raise ValueError(self.rules[0][1])
        return self


class ApiSelection(StrictModel):
    """Which APIs the gateway serves, besides the match of tags."""

    namespaces: NamespaceSelection = Field(default_factory=NamespaceSelection, description="By namespace.")


class GatewayDeploymentSpec(StrictModel):
    """What the gateway is."""

    rules: ClassVar[Rules] = (
        (
            "!(has(self.replicas) && has(self.autoscaling))",
            "only one of `replicas` and `autoscaling` is used",
        ),
        (
            "!has(self.autoscaling) || 'cpu' in self.podTemplate.resources.requests || "
            "(has(self.podTemplate.resources.limits) && 'cpu' in self.podTemplate.resources.limits)",
            "autoscaling needs podTemplate.resources.requests.cpu",
        ),
        (
            "!has(self.service) || !has(self.service.nodePorts) || "
            "self.service.nodePorts.all(name, self.listeners.exists(one, one.name == name && has(one.port)))",
            "the names in service.nodePorts are those of listeners with a `port`",
        ),
    )

    replicas: Annotated[
        int | None,
        Field(ge=0, le=1000, description=f"Pods; {DEFAULT_REPLICAS} where there is no autoscaling either."),
    ] = None
    autoscaling: Annotated[Autoscaling | None, Field(description="Pods by load, in place of `replicas`.")] = (
        None
    )
    image: Annotated[
        str | None, Field(min_length=1, max_length=1024, description="The pods' image; none: the operator's.")
    ] = None
    workers: Annotated[
        int | None,
        Field(
            ge=1,
            le=1024,
            description="Worker processes; none: one a CPU, in a pod of its CPU limit or else its request.",
        ),
    ] = None
    tags: Annotated[tuple[Tag, ...], Field(strict=False, description="Sharding tags that it covers.")] = ()
    apis: ApiSelection = Field(default_factory=ApiSelection, description="Which APIs it serves.")
    listeners: Annotated[
        NamedList[Listener], Field(min_length=1, max_length=64, description="The addresses it serves.")
    ] = (Listener(name="http", port=8080),)
    limits: Limits = Field(default_factory=Limits, description="Bounds on clients.")
    timeouts: Timeouts = Field(default_factory=Timeouts, description="Time limits towards clients.")
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Field(strict=False, description="Peers whose Forwarded and X-Forwarded-* headers are believed."),
    ] = ()
    flows: Annotated[Flows, Field(description="Platform policies, before every API's own.")] = ()
    secret_providers: Annotated[
        NamedList[SecretProvider],
        Field(max_length=32, description="Where secrets come from besides the Secrets of Kubernetes."),
    ] = ()
    access_log: AccessLog = Field(default_factory=AccessLog, description="The access log of all APIs.")
    service: ServiceTemplate = Field(default_factory=ServiceTemplate, description="The Service.")
    pod_template: PodTemplate = Field(default_factory=PodTemplate, description="What the pods are like.")
    service_account: ServiceAccountTemplate = Field(
        default_factory=ServiceAccountTemplate, description="The pods' ServiceAccount."
    )
    disruption_budget: DisruptionBudget = Field(
        default_factory=DisruptionBudget, description="The PodDisruptionBudget."
    )
    network_policy: NetworkPolicyTemplate = Field(
        default_factory=NetworkPolicyTemplate, description="The NetworkPolicy."
    )

    @model_validator(mode="after")
    def _fields_fit_together(self) -> GatewayDeploymentSpec:
        broken = (
            self.replicas is not None and self.autoscaling is not None,
            self.autoscaling is not None and self.pod_template.resources.cpu is None,
            not self.service.node_ports.keys() <= {one.name for one in self.listeners if one.port},
        )
        for fails, (_, message) in zip(broken, self.rules, strict=True):
            if fails:
                raise ValueError(message)
        return self


def gateway_secrets(spec: GatewayDeploymentSpec) -> Iterator[tuple[SecretKeyRef, tuple[PathPart, ...]]]:
    """The keys of Secrets of its namespace that a gateway reads for itself, and the fields that name them."""
    for index, provider in enumerate(spec.secret_providers):
        for reference, below in credentials(provider):
            yield reference, ("spec", "secretProviders", index, *below)
    for index, listener in enumerate(spec.listeners):
        for key, place in listener.tls.secrets() if listener.tls else ():
            yield key, ("spec", "listeners", index, "tls", *place)


class GatewayDeployment(Resource):
    """One gateway: its listeners, limits, platform policies and the APIs it serves."""

    names: ClassVar = Names(kind="GatewayDeployment", plural="gatewaydeployments", short=("gwd",))
    columns: ClassVar = (
        PrinterColumn(name="Pods", type="string", json_path=".status.pods"),
        PrinterColumn(name="APIs", type="integer", json_path=".status.apis"),
        PrinterColumn(name="Address", type="string", json_path=".status.addresses[0]"),
        *condition_columns("Programmed", "Ready"),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["GatewayDeployment"]
    spec: GatewayDeploymentSpec = Field(default_factory=GatewayDeploymentSpec)
