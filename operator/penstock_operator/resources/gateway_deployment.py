"""GatewayDeployment: one gateway, what it listens on and which APIs it serves."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway_runtime.policies.fields import Duration, Network, Size, StrictModel
from penstock_operator.resources.api_definition import AccessLog, Tag
from penstock_operator.resources.flows import Flows
from penstock_operator.resources.meta import NamedList, Names, PrinterColumn, Resource


class Listener(StrictModel):
    """An address that the gateway serves."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            max_length=63,
            description="Its name within the gateway.",
        ),
    ]
    protocol: Annotated[Literal["HTTP"], Field(description="HTTP: HTTP/1.1 without TLS.")] = "HTTP"
    port: Annotated[int, Field(ge=1, le=65535, description="The TCP port.")]
    address: Annotated[str, Field(description="The IP address to bind.")] = "0.0.0.0"  # noqa: S104


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

    from_: Annotated[
        Literal["All", "Same"], Field(alias="from", description="Same: the GatewayDeployment's own.")
    ] = "All"


class ApiSelection(StrictModel):
    """Which APIs the gateway serves, besides the match of tags."""

    namespaces: NamespaceSelection = Field(default_factory=NamespaceSelection, description="By namespace.")


class GatewayDeploymentSpec(StrictModel):
    """What the gateway is."""

    workers: Annotated[int | None, Field(ge=1, le=1024, description="Worker processes; none: one a CPU.")] = (
        None
    )
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
    access_log: AccessLog = Field(default_factory=AccessLog, description="The access log of all APIs.")


class GatewayDeployment(Resource):
    """One gateway: its listeners, limits, platform policies and the APIs it serves."""

    names: ClassVar = Names(kind="GatewayDeployment", plural="gatewaydeployments", short=("gwd",))
    columns: ClassVar = (
        PrinterColumn(name="Workers", type="integer", json_path=".spec.workers"),
        PrinterColumn(
            name="Accepted", type="string", json_path='.status.conditions[?(@.type=="Accepted")].status'
        ),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["GatewayDeployment"]
    spec: GatewayDeploymentSpec = Field(default_factory=GatewayDeploymentSpec)
