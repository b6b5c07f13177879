"""A head to its lines, sorted by whether they need more than to be copied.

This is the definition; `_scan.pyx` does the same in C where it is compiled; a test holds one to the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Resolve = Callable[[bytes], bytes | None]
"""The lower-case form of a valid field name that is copied as it is; None for one with a meaning here."""

Scanned = tuple[bytes, list[bytes], list[bytes], list[bytes]]
"""The start line; the lower-case names and the lines of fields to copy; the lines of the others."""

_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TEXT: Final = bytes([9, *range(32, 127), *range(128, 256)])
_CRLF: Final = b"\r\n"
_MAX_NAMES: Final = 512
_MAX_LENGTH: Final = 64
_UNKNOWN: Final = b""

_known: dict[bytes, bytes | None] = {}


def split_head(head: bytes) -> list[bytes] | None:
    """The lines of a head; None where it holds a control character or a bare CR or LF."""
    lines = head.split(_CRLF)
    if head.translate(None, _TEXT) != _CRLF * (len(lines) - 1):
        return None
    return lines


def is_token(value: bytes) -> bool:
    """Whether a value is a token (RFC 9110 section 5.6.2)."""
    return bool(value) and not value.translate(None, _TOKEN)


def learn(name: bytes, lower: bytes | None) -> None:
    """Remember what `resolve` says of a name; nothing where the table is full or the name is long."""
    if len(_known) < _MAX_NAMES and len(name) <= _MAX_LENGTH:
        _known[name] = lower


def scan_head(head: bytes, resolve: Resolve) -> Scanned | None:
    """The parts of a head, which is given without the empty line that ends it.

    None where a line holds a control character or does not end with CRLF, or a field has no valid name
    directly before its colon (RFC 9112 section 5.1).
    """
    all_lines = split_head(head)
    if all_lines is None:
        return None
    names: list[bytes] = []
    lines: list[bytes] = []
    special: list[bytes] = []
    for line in all_lines[1:]:
        colon = line.find(b":")
        name = line[:colon] if colon > 0 else b""
        lower = _known.get(name, _UNKNOWN)
        if lower == _UNKNOWN:
            if not is_token(name):
                return None
            lower = resolve(name)
        if lower is None:
            special.append(line)
        else:
            names.append(lower)
            lines.append(line)
    return all_lines[0], names, lines, special
