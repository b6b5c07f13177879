"""The parts of an ApiDefinition of type Kafka: where clients find it, the cluster behind it, its limits."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Duration, Setting, Size, StrictModel
from penstock_operator.resources.meta import ExactlyOne, Rules

MOST_BROKERS = 199
"""A range of ports has 200 at most, and one of them is the bootstrap port."""
_LARGEST = 2**31 - 1
"""Sizes and ids are signed and of 32 bits in Kafka's protocol."""


class KafkaListener(StrictModel):
    """The name and the ports of a Kafka API; which of them are used the gateway's listeners say."""

    name: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            max_length=63,
            description="Stands for `{api}` in the host names of a gateway; none: that of the API.",
        ),
    ] = None
    port: Annotated[
        int | None,
        Field(
            ge=1,
            le=65535,
            description="The bootstrap port, where a gateway tells APIs apart by port; "
            "the next `brokers` ports are those of brokers.",
        ),
    ] = None
    brokers: Annotated[
        int, Field(ge=1, le=MOST_BROKERS, description="How many ids of brokers have a port.")
    ] = 16
    first_broker: Annotated[
        int, Field(ge=0, le=_LARGEST, description="The id of the broker at the first of these ports.")
    ] = 0


class KafkaTls(StrictModel):
    """TLS towards the brokers. Certificates and keys are PEM."""

    rules: ClassVar[Rules] = (
        ("has(self.certificate) == has(self.key)", "`certificate` and `key` go together"),
    )

    ca: Annotated[Setting | None, Field(description="Who signs theirs; none: whom the system trusts.")] = None
    certificate: Annotated[Setting | None, Field(description="Shown to the brokers.")] = None
    key: Annotated[Setting | None, Field(description="The key of `certificate`.")] = None
    server_name: Annotated[
        Setting | None, Field(description="The name theirs must be for; none: that of each broker.")
    ] = None
    verify: Annotated[bool, Field(description="Whether the certificates of brokers are checked.")] = True

    @model_validator(mode="after")
    def _key_with_certificate(self) -> KafkaTls:
        if (self.certificate is None) != (self.key is None):
            raise ValueError(self.rules[0][1])
        return self


class PlainSasl(StrictModel):
    """SASL PLAIN (RFC 4616)."""

    username: Annotated[Setting, Field(description="The user.")]
    password: Annotated[Setting, Field(description="The password.")]


class ScramSasl(StrictModel):
    """SASL SCRAM (RFC 5802)."""

    username: Annotated[Setting, Field(description="The user.")]
    password: Annotated[Setting, Field(description="The password, which the cluster does not get to see.")]
    mechanism: Annotated[
        Literal["SCRAM-SHA-256", "SCRAM-SHA-512"], Field(description="The mechanism of the user.")
    ] = "SCRAM-SHA-512"


class OAuthBearerSasl(StrictModel):
    """SASL OAUTHBEARER (RFC 7628) with tokens by client credentials (RFC 6749 section 4.4)."""

    token_url: Annotated[
        Setting, Field(pattern=r"^(https?://\S+|.*\{#.*)$", description="Where tokens are asked for.")
    ]
    client_id: Annotated[Setting, Field(description="The gateway's name there.")]
    client_secret: Annotated[Setting, Field(description="Its secret.")]
    scope: Annotated[Setting | None, Field(description="The scope to ask for.")] = None


class Sasl(ExactlyOne):
    """How the gateway authenticates to the brokers: exactly one of these."""

    plain: Annotated[PlainSasl | None, Field(description="A user and a password.")] = None
    scram: Annotated[ScramSasl | None, Field(description="A proof of a password.")] = None
    oauth_bearer: Annotated[OAuthBearerSasl | None, Field(description="A token.")] = None


class KafkaEndpoint(StrictModel):
    """A Kafka cluster."""

    bootstrap_servers: Annotated[
        tuple[
            Annotated[
                Setting, Field(pattern=r"^([^\s:/@?#,]+:[0-9]{1,5}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}|.*\{#.*)$")
            ],
            ...,
        ],
        Field(strict=False, min_length=1, max_length=64, description="Brokers to begin with: HOST:PORT."),
    ]
    tls: Annotated[KafkaTls | None, Field(description="TLS towards the brokers; none: no TLS.")] = None
    sasl: Annotated[Sasl | None, Field(description="Authentication to the brokers; none: none.")] = None


class KafkaLimits(StrictModel):
    """Bounds on what one client may do."""

    frame: Annotated[
        Size, Field(ge=1024, le=_LARGEST, description="The largest request or response, in bytes.")
    ] = 104857600
    connections: Annotated[
        int,
        Field(
            ge=1,
            description="The most connections of one subscription to a worker; without a plan's "
            "subscriptions, of one address.",
        ),
    ] = 1000
    in_flight: Annotated[
        int, Field(ge=1, le=10000, description="The most requests of a connection that wait for responses.")
    ] = 64
    max_connection_age: Annotated[
        Duration | None, Field(description="When a connection is ended, so that clients spread anew.")
    ] = None


class KafkaSettings(StrictModel):
    """What holds for a Kafka API alone."""

    limits: KafkaLimits = Field(default_factory=KafkaLimits, description="Bounds on clients.")
    client_telemetry: Annotated[
        Literal["Answer", "Forward"],
        Field(description="Telemetry of clients (KIP-714): taken and dropped here, or left to the cluster."),
    ] = "Answer"
