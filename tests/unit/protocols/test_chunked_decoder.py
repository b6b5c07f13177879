"""The chunked coding: bytes in any split to payload and trailers; anything odd is refused."""

import pytest

from gateway_runtime.protocols.http1.chunked import (
    ChunkedDecoder,
    encode_chunk,
    encode_last_chunk,
)
from gateway_runtime.protocols.http1.errors import ProtocolError

WHOLE = "whole"
BYTES = "byte by byte"


def run(data: bytes, split: str = WHOLE) -> tuple[ChunkedDecoder, bytes]:
    decoder = ChunkedDecoder("REQUEST_MALFORMED")
    payload = b""
    pieces = [data] if split == WHOLE else [data[at : at + 1] for at in range(len(data))]
    for piece in pieces:
        if decoder.done:
            decoder.rest += piece
        else:
            payload += b"".join(decoder.feed(piece))
    return decoder, payload


def decode(data: bytes, split: str = WHOLE) -> ChunkedDecoder:
    return run(data, split)[0]


BODIES = {
    b"0\r\n\r\n": b"",
    b"5\r\nhello\r\n0\r\n\r\n": b"hello",
    b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n": b"hello world",
    b"A\r\n0123456789\r\n0\r\n\r\n": b"0123456789",
    b"a\r\n0123456789\r\n000\r\n\r\n": b"0123456789",
    b"0002\r\n\r\n\r\n0\r\n\r\n": b"\r\n",
    b"1;a\r\nx\r\n0;b=c\r\n\r\n": b"x",
    b"1 ; a = b ;c\r\nx\r\n0\r\n\r\n": b"x",
    b'1;a="q \\" ;\xe9"\r\nx\r\n0\r\n\r\n': b"x",
    b"0\r\nX-Sum: 1\r\n\r\n": b"",
}


@pytest.mark.parametrize("split", [WHOLE, BYTES])
@pytest.mark.parametrize(("data", "expected"), BODIES.items())
def test_a_proper_body_gives_its_payload(data: bytes, expected: bytes, split: str) -> None:
    decoder, payload = run(data, split)
    assert (payload, decoder.done, decoder.rest) == (expected, True, b"")


BROKEN = {
    "no size": b"\r\nx\r\n0\r\n\r\n",
    "a size that is no number": b"g\r\nx\r\n",
    "a size with a sign": b"+1\r\nx\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nx\r\n0\r\n\r\n",
    "a size with a prefix": b"0x1\r\nx\r\n0\r\n\r\n",
    "a size with an underscore": b"1_0\r\nx\r\n",
    "a space before the size": b" 1\r\nx\r\n0\r\n\r\n",
    "a space behind the size": b"1 \r\nx\r\n0\r\n\r\n",
    "a size of 64 bits and more": b"10000000000000001\r\nx\r\n",
    "a size line ended by LF": b"1\nx\r\n0\r\n\r\n",
    "a size line ended by CR": b"1\rx\r\n0\r\n\r\n",
    "a payload longer than its size": b"1\r\nxy\r\n0\r\n\r\n",
    "a payload ended by LF": b"1\r\nx\n0\r\n\r\n",
    "a payload ended by CR": b"1\r\nx\r0\r\n\r\n",
    "an extension without a name": b"1;\r\nx\r\n0\r\n\r\n",
    "an extension with a bare LF": b"1;a\nb\r\nx\r\n0\r\n\r\n",
    "an extension with a bare CR": b"1;a\rb\r\nx\r\n0\r\n\r\n",
    "an extension with an open quote": b'1;a="b\r\nx\r\n0\r\n\r\n',
    "an extension with a NUL": b"1;a=\x00\r\nx\r\n0\r\n\r\n",
    "an extension without a semicolon": b"1 a\r\nx\r\n0\r\n\r\n",
    "a size line that never ends": b"1;" + b"a" * 600,
    "an over-long size line": b"1;" + b"a" * 600 + b"\r\nx\r\n0\r\n\r\n",
    "trailers that never end": b"0\r\n" + b"x: 1\r\n" * 2000,
    "over-long trailers": b"0\r\n" + b"x: 1\r\n" * 2000 + b"\r\n",
    "a trailer without a name": b"0\r\n: 1\r\n\r\n",
    "a trailer without a colon": b"0\r\nx\r\n\r\n",
    "a folded trailer": b"0\r\nx: 1\r\n 2\r\n\r\n",
    "a space before a trailer's colon": b"0\r\nx : 1\r\n\r\n",
    "a trailer with a NUL": b"0\r\nx: \x00\r\n\r\n",
    "a trailer with a bare CR": b"0\r\nx: 1\r2\r\n\r\n",
    "trailers ended by LF": b"0\r\nx: 1\n\n",
    "no trailers, ended by LF": b"0\r\n\n",
}


@pytest.mark.parametrize("split", [WHOLE, BYTES])
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_body_is_refused(data: bytes, split: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(data, split)
    assert caught.value.key == "REQUEST_MALFORMED"


def test_the_key_of_the_error_is_the_one_given() -> None:
    with pytest.raises(ProtocolError) as caught:
        ChunkedDecoder("UPSTREAM_RESPONSE_INVALID").feed(b"x\r\n")
    assert caught.value.key == "UPSTREAM_RESPONSE_INVALID"


@pytest.mark.parametrize("split", [WHOLE, BYTES])
def test_a_size_line_and_trailers_at_their_limits_pass(split: str) -> None:
    line = b"1;" + b"a" * 510
    trailers = b"x: " + b"1" * (8192 - 3)
    decoder, payload = run(line + b"\r\nx\r\n0\r\n" + trailers + b"\r\n\r\n", split)
    assert (payload, decoder.trailers) == (b"x", [trailers])


def test_payload_passes_before_its_chunk_is_complete() -> None:
    decoder = ChunkedDecoder("REQUEST_MALFORMED")
    assert decoder.feed(b"a\r\n012") == [b"012"]
    assert decoder.feed(b"345") == [b"345"]
    assert not decoder.done


@pytest.mark.parametrize("split", [WHOLE, BYTES])
def test_what_comes_behind_the_body_is_left(split: str) -> None:
    assert decode(b"0\r\n\r\nGET / HTTP/1.1\r\n", split).rest == b"GET / HTTP/1.1\r\n"


def test_trailers_are_kept_in_order() -> None:
    assert decode(b"0\r\nX-Sum: 1\r\nX-b:2\r\n\r\n").trailers == [b"X-Sum: 1", b"X-b:2"]


@pytest.mark.parametrize(
    "name",
    [b"Content-Length", b"Transfer-Encoding", b"Host", b"Connection", b"Authorization", b"Set-Cookie",
     b"Content-Type", b"X-Forwarded-For", b"Forwarded", b"Trailer", b"TE", b"Upgrade", b"Cookie", b"Expect"],
)  # fmt: skip
def test_a_field_that_frames_routes_or_authorises_is_no_trailer(name: bytes) -> None:
    decoder = decode(b"0\r\n" + name + b": 1\r\nX-A: 2\r\n\r\n")
    assert decoder.trailers == [b"X-A: 2"]


def test_what_is_encoded_decodes_to_itself() -> None:
    data = encode_chunk(b"hello") + encode_chunk(b"") + encode_chunk(b" world") + encode_last_chunk([b"x: 1"])
    decoder, payload = run(data)
    assert (payload, decoder.trailers, decoder.rest) == (b"hello world", [b"x: 1"], b"")
