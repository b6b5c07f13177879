"""Field lines of a head to names with a meaning for the framing (RFC 9112 section 5).

A table turns each field name, as it was written, into its lower-case form and its kind: one look-up
validates the name and tells whether the field needs more than to be copied.
"""

from __future__ import annotations

from typing import Final

PLAIN: Final = 0
HOST: Final = 1
CONTENT_LENGTH: Final = 2
TRANSFER_ENCODING: Final = 3
CONNECTION: Final = 4
HOP_BY_HOP: Final = 5
UPGRADE: Final = 6
EXPECT: Final = 7
FORWARDED: Final = 8

_KINDS: Final = {
    b"host": HOST,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"connection": CONNECTION,
    b"keep-alive": HOP_BY_HOP,
    b"proxy-connection": HOP_BY_HOP,
    b"proxy-authenticate": HOP_BY_HOP,
    b"proxy-authorization": HOP_BY_HOP,
    b"te": HOP_BY_HOP,
    b"trailer": HOP_BY_HOP,
    b"upgrade": UPGRADE,
    b"expect": EXPECT,
    b"forwarded": FORWARDED,
    b"x-forwarded-for": FORWARDED,
    b"x-forwarded-host": FORWARDED,
    b"x-forwarded-port": FORWARDED,
    b"x-forwarded-proto": FORWARDED,
}
_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TEXT: Final = bytes([9, *range(32, 127), *range(128, 256)])
_CRLF: Final = b"\r\n"
_KNOWN_NAMES: Final = 4096


class FieldName:
    """A field name in lower case and its kind."""

    __slots__ = ("kind", "lower")

    def __init__(self, lower: bytes, kind: int) -> None:
        self.lower = lower
        self.kind = kind


NAMES: Final[dict[bytes, FieldName]] = {}
"""Field names seen, as written; bounded, and only ever filled with valid names."""


def field_name(name: bytes) -> FieldName | None:
    """The entry of a field name; None where RFC 9110 section 5.1 does not allow the name."""
    found = NAMES.get(name)
    if found is not None:
        return found
    if not name or name.translate(None, _TOKEN):
        return None
    lower = name.lower()
    known = NAMES.get(lower)
    if known is None:
        known = FieldName(lower, _KINDS.get(lower, PLAIN))
    if len(NAMES) < _KNOWN_NAMES and len(name) <= 64:
        NAMES[name] = known
    return known


def is_token(value: bytes) -> bool:
    """Whether a value is a token (RFC 9110 section 5.6.2)."""
    return bool(value) and not value.translate(None, _TOKEN)


def split_head(head: bytes) -> list[bytes] | None:
    """The lines of a head; None where it holds a control character or a bare CR or LF."""
    lines = head.split(_CRLF)
    if head.translate(None, _TEXT) != _CRLF * (len(lines) - 1):
        return None
    return lines


def parse_content_length(line: bytes) -> int:
    """The number of a Content-Length line; -1 where it is not a plain decimal number of a sane size."""
    value = line[15:].strip(b" \t")
    if not value.isdigit() or len(value) > 18:
        return -1
    return int(value)


def options(line: bytes, name_length: int) -> list[bytes]:
    """The members of a comma-separated field, in lower case (RFC 9110 section 5.6.1)."""
    value = line[name_length + 1 :].lower()
    return [member.strip(b" \t") for member in value.split(b",")]


for _name in [*_KINDS, b"user-agent", b"accept", b"content-type", b"date", b"server"]:
    field_name(_name)
    field_name(_name.title())
