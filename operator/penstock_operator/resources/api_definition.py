"""ApiDefinition: an API, where it is served and what stands behind it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import (
    Duration,
    EndToEndHeaderName,
    HeaderName,
    HeaderTemplate,
    Setting,
    StatusCode,
    StrictModel,
    Template,
)
from penstock_operator.resources.flows import HTTP_PHASES, KAFKA_PHASES, Flows
from penstock_operator.resources.kafka_api import KafkaEndpoint, KafkaListener, KafkaSettings
from penstock_operator.resources.meta import (
    ExactlyOne,
    NamedList,
    Names,
    PrinterColumn,
    Resource,
    ResourceName,
    Rules,
    condition_columns,
)
from penstock_operator.resources.quantities import Port

Host = Annotated[
    str,
    Field(
        pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=253
    ),
]
MemberName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]([-._a-zA-Z0-9]*[a-zA-Z0-9])?$", max_length=63)]
Tag = Annotated[str, Field(min_length=1, max_length=63)]


class Cors(StrictModel):
    """Cross-origin resource sharing: preflights are answered by the gateway."""

    allow_origins: Annotated[
        tuple[str, ...], Field(strict=False, description="Origins such as https://shop.example.com, or *.")
    ] = ("*",)
    allow_methods: Annotated[tuple[str, ...], Field(strict=False, description="Methods, or *.")] = (
        "GET",
        "HEAD",
        "POST",
    )
    allow_headers: Annotated[tuple[str, ...], Field(strict=False, description="Request headers, or *.")] = ()
    expose_headers: Annotated[
        tuple[str, ...], Field(strict=False, description="Response headers that scripts may read.")
    ] = ()
    allow_credentials: Annotated[bool, Field(description="Whether cookies and authorization pass.")] = False
    max_age: Annotated[Duration | None, Field(description="How long a preflight is remembered.")] = None


class HttpListener(StrictModel):
    """Hosts and a path at which the API is served over HTTP."""

    hosts: Annotated[
        tuple[Host, ...], Field(strict=False, description="Host names, *.example.com allowed; empty: all.")
    ] = ()
    path: Annotated[
        str, Field(pattern=r"^/[^?#\s]*$", max_length=2048, description="The path prefix of the API.")
    ] = "/"
    cors: Annotated[Cors | None, Field(description="Cross-origin resource sharing.")] = None


class Listener(ExactlyOne):
    """Where the API is served: one key, the protocol."""

    http: Annotated[HttpListener | None, Field(description="Served over HTTP.")] = None
    kafka: Annotated[KafkaListener | None, Field(description="Served over Kafka's own protocol.")] = None


class ServiceRef(StrictModel):
    """A port of a Service: requests go straight to the addresses of its EndpointSlices."""

    name: Annotated[ResourceName, Field(description="The name of the Service.")]
    namespace: Annotated[
        ResourceName | None, Field(description="Its namespace: that of the API, as is the default.")
    ] = None
    port: Annotated[Port, Field(description="A port of the Service, by its number or its name.")]
    scheme: Annotated[Literal["http", "https"], Field(description="How it is spoken to.")] = "http"
    path: Annotated[
        Setting,
        Field(
            pattern=r"^/([^?#\s]*|.*\{#.*)$",
            max_length=2048,
            description="Put before the path of each request.",
        ),
    ] = "/"


class Endpoint(ExactlyOne):
    """One backend: a URL, a Service of the cluster, or a Kafka cluster."""

    common: ClassVar = frozenset(("name", "headers"))
    rules: ClassVar[Rules] = (
        (
            "!has(self.kafka) || !has(self.headers) || self.headers.size() == 0",
            "`headers` are for requests of HTTP, not for `kafka`",
        ),
    )

    name: Annotated[MemberName, Field(description="Its name within the group.")]
    url: Annotated[
        Setting | None,
        Field(
            pattern=r"^(https?://[^\s?#@/]+(/[^\s?#]*)?|.*\{#.*)$",
            description="http or https; its path is put before the path of each request.",
        ),
    ] = None
    service_ref: Annotated[
        ServiceRef | None, Field(description="A Service, whose endpoints are followed as they come and go.")
    ] = None
    kafka: Annotated[KafkaEndpoint | None, Field(description="The cluster of an API of type Kafka.")] = None
    headers: Annotated[
        dict[HeaderName, HeaderTemplate], Field(description="Headers set on each request to this endpoint.")
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_headers_of_kafka(self) -> Endpoint:
        if self.kafka is not None and self.headers:
            raise ValueError(self.rules[0][1])
        return self


class EndpointTimeouts(StrictModel):
    """Time limits towards the backend."""

    connect: Annotated[Duration, Field(description="Until the connection stands.")] = 3.0
    response: Annotated[
        Duration,
        Field(
            description="Between the request and the response head, and between parts of either. Of a Kafka "
            "API: until a broker answers what the gateway itself asks it; clients have timeouts of their own."
        ),
    ] = 30.0


class EndpointGroup(StrictModel):
    """Endpoints among which requests are spread in turn."""

    name: Annotated[MemberName, Field(description="Its name within the API.")]
    endpoints: Annotated[
        NamedList[Endpoint], Field(min_length=1, max_length=1024, description="The backend's addresses.")
    ]
    timeouts: EndpointTimeouts = Field(default_factory=EndpointTimeouts, description="Time limits.")


class ResponseTemplate(StrictModel):
    """What a client gets in place of the gateway's own error body."""

    status: Annotated[StatusCode | None, Field(description="Replaces the error's own status.")] = None
    headers: Annotated[
        dict[EndToEndHeaderName, HeaderTemplate], Field(description="Set on the response.")
    ] = Field(default_factory=dict)
    body: Annotated[Template, Field(description="The body.")] = ""


