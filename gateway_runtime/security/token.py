"""Bytes of a signed token to its parts (RFC 7515 section 7.1), parsed strictly; nothing is verified here.

Refused are all that two readers could read in two ways: names that occur twice, text that is not UTF-8,
numbers that are none, and extensions that are not understood (`crit`, RFC 7515 section 4.1.11).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from typing import Any, Final, NoReturn

_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Token:
    """The parts of a token in compact form."""

    __slots__ = ("_payload", "algorithm", "key_id", "signature", "signed")

    def __init__(self, header: dict[str, Any], payload: bytes, signed: bytes, signature: bytes) -> None:
        self.algorithm: str = header["alg"]
        self.key_id: str | None = header.get("kid")
        self.signed = signed
        self.signature = signature
        self._payload = payload

    def claims(self) -> dict[str, Any] | None:
        """The claims; None where the payload is no JSON object."""
        try:
            claims = strict_json(_decoded(self._payload))
        except ValueError:
            return None
        return claims if isinstance(claims, dict) else None


def parse_token(token: bytes) -> Token | None:
    """The parts of a token; None where it is none, or of a kind that is not for a gateway."""
    match = _COMPACT.fullmatch(token)
    if match is None:
        return None
    try:
        header = strict_json(_decoded(match[1]))
        signature = _decoded(match[3])
    except ValueError:
        return None
    if not isinstance(header, dict) or not _is_understood(header):
        return None
    return Token(header, match[2], token[: match.end(2)], signature)


def strict_json(document: bytes) -> Any:
    """The value of a JSON text in UTF-8 (RFC 8259).

    Raises ValueError where it is none, nests too deep, or names a member twice.
    """
    try:
        return json.loads(document.decode(), object_pairs_hook=_members, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("the document nests too deep") from error


def _is_understood(header: dict[str, Any]) -> bool:
    """RFC 7515 section 4.1; `typ` of another kind of token is refused (RFC 8725 section 3.11)."""
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or not isinstance(header.get("kid", ""), str):
        return False
    kind = kind.lower().removeprefix("application/")
    return (
        isinstance(header.get("alg"), str)
        and "crit" not in header
        and "b64" not in header
        and (not kind.endswith("+jwt") or kind == "at+jwt")
    )


def _decoded(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
