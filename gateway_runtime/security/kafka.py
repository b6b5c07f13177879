"""The plans of a Kafka API to what tells who a client is: by SASL, by its certificate, or by nothing.

The plans decide which mechanisms are offered. A client without SASL is let in by its certificate where a plan
is for those; a keyless plan lets in only who shows none that a plan is for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, TypeVar

from gateway_runtime.errors import ERRORS
from gateway_runtime.exchange import ApiInfo, Reply
from gateway_runtime.protocols.kafka.sasl_scram_server import ScramServer
from gateway_runtime.protocols.kafka.sasl_server import (
    MALFORMED,
    Failed,
    OAuthBearerServer,
    PlainServer,
    ServerExchange,
)
from gateway_runtime.security.kafka_identity import Admitted, Rule, compile_rule
from gateway_runtime.security.kafka_keys import INVALID, ApiKeys
from gateway_runtime.security.kafka_mtls import CertificatePlan
from gateway_runtime.security.kafka_tokens import TokenPlan, bearer_check
from gateway_runtime.security.method import SecurityEnvironment
from gateway_runtime.security.refusals import weightier
from gateway_runtime.snapshot.keys import SCRAM_MECHANISMS
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    ApiSection,
    KeylessSecurity,
    MtlsSecurity,
    Plan,
    SubscriptionsSection,
)

__all__ = ["Admitted", "KafkaAdmission", "explain"]

ANONYMOUS: Final = "ANONYMOUS"
"""The principal of clients that nothing is known of."""

_OWN: Final = {
    MALFORMED: "The SASL message is not one of its mechanism.",
    "SASL_AUTHORIZATION_REFUSED": "The client may act as itself alone.",
    "CERTIFICATE_INVALID": "The certificate has ended, or cannot be read.",
    "CERTIFICATE_REQUIRED": "The API has no plan for clients without a certificate.",
    "SASL_OTHER_CLIENT": "The connection is another client's.",
    "SASL_REQUIRED": "The API has no plan for clients without SASL.",
    "SASL_SESSION_EXPIRED": "The session has ended; the client must authenticate anew.",
    "OAUTH2_INVALID_TOKEN": "The bearer token is not valid.",
    "OAUTH2_SERVER_UNAVAILABLE": "The issuer of the token cannot be asked.",
}

_Kind = TypeVar("_Kind")
Starter = Callable[[], ServerExchange[Admitted]]


class _Method(Protocol):
    """What one or more plans check clients by."""

    @property
    def method(self) -> str:
        """The kind of their security."""
        ...

    def still_holds(self, admitted: Admitted, now: float) -> str:
        """Why a client that they let in must go, empty where it may stay."""
        ...


class _KeylessPlan:
    """Lets everybody in for whom its selection rule holds."""

    method = "keyless"

    def __init__(self, plan: str, rule: Rule) -> None:
        self._rule = rule
        self._admitted = Admitted(plan, None, None, ANONYMOUS, None, self.method)

    def admit(self) -> Admitted | None:
        return self._admitted if self._rule(self._admitted) else None

    def still_holds(self, _admitted: Admitted, _now: float) -> str:
        return ""


class KafkaAdmission:
    """Who may connect to one API.

    Raises KeyError for a secret that is not there, ValueError for a key or URL that cannot be used, and
    ExpressionError for a broken selection rule.
    """

    def __init__(
        self,
        section: ApiSection,
        subscriptions: SubscriptionsSection | None,
        environment: SecurityEnvironment,
    ) -> None:
        api = ApiInfo(section.name, section.namespace, section.version, section.properties)
        rules = {plan.name: compile_rule(plan, api, environment) for plan in section.plans}
        keyed = [plan.name for plan in section.plans if isinstance(plan.security, ApiKeySecurity)]
        self._methods: dict[str, _Method] = {
            plan.name: _method(plan, rules[plan.name], subscriptions, environment)
            for plan in section.plans
            if plan.name not in keyed
        }
        self._starters = _token_starters(self._all_of(TokenPlan))
        if keyed:
            keys = ApiKeys(
                section.namespace, subscriptions, {name: rules[name] for name in keyed}, environment
            )
            self._methods.update(dict.fromkeys(keyed, keys))
            self._starters = _key_starters(keys) | self._starters
        self._certificates = self._all_of(CertificatePlan)
        self._keyless = self._all_of(_KeylessPlan)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms that clients are offered; none where no plan is for SASL."""
        return tuple(self._starters)

    def starts(self, mechanism: str) -> ServerExchange[Admitted]:
        """A new exchange by one of the mechanisms; raises KeyError for another."""
        return self._starters[mechanism]()

    def without_sasl(self, certificate: bytes | None) -> Admitted | Failed:
        """Who a connection without SASL is: by its certificate (DER), which TLS has verified, else nobody."""
        if certificate is not None and self._certificates:
            return self._by_certificate(certificate)
        found = next((admitted for plan in self._keyless if (admitted := plan.admit())), None)
        if found is not None:
            return found
        if self._starters:
            return Failed("SASL_REQUIRED")
        return Failed("CERTIFICATE_REQUIRED" if self._certificates else "GATEWAY_PLAN_UNRESOLVABLE")

    def still_holds(self, admitted: Admitted, now: float) -> str:
        """The key of why a client that was let in, by an earlier program too, must go; empty: it stays."""
        method = self._methods.get(admitted.plan)
        if method is None or method.method != admitted.method:
            return "GATEWAY_PLAN_UNRESOLVABLE"
        reason = method.still_holds(admitted, now)
        if not reason and admitted.expires_at is not None and now >= admitted.expires_at:
            return "SASL_SESSION_EXPIRED"
        return reason

    def _by_certificate(self, certificate: bytes) -> Admitted | Failed:
        refusal: Reply | None = None
        for plan in self._certificates:
            found = plan.admit(certificate)
            if isinstance(found, Admitted):
                return found
            refusal = weightier(refusal, found)
        return Failed("GATEWAY_PLAN_UNRESOLVABLE" if refusal is None else refusal.key)

    def _all_of(self, kind: type[_Kind]) -> list[_Kind]:
        return [method for method in self._methods.values() if isinstance(method, kind)]


def explain(reason: str) -> str:
    """The sentence for the client of a reason why it was refused, or is let go."""
    return _OWN[reason] if reason in _OWN else ERRORS[reason][1]


def _method(
    plan: Plan, rule: Rule, subscriptions: SubscriptionsSection | None, environment: SecurityEnvironment
) -> _Method:
    if isinstance(plan.security, KeylessSecurity):
        return _KeylessPlan(plan.name, rule)
    if isinstance(plan.security, MtlsSecurity):
        return CertificatePlan(plan, subscriptions, rule, environment)
    return TokenPlan(plan, subscriptions, rule, environment)


def _token_starters(plans: list[TokenPlan]) -> dict[str, Starter]:
    if not plans:
        return {}
    check = bearer_check(plans)
    return {"OAUTHBEARER": lambda: OAuthBearerServer(check)}


def _key_starters(keys: ApiKeys) -> dict[str, Starter]:
    def scram(mechanism: str) -> ServerExchange[Admitted]:
        return ScramServer(mechanism, partial(keys.scram, mechanism), INVALID)

    plain: dict[str, Starter] = {"PLAIN": lambda: PlainServer(keys.password)}
    return plain | {mechanism: partial(scram, mechanism) for mechanism in SCRAM_MECHANISMS}
