"""Whether the claims of a token hold (RFC 7519 section 4.1). Times in seconds since the epoch."""

from __future__ import annotations

from typing import Any, Final

from gateway_runtime.snapshot.types import JwtSecurity

_LAST_TIME: Final = 1e12


def claims_hold(claims: dict[str, Any], security: JwtSecurity, now: float) -> bool:
    """Whether a token with these claims may be accepted at this time; `exp` is required."""
    skew = security.clock_skew
    return (
        _is_time(claims.get("exp"))
        and claims["exp"] > now - skew
        and _has_begun(claims, "nbf", now + skew)
        and _has_begun(claims, "iat", now + skew)
        and (security.issuer is None or claims.get("iss") == security.issuer)
        and (not security.audiences or _is_for(claims.get("aud"), security.audiences))
    )


def _has_begun(claims: dict[str, Any], name: str, latest: float) -> bool:
    return name not in claims or (_is_time(claims[name]) and claims[name] <= latest)


def _is_time(value: object) -> bool:
    """NumericDate (RFC 7519 section 2): a JSON number, no text; without the infinities."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LAST_TIME


def _is_for(value: object, audiences: tuple[str, ...]) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(audience, str) and audience in audiences for audience in values)
