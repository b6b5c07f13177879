"""Turns a plan's node into a plan of the wire, and its subscriptions into theirs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from itertools import product

from gateway_runtime.snapshot import types as wire
from gateway_runtime.snapshot.kafka import ScramVerifier
from gateway_runtime.snapshot.keys import SCRAM_MECHANISMS, key_digest, masked, scram_label
from penstock_operator.graph.scram import ITERATIONS, ScramKeys
from penstock_operator.graph.types import ApiNode, PlanNode, SubscriptionNode
from penstock_operator.publish.flows import wire_flows
from penstock_operator.resources.plan import Jwt, OAuth2, Security


def wire_plan(node: PlanNode) -> wire.Plan:
    """One way to be let in to an API."""
    spec = node.plan.spec
    return wire.Plan(
        name=node.plan.metadata.name,
        security=_security(spec.security, node.secret_uri),
        selection_rule=spec.selection_rule,
        flows=wire_flows(spec.flows, node.manifest),
    )


def subscriptions_section(node: ApiNode, pepper: bytes = b"") -> wire.SubscriptionsSection:
    """The subscriptions to all plans of an API; with a pepper the digests of their keys are keyed with it."""
    return wire.SubscriptionsSection(api=node.api.key, subscriptions=tuple(_subscriptions(node, pepper)))


def _security(security: Security, secret_uri: str | None) -> wire.Security:
    if security.api_key is not None:
        key = security.api_key
        return wire.ApiKeySecurity(header=key.header.lower(), query=key.query, propagate=key.propagate)
    if security.oauth2 is not None:
        return _oauth2(security.oauth2)
    if security.mtls is not None:
        return wire.MtlsSecurity(require_subscription=security.mtls.require_subscription)
    return _jwt(security.jwt, secret_uri) if security.jwt is not None else wire.KeylessSecurity()


def _oauth2(oauth2: OAuth2) -> wire.OAuth2Security:
    return wire.OAuth2Security(
        introspection_url=oauth2.introspection_url,
        client_id=oauth2.client_id,
        client_secret=oauth2.client_secret,
        client_id_claim=oauth2.client_id_claim,
        cache=oauth2.cache,
        require_subscription=oauth2.require_subscription,
    )


def _jwt(jwt: Jwt, secret_uri: str | None) -> wire.JwtSecurity:
    jwks = jwt.key.jwks
    return wire.JwtSecurity(
        algorithms=jwt.algorithms,
        public_key=jwt.key.public_key,
        secret=wire.SecretRef(uri=secret_uri) if secret_uri else None,
        jwks_url=jwks.url if jwks else None,
        jwks_refresh=jwks.refresh_interval if jwks else 300.0,
        issuer=jwt.issuer,
        audiences=jwt.audiences,
        clock_skew=jwt.clock_skew,
        client_id_claim=jwt.client_id_claim,
        propagate=jwt.propagate,
        require_subscription=jwt.require_subscription,
    )


def _subscriptions(node: ApiNode, pepper: bytes) -> Iterator[wire.Subscription]:
    for plan in node.plans:
        for subscription in plan.subscriptions:
            yield _subscription(plan.plan.metadata.name, subscription, pepper)


def _subscription(plan: str, node: SubscriptionNode, pepper: bytes) -> wire.Subscription:
    spec = node.subscription.spec
    return wire.Subscription(
        name=node.subscription.metadata.name,
        plan=plan,
        application=spec.application.name,
        client_id=spec.application.client_id or "",
        state=spec.state,
        starts_at=_seconds(spec.starts_at),
        ends_at=_seconds(spec.ends_at),
        key_digests=_digests(node, pepper),
        scram=tuple(_verifiers(node, pepper)),
    )


def _digests(node: SubscriptionNode, pepper: bytes) -> tuple[str, ...]:
    return tuple(key_digest(one, pepper) for one in node.key_digests) if pepper else node.key_digests


def _verifiers(node: SubscriptionNode, pepper: bytes) -> Iterator[ScramVerifier]:
    """Those of each key for each mechanism, in the order of the digests of the keys."""
    if not node.scram:
        return
    each = product(_digests(node, pepper), SCRAM_MECHANISMS)
    for keys, (digest, _) in zip(node.scram, each, strict=True):
        yield _verifier(keys, digest, pepper)


def _verifier(keys: ScramKeys, digest: str, pepper: bytes) -> ScramVerifier:
    mechanism, salt = keys.mechanism, _base64(keys.salt)
    stored = masked(keys.stored_key, pepper, scram_label(mechanism, "stored", salt, digest))
    server = masked(keys.server_key, pepper, scram_label(mechanism, "server", salt, digest))
    return ScramVerifier(
        mechanism=mechanism,
        salt=salt,
        iterations=ITERATIONS,
        stored_key=_base64(stored),
        server_key=_base64(server),
    )


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
