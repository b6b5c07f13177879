"""API keys of Kafka clients, by PLAIN and SCRAM: the user is a subscription's name, the password its key.

Of a name that no subscription has, SCRAM shows what it would show of one, and fails at the end.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import Final, Literal

from gateway_runtime.protocols.kafka.sasl_scram import KEY_BYTES
from gateway_runtime.protocols.kafka.sasl_scram_server import ScramCredential, ScramKey
from gateway_runtime.protocols.kafka.sasl_server import Failed
from gateway_runtime.security.api_key import MAX_KEY, MIN_KEY
from gateway_runtime.security.kafka_identity import Admitted, Rule, earlier
from gateway_runtime.security.method import SecurityEnvironment
from gateway_runtime.security.subscriptions import Grant
from gateway_runtime.snapshot.kafka import ScramVerifier
from gateway_runtime.snapshot.keys import SCRAM_MECHANISMS, masked, peppered, scram_label, scram_salt
from gateway_runtime.snapshot.types import Subscription, SubscriptionsSection

METHOD: Final = "apiKey"
INVALID: Final = "API_KEY_INVALID"
LEAST_ITERATIONS: Final = 4096
_NO_GRANT: Final = Grant(Subscription(name="", plan="", application="", state="Closed"), bytes(32))


@dataclass(frozen=True, slots=True)
class _Key:
    """One API key of one subscription, with its verifiers by mechanism."""

    grant: Grant
    verifiers: dict[str, ScramVerifier] = field(repr=False)


class ApiKeys:
    """The keys of all API key plans of one API; `rules` are those plans' by name."""

    method = METHOD

    def __init__(
        self,
        namespace: str,
        subscriptions: SubscriptionsSection | None,
        rules: dict[str, Rule],
        environment: SecurityEnvironment,
    ) -> None:
        self._namespace = namespace
        self._rules = rules
        self._pepper = environment.pepper()
        self._now = environment.now
        self._keys: dict[str, list[_Key]] = {}
        for subscription in () if subscriptions is None else subscriptions.subscriptions:
            if subscription.plan in rules and subscription.key_digests:
                self._keys.setdefault(subscription.name, []).extend(_keys(subscription))
        verifiers = (one for keys in self._keys.values() for key in keys for one in key.verifiers.values())
        self._iterations = next((verifier.iterations for verifier in verifiers), LEAST_ITERATIONS)

    def password(self, name: str, password: bytes) -> Admitted | Failed:
        """Who a subscription's name and its API key let in."""
        if not MIN_KEY <= len(password) <= MAX_KEY:
            return Failed(INVALID)
        digest = sha256(password).digest()
        if self._pepper:
            digest = peppered(digest, self._pepper)
        held = [key for key in self._keys.get(name, []) if hmac.compare_digest(key.grant.digest, digest)]
        return self._admit(held[0].grant) if held else Failed(INVALID)

    def scram(self, mechanism: str, name: str) -> ScramCredential[Admitted]:
        """What checks the proof of a name; a made-up one where no subscription with a key has it."""
        made_up = self._nobody(mechanism, name)  # for each name, so that time tells nothing
        keys = [key for key in self._keys.get(name, []) if mechanism in key.verifiers] or [made_up]
        shown = keys[0].verifiers[mechanism]
        return ScramCredential(
            b64decode(shown.salt),
            shown.iterations,
            tuple(self._scram_key(key, key.verifiers[mechanism]) for key in keys),
        )

    def still_holds(self, admitted: Admitted, now: float) -> str:
        """Why a client with a key must go, empty where it may stay."""
        grants = [key.grant for key in self._keys.get(admitted.principal, [])]
        grants = [grant for grant in grants if grant.info.plan == admitted.plan]
        if not grants:
            return "SUBSCRIPTION_MISSING"
        refusal = grants[0].refuse(now)
        if refusal is not None:
            return refusal.key
        return "" if any(grant.digest == admitted.key_digest for grant in grants) else INVALID

    def _admit(self, grant: Grant) -> Admitted | Failed:
        refusal = grant.refuse(self._now())
        if refusal is not None:
            return Failed(refusal.key)
        info, end = grant.info, earlier(grant, None)
        admitted = Admitted(info.plan, info, None, info.name, end, METHOD, grant.digest)
        return admitted if self._rules[info.plan](admitted) else Failed("GATEWAY_PLAN_UNRESOLVABLE")

    def _nobody(self, mechanism: str, name: str) -> _Key:
        """A key that nobody has, with the salt that a subscription of that name would have."""
        stored_key, server_key = (_base64(token_bytes(KEY_BYTES[mechanism])) for _ in range(2))
        verifier = ScramVerifier(
            mechanism=mechanism,
            salt=_base64(scram_salt(f"{self._namespace}/{name}")),
            iterations=self._iterations,
            stored_key=stored_key,
            server_key=server_key,
        )
        return _Key(_NO_GRANT, {mechanism: verifier})

    def _scram_key(self, key: _Key, verifier: ScramVerifier) -> ScramKey[Admitted]:
        def unmasked(part: Literal["stored", "server"], value: str) -> bytes:
            label = scram_label(verifier.mechanism, part, verifier.salt, key.grant.digest.hex())
            return masked(b64decode(value), self._pepper, label)

        stored, server = unmasked("stored", verifier.stored_key), unmasked("server", verifier.server_key)
        return ScramKey(stored, server, lambda: self._admit(key.grant))


def _keys(subscription: Subscription) -> Iterator[_Key]:
    """The verifiers are, by mechanism, in the order of the digests."""
    for index, text in enumerate(subscription.key_digests):
        verifiers = {
            mechanism: found[index]
            for mechanism in SCRAM_MECHANISMS
            if len(found := _of(subscription, mechanism)) == len(subscription.key_digests)
        }
        yield _Key(Grant(subscription, bytes.fromhex(text)), verifiers)


def _of(subscription: Subscription, mechanism: str) -> list[ScramVerifier]:
    return [verifier for verifier in subscription.scram if verifier.mechanism == mechanism]


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
