"""What a peer did wrong, as an error key of the gateway."""

from __future__ import annotations


class ProtocolError(Exception):
    """Bytes that the protocol does not allow: `key` names the gateway's error, `message` what is wrong."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
        self.message = message


def malformed(message: str) -> ProtocolError:
    """A request that RFC 9112 does not allow."""
    return ProtocolError("REQUEST_MALFORMED", message)


def invalid_response(message: str) -> ProtocolError:
    """A response that RFC 9112 does not allow."""
    return ProtocolError("UPSTREAM_RESPONSE_INVALID", message)
