"""The wire types of a snapshot: immutable, versioned, JSON by msgspec.

One section per API, one for its subscriptions, one for the gateway itself; each travels with its own
digest, so that a change of one costs work for that one alone. No type here can hold a secret's value:
secrets are named (`SecretRef`), keys of subscriptions are hashed.
"""

from __future__ import annotations

from typing import Any

from gateway_runtime.snapshot.kafka import KafkaApi, KafkaListener, ScramVerifier
from gateway_runtime.snapshot.providers import SecretProvider
from gateway_runtime.snapshot.wire import SecretRef as SecretRef  # noqa: PLC0414 - a type of the wire as the others
from gateway_runtime.snapshot.wire import Wire as Wire  # noqa: PLC0414 - their base

SCHEMA_VERSION = 1


class Step(Wire):
    """One policy of a flow, with its configuration as the user wrote it."""

    policy: str
    configuration: dict[str, Any] = {}
    name: str = ""
    condition: str | None = None


class PathMatch(Wire):
    """Which paths a flow is for, relative to the API's own path."""

    type: str = "Prefix"  # Prefix | Exact
    value: str = "/"


class Flow(Wire):
    """Steps for what matches; an empty `methods` means all.

    HTTP APIs have `request` and `response`; Kafka APIs `connect` (once, behind the authentication),
    `interact` (all requests), `publish` and `subscribe` (records). `topics` are names, or prefixes with `*`
    at their end, as clients know them; empty: all. They select records alone.
    """

    name: str = ""
    path: PathMatch = PathMatch()
    methods: tuple[str, ...] = ()
    condition: str | None = None
    request: tuple[Step, ...] = ()
    response: tuple[Step, ...] = ()
    topics: tuple[str, ...] = ()
    connect: tuple[Step, ...] = ()
    interact: tuple[Step, ...] = ()
    publish: tuple[Step, ...] = ()
    subscribe: tuple[Step, ...] = ()

    @property
    def has_kafka_steps(self) -> bool:
        """Whether it has steps of Kafka APIs."""
        return bool(self.connect or self.interact or self.publish or self.subscribe)

    @property
    def is_of_kafka(self) -> bool:
        """Whether it has steps of Kafka APIs alone, so that its condition is not for requests of HTTP."""
        return self.has_kafka_steps and not (self.request or self.response)


class Cors(Wire):
    """Cross-origin resource sharing (Fetch standard, CORS protocol)."""

    allow_origins: tuple[str, ...] = ("*",)
    allow_methods: tuple[str, ...] = ("GET", "HEAD", "POST")
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: float | None = None


class HttpRoute(Wire):
    """Hosts (`api.example.com`, `*.example.com`; empty: all) and the path prefix an API is served at."""

    hosts: tuple[str, ...] = ()
    path: str = "/"
    cors: Cors | None = None


class ServicePort(Wire):
    """A port of a Kubernetes Service by its name; that of a Service's only port may be empty."""

    namespace: str
    name: str
    port: str = ""

    @property
    def key(self) -> str:
        """Names its addresses wherever they go: `NAMESPACE/NAME:PORT`."""
        return f"{self.namespace}/{self.name}:{self.port}"


Address = tuple[str, int]
"""IP address and port of one backend."""


class Endpoint(Wire):
    """One backend; its URL's path is put before the path of each request.

    With `service` the requests go to the addresses of that Service, whatever the host of the URL resolves to;
    the URL still gives scheme, path, `Host` and the name that a certificate must be for.
    """

    name: str
    url: str
    headers: dict[str, str] = {}
    service: ServicePort | None = None


class EndpointGroup(Wire):
    """Endpoints among which requests are spread, with time limits in seconds."""

    name: str
    endpoints: tuple[Endpoint, ...]
    connect_timeout: float = 3.0
    response_timeout: float = 30.0


class KeylessSecurity(Wire, tag="keyless"):
    """Everybody is let in."""


class ApiKeySecurity(Wire, tag="apiKey"):
    """A key in a header or a query parameter names the subscription."""

    header: str = "x-api-key"
    query: str | None = None
    propagate: bool = False


class JwtSecurity(Wire, tag="jwt"):
    """A signed token (RFC 7519) whose client id names the subscription.

    Exactly one of `public_key` (PEM), `secret` (HS algorithms) and `jwks_url` is set.
    """

    algorithms: tuple[str, ...] = ("RS256",)
    public_key: str | None = None
    secret: SecretRef | None = None
    jwks_url: str | None = None
    jwks_refresh: float = 300.0
    issuer: str | None = None
    audiences: tuple[str, ...] = ()
    clock_skew: float = 30.0
    client_id_claim: str = "azp"
    propagate: bool = True
    require_subscription: bool = True


