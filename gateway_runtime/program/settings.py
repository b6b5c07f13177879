"""Parts of a section whose strings are needed at load to the same parts with their secrets.

What is wrong with such a string is told without it: it may hold a value.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from gateway_runtime.expressions.compile import Secrets
from gateway_runtime.expressions.scan import START
from gateway_runtime.expressions.settings import evaluate_setting
from gateway_runtime.snapshot.types import Endpoint, JwtSecurity, OAuth2Security, Plan

_ENDPOINT: Final = re.compile(r"https?://[^\s?#@/]+(?:/[^\s?#]*)?", re.ASCII)


def endpoint_url(endpoint: Endpoint, secrets: Secrets) -> str:
    """Where a backend is; raises ValueError where its secrets make no URL of it."""
    url = evaluate_setting(endpoint.url, secrets)
    if START in endpoint.url and not _ENDPOINT.fullmatch(url):
        raise ValueError(f"endpoint {endpoint.name}: its url is none, with the secrets in it")
    return url


def with_settings(plan: Plan, secrets: Secrets) -> Plan:
    """A plan whose security has its secrets."""
    security = plan.security
    if isinstance(security, OAuth2Security):
        asked = replace(
            security,
            introspection_url=evaluate_setting(security.introspection_url, secrets),
            client_id=evaluate_setting(security.client_id, secrets),
            client_secret=evaluate_setting(security.client_secret, secrets),
        )
        return replace(plan, security=asked)
    if not isinstance(security, JwtSecurity):
        return plan

    def optional(text: str | None) -> str | None:
        return None if text is None else evaluate_setting(text, secrets)

    filled = replace(
        security,
        public_key=optional(security.public_key),
        jwks_url=optional(security.jwks_url),
        issuer=optional(security.issuer),
        audiences=tuple(evaluate_setting(text, secrets) for text in security.audiences),
    )
    return replace(plan, security=filled)
