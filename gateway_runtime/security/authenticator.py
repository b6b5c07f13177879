"""The plans of an API to one function that lets a request in or answers it.

Plans are tried in order: one whose credential the request carries, and whose selection rule holds, decides; a
keyless plan lets in only requests that carry no credential of the API's other plans.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.security.api_key import ApiKeyMethod
from gateway_runtime.security.method import (
    ABSENT,
    Absent,
    AdmissionFunction,
    KeySetSource,
    Method,
    SecurityEnvironment,
    Strip,
    Verdict,
)
from gateway_runtime.security.refusals import missing_reply, weightier
from gateway_runtime.security.subscriptions import grants_by_client, grants_by_key
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    JwtSecurity,
    KeylessSecurity,
    Plan,
    SubscriptionsSection,
)

__all__ = ["AdmissionFunction", "KeySetSource", "SecurityEnvironment", "compile_admission"]


class _Candidate:
    """One plan: its selection rule, and how it checks; no method means keyless.

    `strips` takes the credentials of the API's other plans out of what this one lets in.
    """

    __slots__ = ("method", "plan", "rule", "strips")

    def __init__(self, plan: str, method: Method | None, rule: Callable[[Exchange], bool] | None) -> None:
        self.plan = plan
        self.method = method
        self.rule = rule
        self.strips: list[Strip] = []

    def applies(self, exchange: Exchange) -> bool:
        return self.rule is None or self.rule(exchange)

    def clean(self, exchange: Exchange) -> None:
        for strip in self.strips:
            strip(exchange.request)


def compile_admission(
    plans: tuple[Plan, ...],
    subscriptions: SubscriptionsSection | None,
    environment: SecurityEnvironment,
) -> AdmissionFunction:
    """The function that admits requests to an API with these plans.

    Raises KeyError for a secret that is not there, ValueError for a key that cannot be read, and
    ExpressionError for a broken selection rule.
    """
    candidates = [_candidate(plan, subscriptions, environment) for plan in plans]
    if len(candidates) == 1 and candidates[0].rule is None:
        return _single(candidates[0])
    return _Admission(candidates)


def _candidate(
    plan: Plan, subscriptions: SubscriptionsSection | None, environment: SecurityEnvironment
) -> _Candidate:
    rule = None if plan.selection_rule is None else environment.condition(plan.selection_rule)
    return _Candidate(plan.name, _method(plan, subscriptions, environment), rule)


def _method(
    plan: Plan, subscriptions: SubscriptionsSection | None, environment: SecurityEnvironment
) -> Method | None:
    security = plan.security
    if isinstance(security, ApiKeySecurity):
        return ApiKeyMethod(plan.name, security, grants_by_key(subscriptions, plan.name), environment)
    if isinstance(security, JwtSecurity):
        # Only an API with such a plan pays for the cryptography.
        from gateway_runtime.security.jwt import JwtMethod  # noqa: PLC0415

        return JwtMethod(plan.name, security, grants_by_client(subscriptions, plan.name), environment)
    if not isinstance(security, KeylessSecurity):
        raise TypeError(f"the plan {plan.name} is of a kind that HTTP APIs have not")
    return None


def _single(candidate: _Candidate) -> AdmissionFunction:
    """The one plan of an API, without a rule."""
    plan, method = candidate.plan, candidate.method
    if method is None:

        def keyless(exchange: Exchange) -> None:
            exchange.plan = plan

        return keyless
    check, missing = method.check, method.missing

    def checked(exchange: Exchange) -> Reply | Awaitable[Reply | None] | None:
        verdict = check(exchange)
        return missing_reply(missing) if isinstance(verdict, Absent) else verdict

    return checked


class _Admission:
    """Several plans, or one with a rule."""

    __slots__ = ("_candidates", "_methods")

    def __init__(self, candidates: list[_Candidate]) -> None:
        self._candidates = candidates
        self._methods = [candidate.method for candidate in candidates if candidate.method is not None]
        for candidate in candidates:
            candidate.strips = _foreign(candidate.method, self._methods)

    def __call__(self, exchange: Exchange) -> Reply | Awaitable[Reply | None] | None:
        return self._from(exchange, 0, None)

    def _from(
        self, exchange: Exchange, first: int, refusal: Reply | None
    ) -> Reply | Awaitable[Reply | None] | None:
        """Try the plans from the given one on; `refusal` is the best reason to refuse so far."""
        for index in range(first, len(self._candidates)):
            candidate = self._candidates[index]
            if not candidate.applies(exchange):
                continue
            verdict = self._check(candidate, exchange)
            if verdict is None:
                candidate.clean(exchange)
                return None
            if isinstance(verdict, Absent):
                if candidate.method is not None:
                    refusal = weightier(refusal, missing_reply(candidate.method.missing))
            elif isinstance(verdict, Reply):
                refusal = weightier(refusal, verdict)
            else:
                return self._later(exchange, verdict, index + 1, refusal)
        return self._challenged(refusal or error_reply("GATEWAY_PLAN_UNRESOLVABLE"))

    def _challenged(self, reply: Reply) -> Reply:
        """A request without any credential is told of the scheme Bearer (RFC 6750 section 3)."""
        if reply.key == "API_KEY_MISSING" and any(
            method.missing == "JWT_MISSING_TOKEN" for method in self._methods
        ):
            reply.headers = [("www-authenticate", "Bearer")]
        return reply

    def _check(self, candidate: _Candidate, exchange: Exchange) -> Verdict:
        if candidate.method is not None:
            return candidate.method.check(exchange)
        if any(method.is_present(exchange) for method in self._methods):
            return ABSENT
        exchange.plan = candidate.plan
        return None

    async def _later(
        self, exchange: Exchange, verdict: Awaitable[Reply | None], index: int, refusal: Reply | None
    ) -> Reply | None:
        reply = await verdict
        if reply is None:
            self._candidates[index - 1].clean(exchange)
            return None
        outcome = self._from(exchange, index, weightier(refusal, reply))
        return outcome if outcome is None or isinstance(outcome, Reply) else await outcome


def _foreign(own: Method | None, methods: list[Method]) -> list[Strip]:
    """What takes other plans' credentials out, but where a plan's own may be: no key goes further unasked."""
    places = own.places if own is not None else {}
    return [
        strip
        for method in methods
        if method is not own and not method.propagate
        for place, strip in method.places.items()
        if place not in places
    ]
