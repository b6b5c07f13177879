"""Request targets and authorities: strict forms, and paths in one normal form.

The path is normalised (RFC 3986 section 6.2.2, and repeated slashes merged) before it is matched, and goes
to the backend in that form, so that policies and backends see the same path.
"""

from __future__ import annotations

import re
from typing import Final

from gateway_runtime.protocols.http1.errors import ProtocolError, malformed
from gateway_runtime.protocols.http1.scan import NO_TARGET, scan_target

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_SLASHES: Final = re.compile(r"/{2,}")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_AUTHORITY: Final = re.compile(
    rb"(\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)
_KNOWN_AUTHORITIES: Final = 1024


class Authority:
    """Host and port as sent, and the host alone in lower case."""

    __slots__ = ("host", "text")

    def __init__(self, text: str, host: str) -> None:
        self.text = text
        self.host = host


_AUTHORITIES: Final[dict[bytes, Authority]] = {}


def parse_authority(value: bytes) -> Authority:
    """The parts of a Host field or of an absolute target (RFC 9110 section 7.2).

    Raises ProtocolError where it is not a host with an optional port.
    """
    known = _AUTHORITIES.get(value)
    if known is not None:
        return known
    match = _AUTHORITY.fullmatch(value)
    if match is None or len(value) > 260:
        raise malformed("the Host is not a host name with an optional port")
    port: bytes | None = match[2]
    if port and int(port) > 65535:
        raise malformed("the port of the Host is too large")
    authority = Authority(value.decode("ascii"), match[1].decode("ascii").lower().rstrip("."))
    if len(_AUTHORITIES) < _KNOWN_AUTHORITIES:
        _AUTHORITIES[value] = authority
    return authority


def check_target(target: bytes) -> None:
    """Raise ProtocolError where a target holds a character or an escape that no URI may hold."""
    if scan_target(target) == NO_TARGET:
        raise bad_character()
    check_escapes(target)


def bad_character() -> ProtocolError:
    """A target that holds a character that no URI may hold."""
    return malformed("the request target holds a character that must be percent-encoded")


def check_escapes(target: bytes) -> None:
    """Raise ProtocolError where a target holds a percent sign that starts no escape, or an escaped NUL."""
    if _BAD_ESCAPE.search(target.decode("ascii")) is not None:
        raise malformed("the request target holds a broken percent-encoding")


def normalise_path(path: str) -> str:
    """The normal form of an absolute path (RFC 3986 section 6.2.2; repeated slashes merged)."""
    if "%" in path:
        path = _ESCAPE.sub(_normal_escape, path)
    if "//" in path:
        path = _SLASHES.sub("/", path)
    if "/." in path:
        path = _remove_dot_segments(path)
    return path


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _remove_dot_segments(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", "..") and (not kept or kept[-1] != ""):
        kept.append("")
    return "/" + "/".join(kept)