class OAuth2Security(Wire, tag="oauth2"):
    """A token that its issuer is asked about (RFC 7662): active ones name the subscription by client id.

    `introspection_url`, `client_id` and `client_secret` are strings that may name secrets.
    """

    introspection_url: str
    client_id: str
    client_secret: str
    client_id_claim: str = "client_id"
    cache: float = 30.0
    require_subscription: bool = True


class MtlsSecurity(Wire, tag="mtls"):
    """A client certificate names the subscription: by its SHA-256 in hexadecimal, else by its common name.

    Either is the client id of the subscription.
    """

    require_subscription: bool = True


Security = KeylessSecurity | ApiKeySecurity | JwtSecurity | OAuth2Security | MtlsSecurity


class Plan(Wire):
    """One way to be let in to an API; plans are tried in the order of the section."""

    name: str
    security: Security
    selection_rule: str | None = None
    flows: tuple[Flow, ...] = ()


class ResponseTemplate(Wire):
    """What a client gets in place of a gateway error's own body."""

    status: int | None = None
    headers: dict[str, str] = {}
    body: str = ""


class ApiSection(Wire):
    """All of one API but its subscriptions. `response_templates`: error key -> media type -> template.

    With `kafka` it is of type Kafka, and has neither routes nor endpoint groups.
    """

    name: str
    namespace: str
    routes: tuple[HttpRoute, ...]
    endpoint_groups: tuple[EndpointGroup, ...]
    version: str = ""
    plans: tuple[Plan, ...] = ()
    flows: tuple[Flow, ...] = ()
    response_templates: dict[str, dict[str, ResponseTemplate]] = {}
    properties: dict[str, str] = {}
    secrets: dict[str, SecretRef] = {}
    access_log: bool = True
    kafka: KafkaApi | None = None


class Subscription(Wire):
    """Who may use a plan. Times in seconds since the epoch; keys as digests (`snapshot/keys.py`).

    `scram` has, for a plan with API keys of a Kafka API, verifiers of each key for each mechanism.
    """

    name: str
    plan: str
    application: str
    client_id: str = ""
    state: str = "Active"  # Active | Paused | Closed
    starts_at: float | None = None
    ends_at: float | None = None
    key_digests: tuple[str, ...] = ()
    scram: tuple[ScramVerifier, ...] = ()


class SubscriptionsSection(Wire):
    """The subscriptions of one API."""

    api: str  # namespace/name
    subscriptions: tuple[Subscription, ...] = ()


class HttpListener(Wire):
    """An address that serves HTTP/1.1."""

    name: str
    port: int
    address: str = "0.0.0.0"  # noqa: S104 - a gateway serves its network


class Limits(Wire):
    """Bounds on what one client may send, in bytes but for `header_count`."""

    request_line: int = 8192
    header_count: int = 100
    header_bytes: int = 32768
    body: int | None = None
    buffered_body: int = 1048576
    connections: int = 20000


class Timeouts(Wire):
    """Seconds. `header`: from a request's first byte to the end of its head; `body`: between its parts."""

    header: float = 10.0
    body: float = 30.0
    idle: float = 75.0
    drain: float = 30.0


class GatewaySection(Wire):
    """What the gateway is besides its APIs.

    `key_pepper` names the bytes with which the digests of API keys are keyed (`snapshot/keys.py`); without
    it they are plain. `secret_providers` are those by whose names secrets may be named, besides Kubernetes.
    """

    name: str = "default"
    namespace: str = "default"
    listeners: tuple[HttpListener, ...] = (HttpListener(name="http", port=8080),)
    kafka_listeners: tuple[KafkaListener, ...] = ()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    trusted_proxies: tuple[str, ...] = ()
    flows: tuple[Flow, ...] = ()
    access_log: bool = True
    key_pepper: SecretRef | None = None
    secret_providers: tuple[SecretProvider, ...] = ()


class ApiEntry(Wire):
    """An API's section with its digest."""

    digest: str
    section: ApiSection


class SubscriptionsEntry(Wire):
    """A subscriptions section with its digest."""

    digest: str
    section: SubscriptionsSection


class Snapshot(Wire):
    """Everything one gateway serves. Maps are keyed by `namespace/name` of the API."""

    version: int = SCHEMA_VERSION
    gateway: GatewaySection = GatewaySection()
    apis: dict[str, ApiEntry] = {}
    subscriptions: dict[str, SubscriptionsEntry] = {}
