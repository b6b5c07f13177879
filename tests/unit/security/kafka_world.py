"""What the tests of Kafka's admission share: sections, clients' messages, and dialogues to their end."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

from security_world import World

from gateway_runtime.protocols.kafka.sasl_scram import digest as hashed
from gateway_runtime.protocols.kafka.sasl_scram import exclusive_or, salted_password, sign
from gateway_runtime.protocols.kafka.sasl_server import Challenge, Done, Failed
from gateway_runtime.security.kafka import Admitted, KafkaAdmission
from gateway_runtime.snapshot.kafka import ScramVerifier
from gateway_runtime.snapshot.keys import SCRAM_MECHANISMS, key_digest, masked, scram_label, scram_salt
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    ApiSection,
    Plan,
    Subscription,
    SubscriptionsSection,
)

KEY, NEW_KEY = "key-of-mobile-0001", "key-of-mobile-0002"
GOLD = Plan(name="gold", security=ApiKeySecurity())
SCRAM = list(SCRAM_MECHANISMS)


def admission(world: World, *plans: Plan, subscriptions: tuple[Subscription, ...] = ()) -> KafkaAdmission:
    section = ApiSection(name="orders", namespace="shop", routes=(), endpoint_groups=(), plans=plans)
    return KafkaAdmission(
        section, SubscriptionsSection(api="shop/orders", subscriptions=subscriptions), world
    )


def keyed(name: str, *keys: str, pepper: bytes = b"", plan: str = "gold", **more: Any) -> Subscription:
    """A subscription with API keys, as the operator publishes it."""
    salt = scram_salt(f"shop/{name}")
    plain_digests = [sha256(key.encode()).hexdigest() for key in keys]
    digests = [key_digest(digest, pepper) if pepper else digest for digest in plain_digests]
    verifiers = [
        _verifier(mechanism, key, salt, digest, pepper)
        for key, digest in zip(keys, digests, strict=True)
        for mechanism in SCRAM_MECHANISMS
    ]
    return Subscription(
        name=name, plan=plan, application=name, key_digests=tuple(digests), scram=tuple(verifiers), **more
    )


def _verifier(mechanism: str, key: str, salt: bytes, digest: str, pepper: bytes) -> ScramVerifier:
    salted = salted_password(mechanism, key, salt, 4096)
    text = b64encode(salt).decode()
    stored = hashed(mechanism, sign(mechanism, salted, b"Client Key"))
    server = sign(mechanism, salted, b"Server Key")
    return ScramVerifier(
        mechanism=mechanism,
        salt=text,
        iterations=4096,
        stored_key=_hidden(stored, pepper, scram_label(mechanism, "stored", text, digest)),
        server_key=_hidden(server, pepper, scram_label(mechanism, "server", text, digest)),
    )


def _hidden(value: bytes, pepper: bytes, label: str) -> str:
    return b64encode(masked(value, pepper, label)).decode()


async def plain(admission: KafkaAdmission, name: str, key: str) -> Admitted | str:
    """Who PLAIN lets in, or why not."""
    return _ended(await admission.starts("PLAIN").step(f"\0{name}\0{key}".encode()))


async def bearer(admission: KafkaAdmission, token: str, authorization: str = "") -> Admitted | str:
    """Who a token lets in, or why not."""
    exchange = admission.starts("OAUTHBEARER")
    asked = f"a={authorization}" if authorization else ""
    outcome = await exchange.step(f"n,{asked},\x01auth=Bearer {token}\x01\x01".encode())
    return _ended(await exchange.step(b"\x01") if isinstance(outcome, Challenge) else outcome)


async def shown(admission: KafkaAdmission, mechanism: str, name: str) -> bytes:
    """What SCRAM shows of a name, without the nonce."""
    outcome = await admission.starts(mechanism).step(f"n,,n={name},r=abc".encode())
    assert isinstance(outcome, Challenge)
    return outcome.payload.partition(b",")[2]


async def scram(admission: KafkaAdmission, mechanism: str, name: str, key: str) -> Admitted | str:
    """Who SCRAM lets in, or why not."""
    exchange = admission.starts(mechanism)
    outcome = await exchange.step(f"n,,n={name},r=abc".encode())
    assert isinstance(outcome, Challenge)
    nonce, salt, iterations = outcome.payload.split(b",")
    salted = salted_password(mechanism, key, b64decode(salt[2:]), int(iterations[2:]))
    client_key = sign(mechanism, salted, b"Client Key")
    unproved = b"c=biws," + nonce
    message = b",".join((f"n={name},r=abc".encode(), outcome.payload, unproved))
    proof = exclusive_or(client_key, sign(mechanism, hashed(mechanism, client_key), message))
    ended = await exchange.step(unproved + b",p=" + b64encode(proof))
    if isinstance(ended, Done):
        server_key = sign(mechanism, salted, b"Server Key")
        assert ended.payload == b"v=" + b64encode(sign(mechanism, server_key, message))
    return _ended(ended)


def _ended(outcome: Challenge | Done[Admitted] | Failed) -> Admitted | str:
    assert not isinstance(outcome, Challenge)
    return outcome.identity if isinstance(outcome, Done) else outcome.reason
