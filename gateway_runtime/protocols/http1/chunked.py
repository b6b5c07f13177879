"""The chunked transfer coding (RFC 9112 section 7.1): bytes in any split to payload and trailers, and back.

What passes is coded anew, so that no chunk extension and no odd spelling of a size reaches the other side.
"""

from __future__ import annotations

import re
from typing import Final

from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.fields import KINDS
from gateway_runtime.protocols.http1.scan import is_token, split_head

_SIZE_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,15})"
    rb"(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"|\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\"))?)*"
)
_MAX_SIZE_LINE: Final = 512
_MAX_TRAILERS: Final = 8192
_FORBIDDEN_TRAILERS: Final = frozenset(
    b"age authorization cache-control content-encoding content-range content-type cookie date expires "
    b"location range retry-after set-cookie vary www-authenticate".split()
)

LAST_CHUNK: Final = b"0\r\n\r\n"

_SIZE: Final = 0
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILERS: Final = 3
_DONE: Final = 4


class ChunkedDecoder:
    """Takes the bytes of one body. `done` tells that it has ended, `rest` holds what came behind it."""

    __slots__ = ("_buffer", "_key", "_left", "_state", "done", "rest", "trailers")

    def __init__(self, key: str) -> None:
        self._key = key
        self._state: int = _SIZE
        self._left: int = 0
        self._buffer: bytes = b""
        self.done: bool = False
        self.rest: bytes = b""
        self.trailers: list[bytes] = []
        """Trailer lines that may be passed on."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payload in the next bytes.

        Raises ProtocolError, with the key given to the decoder, for a broken coding.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        payload: list[bytes] = []
        position = 0
        end = len(data)
        while position < end and not self.done:
            if self._state == _DATA:
                stop = min(end, position + self._left)
                payload.append(data if position == 0 and stop == end else data[position:stop])
                self._left -= stop - position
                position = stop
                if self._left == 0:
                    self._state = _DATA_END
            else:
                taken = self._line(data, position)
                if taken < 0:
                    self._buffer = data[position:]
                    return payload
                position = taken
        if self.done:
            self.rest = data[position:]
        return payload

    def _line(self, data: bytes, position: int) -> int:
        """The position behind the next line; -1 where it is not there yet."""
        if self._state == _DATA_END:
            return self._data_end(data, position)
        if self._state == _TRAILERS:
            return self._trailer_section(data, position)
        end = data.find(b"\r\n", position)
        if end < 0:
            if len(data) - position > _MAX_SIZE_LINE + 1 or b"\n" in data[position:]:
                raise self._error("a chunk size line is too long or not ended by CRLF")
            return -1
        match = _SIZE_LINE.fullmatch(data, position, end)
        if match is None or end - position > _MAX_SIZE_LINE:
            raise self._error("a chunk has no valid size or extension")
        self._left = int(match[1], 16)
        self._state = _DATA if self._left else _TRAILERS
        return end + 2

    def _data_end(self, data: bytes, position: int) -> int:
        if len(data) - position < 2:
            if data[position:] != b"\r":
                raise self._error("a chunk is longer than its size")
            return -1
        if data[position : position + 2] != b"\r\n":
            raise self._error("a chunk is longer than its size")
        self._state = _SIZE
        return position + 2

    def _trailer_section(self, data: bytes, position: int) -> int:
        if data[position : position + 2] == b"\r\n":
            self._finish()
            return position + 2
        end = data.find(b"\r\n\r\n", position)
        if end < 0:
            if len(data) - position > _MAX_TRAILERS + 3:
                raise self._error("the trailer section is too long")
            if data.count(b"\n", position) != data.count(b"\r\n", position):
                raise self._error("the trailer section has a line that CRLF does not end")
            return -1
        self._keep_trailers(data[position:end])
        self._finish()
        return end + 4

    def _keep_trailers(self, section: bytes) -> None:
        lines = split_head(section)
        if lines is None or len(section) > _MAX_TRAILERS:
            raise self._error("the trailer section is too long or holds a control character")
        for line in lines:
            name = line[: max(line.find(b":"), 0)]
            if not is_token(name):
                raise self._error("a trailer field has no valid name")
            lower = name.lower()
            if lower not in KINDS and lower not in _FORBIDDEN_TRAILERS:
                self.trailers.append(line)

    def _finish(self) -> None:
        self._state = _DONE
        self.done = True

    def _error(self, message: str) -> ProtocolError:
        return ProtocolError(self._key, message)


def encode_chunk(payload: bytes) -> bytes:
    """A payload as one chunk; an empty payload gives nothing, since it would end the body."""
    if not payload:
        return b""
    # One exact allocation: `%` with a large payload grows its buffer in steps, at 30 times the cost.
    return b"".join((b"%x\r\n" % len(payload), payload, b"\r\n"))


def encode_last_chunk(trailers: list[bytes]) -> bytes:
    """The end of a chunked body."""
    if not trailers:
        return LAST_CHUNK
    return b"0\r\n" + b"\r\n".join(trailers) + b"\r\n\r\n"