class AccessLog(StrictModel):
    """The JSON access log of the API."""

    enabled: Annotated[bool, Field(description="Whether requests are logged.")] = True


def _none_of(owner: str, names: tuple[str, ...]) -> str:
    return " && ".join(f"(!has({owner}.{name}) || {owner}.{name}.size() == 0)" for name in names)


class ApiDefinitionSpec(StrictModel):
    """What the API is."""

    rules: ClassVar[Rules] = (
        (
            "self.type == 'Kafka' ? self.listeners.size() == 1 && has(self.listeners[0].kafka) : "
            "self.listeners.all(one, has(one.http))",
            "type: Kafka goes with one listener, of `kafka`; type: Proxy with those of `http`",
        ),
        (
            "self.type == 'Kafka' ? self.endpointGroups.size() == 1 && "
            "self.endpointGroups[0].endpoints.size() == 1 && "
            "has(self.endpointGroups[0].endpoints[0].kafka) : "
            "self.endpointGroups.all(group, group.endpoints.all(one, !has(one.kafka)))",
            "type: Kafka goes with one endpoint, of `kafka`; type: Proxy with `url` and `serviceRef`",
        ),
        (
            f"self.type == 'Kafka' ? {_none_of('self', ('responseTemplates',))} : !has(self.kafka)",
            "`kafka` is for type: Kafka, and `responseTemplates` for type: Proxy",
        ),
        (
            "!has(self.flows) || self.flows.all(flow, self.type == 'Kafka' ? "
            f"{_none_of('flow', HTTP_PHASES)} && {_none_of('flow.match', ('methods',))} && "
            "flow.match.path.type == 'Prefix' && flow.match.path.value == '/' : "
            f"{_none_of('flow', KAFKA_PHASES)} && {_none_of('flow.match', ('topics',))})",
            "flows of type: Kafka have no request, response, path and methods; those of type: Proxy have no "
            "connect, interact, publish, subscribe and topics",
        ),
    )

    type: Annotated[
        Literal["Proxy", "Kafka"],
        Field(description="Proxy: an HTTP API; Kafka: a cluster, for ordinary Kafka clients."),
    ] = "Proxy"
    version: Annotated[str, Field(max_length=64, description="The API's own version.")] = ""
    description: Annotated[str, Field(max_length=4096, description="For people.")] = ""
    state: Annotated[Literal["Started", "Stopped"], Field(description="Whether gateways serve it.")] = (
        "Started"
    )
    tags: Annotated[
        tuple[Tag, ...],
        Field(strict=False, description="Sharding tags: served by gateways that cover them all."),
    ] = ()
    listeners: Annotated[
        tuple[Listener, ...],
        Field(strict=False, min_length=1, max_length=1024, description="Where the API is served."),
    ]
    endpoint_groups: Annotated[
        NamedList[EndpointGroup],
        Field(
            min_length=1,
            max_length=256,
            description="The first serves all requests for which the attribute endpointGroup names no other.",
        ),
    ]
    kafka: Annotated[KafkaSettings | None, Field(description="Limits and more of type: Kafka.")] = None
    properties: Annotated[dict[str, str], Field(description="Read as {#api.properties.NAME}.")] = Field(
        default_factory=dict
    )
    flows: Annotated[Flows, Field(description="Policies of the API, behind those of its plans.")] = ()
    response_templates: Annotated[
        dict[str, dict[str, ResponseTemplate]],
        Field(description="Error key (or DEFAULT) -> media type (or */*) -> template."),
    ] = Field(default_factory=dict)
    access_log: AccessLog = Field(default_factory=AccessLog, description="The access log.")
    revision_history_limit: Annotated[
        int, Field(ge=1, le=100, description="How many revisions are kept to look at and to go back to.")
    ] = 10

    @property
    def is_kafka(self) -> bool:
        """Whether the API is of type Kafka, and not of HTTP."""
        return self.type == "Kafka"

    @model_validator(mode="after")
    def _fits_its_type(self) -> ApiDefinitionSpec:
        """The rule of flows is left to the graph, as it holds for plans too, and tells the field."""
        holds = _kafka_shape(self) if self.is_kafka else _proxy_shape(self)
        for held, (_, message) in zip(holds, self.rules, strict=False):
            if not held:
                raise ValueError(message)
        return self


def _kafka_shape(spec: ApiDefinitionSpec) -> tuple[bool, ...]:
    endpoints = [one for group in spec.endpoint_groups for one in group.endpoints]
    return (
        len(spec.listeners) == 1 and spec.listeners[0].kafka is not None,
        len(endpoints) == 1 and endpoints[0].kafka is not None,
        not spec.response_templates,
    )


def _proxy_shape(spec: ApiDefinitionSpec) -> tuple[bool, ...]:
    return (
        all(listener.http is not None for listener in spec.listeners),
        all(one.kafka is None for group in spec.endpoint_groups for one in group.endpoints),
        spec.kafka is None,
    )


class ApiDefinition(Resource):
    """An API: where it is served, what policies it runs and what stands behind it."""

    names: ClassVar = Names(kind="ApiDefinition", plural="apidefinitions", short=("api",))
    columns: ClassVar = (
        PrinterColumn(name="Version", type="string", json_path=".spec.version"),
        PrinterColumn(name="State", type="string", json_path=".spec.state"),
        PrinterColumn(name="URL", type="string", json_path=".status.urls[0]"),
        PrinterColumn(name="Gateways", type="string", json_path=".status.gateways", priority=1),
        PrinterColumn(name="Pods", type="string", json_path=".status.pods"),
        *condition_columns("Programmed", "Ready"),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["ApiDefinition"]
    spec: ApiDefinitionSpec
