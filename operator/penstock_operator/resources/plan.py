"""Plan: one way to be let in to an API."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Condition, Duration, HeaderName, Setting, StrictModel
from penstock_operator.resources.flows import Flows
from penstock_operator.resources.meta import (
    ExactlyOne,
    NameRef,
    Names,
    PrinterColumn,
    Resource,
    Rules,
    SecretKeyRef,
    condition_columns,
)

Algorithm = Literal[
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512",
    "HS256", "HS384", "HS512", "EdDSA",
]  # fmt: skip


class Keyless(StrictModel):
    """Everybody is let in."""


class ApiKey(StrictModel):
    """A key names the subscription.

    Clients of Kafka APIs log in with the name of the Subscription and the key: SASL PLAIN or SCRAM.
    """

    header: Annotated[HeaderName, Field(description="The header that holds the key.")] = "X-Api-Key"
    query: Annotated[
        str | None, Field(min_length=1, description="A query parameter that may hold the key instead.")
    ] = None
    propagate: Annotated[bool, Field(description="Whether the backend gets the key.")] = False
    rotation_overlap: Annotated[
        Duration, Field(description="How long the old key still holds when the operator has made a new one.")
    ] = 3600.0


class Jwks(StrictModel):
    """Keys from a JSON Web Key Set (RFC 7517)."""

    url: Annotated[Setting, Field(pattern=r"^(https?://\S+|.*\{#.*)$", description="Where the set is.")]
    refresh_interval: Annotated[Duration, Field(description="How long a set is used without a new look.")] = (
        300.0
    )


class JwtKey(ExactlyOne):
    """Where the key that checks tokens comes from: exactly one of these."""

    public_key: Annotated[Setting | None, Field(description="A public key, PEM.")] = None
    secret_ref: Annotated[SecretKeyRef | None, Field(description="A shared secret, for HS algorithms.")] = (
        None
    )
    jwks: Annotated[Jwks | None, Field(description="A key set at a URL.")] = None


class Jwt(StrictModel):
    """A signed token (RFC 7519) names the subscription by its client id."""

    rules: ClassVar[Rules] = (
        (
            "self.algorithms.all(a, a.startsWith('HS') == has(self.key.secretRef))",
            "HS algorithms need key.secretRef, all others key.publicKey or key.jwks",
        ),
    )

    algorithms: Annotated[
        tuple[Algorithm, ...],
        Field(strict=False, min_length=1, max_length=13, description="Signatures that are believed."),
    ] = ("RS256",)
    key: Annotated[JwtKey, Field(description="The key that checks tokens.")]
    issuer: Annotated[Setting | None, Field(description="The required iss claim.")] = None
    audiences: Annotated[
        tuple[Setting, ...], Field(strict=False, description="One of these must be in aud.")
    ] = ()
    clock_skew: Annotated[Duration, Field(description="Tolerance for exp, nbf and iat.")] = 30.0
    client_id_claim: Annotated[
        str, Field(min_length=1, description="The claim that holds the client id.")
    ] = "azp"
    require_subscription: Annotated[
        bool, Field(description="Whether the client needs a subscription with that client id.")
    ] = True
    propagate: Annotated[bool, Field(description="Whether the backend gets the token.")] = True

    @model_validator(mode="after")
    def _algorithms_fit_key(self) -> Jwt:
        """A public key must never be taken for a shared secret (RFC 8725 section 3.1)."""
        shared = self.key.secret_ref is not None
        if any(algorithm.startswith("HS") != shared for algorithm in self.algorithms):
            raise ValueError(self.rules[0][1])
        return self


class OAuth2(StrictModel):
    """A token that its issuer is asked about (RFC 7662) names the subscription by its client id."""

    introspection_url: Annotated[
        Setting, Field(pattern=r"^(https?://\S+|.*\{#.*)$", description="Where the issuer is asked.")
    ]
    client_id: Annotated[Setting, Field(description="The gateway's name there.")]
    client_secret: Annotated[Setting, Field(description="Its secret.")]
    client_id_claim: Annotated[
        str, Field(min_length=1, description="The member of the answer that holds the client id.")
    ] = "client_id"
    cache: Annotated[
        Duration, Field(description="How long an answer is believed, unless the token ends before.")
    ] = 30.0
    require_subscription: Annotated[
        bool, Field(description="Whether the client needs a subscription with that client id.")
    ] = True


class Mtls(StrictModel):
    """A client certificate names the subscription.

    The client id is its SHA-256 in hexadecimal, or its common name.
    """

    require_subscription: Annotated[
        bool, Field(description="Whether the client needs a subscription with that client id.")
    ] = True


class Security(ExactlyOne):
    """How clients are told apart: exactly one of these."""

    keyless: Annotated[Keyless | None, Field(description="Everybody is let in.")] = None
    api_key: Annotated[ApiKey | None, Field(description="A key names the subscription.")] = None
    jwt: Annotated[Jwt | None, Field(description="A token names the subscription.")] = None
    oauth2: Annotated[
        OAuth2 | None, Field(description="A token that its issuer knows; for Kafka APIs alone.")
    ] = None
    mtls: Annotated[Mtls | None, Field(description="A client certificate; for Kafka APIs alone.")] = None


class PlanSpec(StrictModel):
    """What the plan is."""

    api_ref: Annotated[NameRef, Field(description="The ApiDefinition the plan is for.")]
    description: Annotated[str, Field(max_length=4096, description="For people.")] = ""
    security: Security
    approval: Annotated[
        Literal["Auto", "Manual"],
        Field(
            description="Manual: a Subscription holds only with the annotation "
            "`penstock.dev/approval: Approved`; `Rejected` refuses it."
        ),
    ] = "Auto"
    order: Annotated[int, Field(description="Plans of an API are tried by ascending order, then name.")] = 0
    selection_rule: Annotated[
        Condition | None, Field(description="The plan is tried only where this expression is true.")
    ] = None
    flows: Annotated[Flows, Field(description="Policies for the plan's requests, before the API's own.")] = ()


class Plan(Resource):
    """One way to be let in to an API."""

    names: ClassVar = Names(kind="Plan", plural="plans", short=("plan",))
    columns: ClassVar = (
        PrinterColumn(name="API", type="string", json_path=".spec.apiRef.name"),
        PrinterColumn(name="Approval", type="string", json_path=".spec.approval"),
        PrinterColumn(name="Subscriptions", type="integer", json_path=".status.subscriptions"),
        PrinterColumn(name="Order", type="integer", json_path=".spec.order", priority=1),
        *condition_columns("Programmed", "Ready"),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["Plan"]
    spec: PlanSpec
