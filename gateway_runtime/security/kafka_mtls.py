"""Client certificates of Kafka connections, which TLS has verified, to the subscriptions that they name.

A certificate is known by its SHA-256 before its common name; a common name that looks like such a hash names
nobody, as its owner could take another's place.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Reply
from gateway_runtime.security.clients import Clients
from gateway_runtime.security.kafka_identity import Admitted, Rule, earlier
from gateway_runtime.security.method import SecurityEnvironment
from gateway_runtime.security.subscriptions import grants_by_client
from gateway_runtime.snapshot.types import MtlsSecurity, Plan, SubscriptionsSection

METHOD: Final = "mtls"
_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")


class CertificatePlan:
    """The certificates of one plan."""

    method = METHOD

    def __init__(
        self,
        plan: Plan,
        subscriptions: SubscriptionsSection | None,
        rule: Rule,
        environment: SecurityEnvironment,
    ) -> None:
        assert isinstance(plan.security, MtlsSecurity)
        self._plan = plan.name
        self._rule = rule
        self._now = environment.now
        self._clients = Clients(
            grants_by_client(subscriptions, plan.name), plan.security.require_subscription
        )

    def admit(self, certificate: bytes) -> Admitted | Reply:
        """Who a verified certificate (DER) lets in."""
        fingerprint = sha256(certificate).hexdigest()
        name, end = _name_and_end(certificate)
        if end <= self._now():
            return Reply(401, "CERTIFICATE_INVALID", "The certificate has ended, or cannot be read.")
        client_id = fingerprint if self._clients.knows(fingerprint) else name
        grant = self._clients.find(client_id, self._now())
        if isinstance(grant, Reply):
            return grant
        info = None if grant is None else grant.info
        principal = client_id or fingerprint
        admitted = Admitted(self._plan, info, None, principal, earlier(grant, end), METHOD)
        return admitted if self._rule(admitted) else error_reply("GATEWAY_PLAN_UNRESOLVABLE")

    def still_holds(self, admitted: Admitted, now: float) -> str:
        """Why a client with a certificate must go, empty where it may stay."""
        return self._clients.still_holds(admitted.subscription, now)


def _name_and_end(certificate: bytes) -> tuple[str, float]:
    """The one common name of a certificate, else nothing, and its end in seconds since the epoch."""
    # Only a worker with such clients pays for the cryptography.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    try:
        parsed = x509.load_der_x509_certificate(certificate)
        names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        end = parsed.not_valid_after_utc.timestamp()
    except ValueError:
        return "", 0.0
    name = names[0].value if len(names) == 1 else ""
    return (name, end) if isinstance(name, str) and not _HASH.fullmatch(name) else ("", end)
