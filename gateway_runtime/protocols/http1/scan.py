"""A head to its lines, sorted by whether they need more than to be copied.

This is the definition; `_scan.pyx` does the same in C where it is compiled; a test holds one to the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Resolve = Callable[[bytes], bytes | int]
"""The lower-case form of a valid field name that is copied as it is; the kind of one with a meaning here."""

Scanned = tuple[bytes, list[bytes], list[bytes], list[int], list[bytes]]
"""The start line; the lower-case names and the lines of fields to copy; kinds and lines of the others."""

_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TEXT: Final = bytes([9, *range(32, 127), *range(128, 256)])
_TARGET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%[]{}|^"
_CRLF: Final = b"\r\n"
_MAX_NAMES: Final = 512
_MAX_LENGTH: Final = 64
_UNKNOWN: Final = b""

_known: dict[bytes, bytes | int] = {}


def split_head(head: bytes) -> list[bytes] | None:
    """The lines of a head; None where it holds a control character or a bare CR or LF."""
    lines = head.split(_CRLF)
    if head.translate(None, _TEXT) != _CRLF * (len(lines) - 1):
        return None
    return lines


def is_token(value: bytes) -> bool:
    """Whether a value is a token (RFC 9110 section 5.6.2)."""
    return bool(value) and not value.translate(None, _TOKEN)


def learn(name: bytes, lower: bytes | int) -> None:
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
    kinds: list[int] = []
    special: list[bytes] = []
    for line in all_lines[1:]:
        colon = line.find(b":")
        name = line[:colon] if colon > 0 else b""
        lower = _known.get(name, _UNKNOWN)
        if lower == _UNKNOWN:
            if not is_token(name):
                return None
            lower = resolve(name)
        if isinstance(lower, int):
            kinds.append(lower)
            special.append(line)
        else:
            names.append(lower)
            lines.append(line)
    return all_lines[0], names, lines, kinds, special


NO_TARGET: Final = -1
HAS_ESCAPE: Final = 1
NOT_NORMAL: Final = 2
MARK_SHIFT: Final = 2


def scan_target(target: bytes) -> int:
    """What a request target holds: `NO_TARGET` where a character is no URI's, else flags and a place.

    `HAS_ESCAPE`: a percent sign; `NOT_NORMAL`: the path may not be in normal form; from `MARK_SHIFT` on:
    where the first question mark is, counted from 1 (0: none).
    """
    if target.translate(None, _TARGET):
        return NO_TARGET
    mark = target.find(b"?")
    path = target if mark < 0 else target[:mark]
    flags = HAS_ESCAPE if b"%" in target else 0
    if b"%" in path or b"/." in path or b"//" in path:
        flags |= NOT_NORMAL
    return (mark + 1) << MARK_SHIFT | flags
