"""The wire types of Kafka APIs and of the listeners that serve them. Times in seconds, sizes in bytes."""

from __future__ import annotations

from gateway_runtime.snapshot.wire import SecretRef, Wire


class Certificate(Wire):
    """A certificate chain and its private key, both PEM."""

    chain: SecretRef
    key: SecretRef


class ListenerTls(Wire):
    """TLS towards clients: the first certificate for the name that a client asks for (SNI) is shown.

    With `client_ca` (PEM) clients may show certificates; plans with mtls need it.
    """

    certificates: tuple[Certificate, ...]
    client_ca: SecretRef | None = None


class KafkaListener(Wire):
    """An address that serves Kafka APIs.

    With the patterns `bootstrap` and `broker` APIs and brokers are told apart by SNI, all on `port`: `{api}`,
    `{namespace}` and `{broker}` stand in for their names and the broker's id. Without them by port: those of
    an API (`KafkaApi.port`) between `port` and `last_port`; clients are told `host`.
    """

    name: str
    port: int
    last_port: int = 0
    address: str = "0.0.0.0"  # noqa: S104 - a gateway serves its network
    host: str = ""
    bootstrap: str = ""
    broker: str = ""
    tls: ListenerTls | None = None


class KafkaTls(Wire):
    """TLS towards a cluster. PEM texts, which may name secrets; without `ca` the system's are trusted."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str | None = None
    verify: bool = True


class PlainSasl(Wire, tag="plain"):
    """SASL PLAIN (RFC 4616)."""

    username: str
    password: str


class ScramSasl(Wire, tag="scram"):
    """SASL SCRAM (RFC 5802); `mechanism` is SCRAM-SHA-256 or SCRAM-SHA-512."""

    username: str
    password: str
    mechanism: str = "SCRAM-SHA-512"


class OAuthSasl(Wire, tag="oauthBearer"):
    """SASL OAUTHBEARER (RFC 7628) with tokens by client credentials (RFC 6749 section 4.4)."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None


ClusterSasl = PlainSasl | ScramSasl | OAuthSasl


class KafkaCluster(Wire):
    """The cluster behind an API. Strings may name secrets; `bootstrap_servers` are `HOST:PORT`."""

    name: str
    bootstrap_servers: tuple[str, ...]
    tls: KafkaTls | None = None
    sasl: ClusterSasl | None = None
    connect_timeout: float = 10.0
    response_timeout: float = 60.0


class KafkaLimits(Wire):
    """Bounds on one client. `connections` are of one subscription in one worker, `in_flight` requests."""

    frame: int = 104857600
    connections: int = 1000
    in_flight: int = 64
    max_connection_age: float | None = None


class KafkaApi(Wire):
    """What an API of type Kafka is.

    By port its bootstrap is `port`, and the broker with the id N is `port` + 1 + N - `first_broker`, for
    `brokers` ids from `first_broker` on; by host it is `name` that stands for `{api}`. `client_telemetry`
    says whether telemetry of clients (KIP-714) goes on to the cluster.
    """

    name: str
    cluster: KafkaCluster
    port: int = 0
    brokers: int = 16
    first_broker: int = 0
    limits: KafkaLimits = KafkaLimits()
    client_telemetry: bool = False


class ScramVerifier(Wire):
    """What checks a SCRAM proof (RFC 5802 section 3): base64; the two keys are masked with the pepper."""

    mechanism: str
    salt: str
    iterations: int
    stored_key: str
    server_key: str
