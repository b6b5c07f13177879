"""Field names with a meaning for the framing or the connection (RFC 9112), and what their values say."""

from __future__ import annotations

from typing import Final

from gateway_runtime.protocols.http1.scan import Scanned

try:
    from gateway_runtime.protocols.http1._scan import learn, scan_head, scan_target
except ImportError:
    from gateway_runtime.protocols.http1.scan import learn, scan_head, scan_target

HOST: Final = 1
CONTENT_LENGTH: Final = 2
TRANSFER_ENCODING: Final = 3
CONNECTION: Final = 4
HOP_BY_HOP: Final = 5
UPGRADE: Final = 6
EXPECT: Final = 7
FORWARDED: Final = 8

KINDS: Final = {
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


def scan(head: bytes) -> Scanned | None:
    """The parts of a head; see `gateway_runtime.protocols.http1.scan.scan_head`."""
    return scan_head(head, resolve)


def resolve(name: bytes) -> bytes | int:
    """The lower-case form of a field name that is copied as it is; the kind of one of `KINDS`."""
    lower = name.lower()
    resolved = KINDS.get(lower, lower)
    learn(name, resolved)
    return resolved


def target_shape(target: bytes) -> int:
    """What a target holds; see `gateway_runtime.protocols.http1.scan.scan_target`."""
    return scan_target(target)


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


for _name in [*KINDS, b"user-agent", b"accept", b"content-type", b"date", b"server"]:
    resolve(_name)
    resolve(_name.title())
