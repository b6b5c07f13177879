"""Properties of the HTTP/1.1 codecs: no split matters, no bytes surprise, and a second parser agrees."""

from itertools import pairwise

import httptools
from hypothesis import given
from hypothesis import strategies as st

from gateway_runtime.connections.wire import CHUNKED, request_head
from gateway_runtime.program.endpoints import EndpointProgram
from gateway_runtime.protocols.http1.chunked import ChunkedDecoder, encode_chunk, encode_last_chunk
from gateway_runtime.protocols.http1.errors import ProtocolError
from gateway_runtime.protocols.http1.request import RequestHead, parse_request
from gateway_runtime.protocols.http1.response import parse_response
from gateway_runtime.protocols.http1.target import normalise_path

ENDPOINT = EndpointProgram("e", "http://backend.example:8080", [])
PIECES = st.sampled_from(
    [b"GET", b"POST", b" ", b"/", b"/a/../b", b"*", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.1 200 OK", b"\r\n",
     b"\r", b"\n", b":", b"Host: a", b"Host:", b"Content-Length: 3", b"Content-Length: ",
     b"Transfer-Encoding: chunked", b"Transfer-Encoding:", b"Connection: close", b"Expect: 100-continue",
     b"Upgrade: websocket", b"Connection: upgrade", b"http://a/", b"%41", b"%", b"?", b"\t", b"\0", b"\xe9",
     b"x: y", b", "]
)  # fmt: skip
HEADS = st.one_of(st.lists(PIECES, max_size=16).map(b"".join), st.binary(max_size=80))
CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
CODED = st.one_of(
    st.lists(
        st.sampled_from(
            [b"1", b"a", b"0", b"\r\n", b"\r", b"\n", b";x=y", b';x="', b"xxxxxxxxxx", b"x: y", b"x"]
        ),
        max_size=20,
    ).map(b"".join),
    st.binary(max_size=60),
)


@st.composite
def proper_heads(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"HEAD"]))
    path = draw(
        st.lists(st.sampled_from([b"a", b"..", b".", b"", b"%2e", b"%2F", b"b%41", b"~"]), max_size=5)
    )
    query = draw(st.sampled_from([b"", b"?", b"?a=b&c", b"?/../%20"]))
    framing = draw(
        st.sampled_from(
            [[], [b"Content-Length: 0"], [b"content-length: 17"], [b"Transfer-Encoding: chunked"]]
        )
    )
    fields = draw(
        st.lists(
            st.sampled_from([b"X-A: 1", b"X-B:", b"Connection: x-a", b"Cookie: a=\xe9", b"TE: trailers"]),
            max_size=5,
        )
    )
    lines = [method + b" /" + b"/".join(path) + query + b" HTTP/1.1", b"Host: a.example", *framing, *fields]
    return b"\r\n".join(lines)


class SecondParser:
    """What an independent parser sees of a head."""

    def __init__(self, head: bytes) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(head)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_message_complete(self) -> None:
        self.complete = True

    def values(self, name: bytes) -> list[bytes]:
        return [value for found, value in self.headers if found == name]


def split_at(data: bytes, cuts: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(marks)]


def outcome(pieces: list[bytes]) -> tuple[bytes, bytes, list[bytes], bool] | str:
    decoder = ChunkedDecoder("REQUEST_MALFORMED")
    payload = rest = b""
    try:
        for piece in pieces:
            if decoder.done:
                rest += piece
            else:
                payload += b"".join(decoder.feed(piece))
                rest = decoder.rest
    except ProtocolError as error:
        return error.key
    return payload, rest, decoder.trailers, decoder.done


@given(
    CHUNKS,
    st.lists(st.sampled_from([b"x: 1", b"y-z: \xe9"]), max_size=2),
    st.lists(st.integers(0), max_size=8),
)
def test_any_split_of_a_chunked_body_gives_its_payload(
    chunks: list[bytes], trailers: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(map(encode_chunk, chunks)) + encode_last_chunk(trailers) + b"rest"
    assert outcome(split_at(data, cuts)) == (b"".join(chunks), b"rest", trailers, True)


@given(CODED, st.lists(st.integers(0), max_size=8))
def test_any_bytes_in_any_split_have_the_same_outcome(data: bytes, cuts: list[int]) -> None:
    ending = b"\r\n" * 2
    assert outcome(split_at(data + ending, cuts)) == outcome([data + ending])


@given(HEADS)
def test_any_bytes_are_a_request_or_a_protocol_error(data: bytes) -> None:
    try:
        head = parse_request(data, 8192, 100)
    except ProtocolError as error:
        assert error.key.startswith("REQUEST_")
    else:
        assert head.request.path.startswith("/")


@given(HEADS, st.booleans())
def test_any_bytes_are_a_response_or_a_protocol_error(data: bytes, to_head: bool) -> None:
    try:
        head = parse_response(data, to_head)
    except ProtocolError as error:
        assert error.key == "UPSTREAM_RESPONSE_INVALID"
    else:
        assert 100 <= head.response.status <= 599


def resent(head: RequestHead) -> bytes:
    return request_head(head.request, head.request.headers.lines, ENDPOINT, CHUNKED if head.chunked else b"")


def framing(head: RequestHead) -> tuple[str, str, str, int, bool]:
    request = head.request
    return request.method, request.path, request.query, head.content_length, head.chunked


@given(st.one_of(proper_heads(), HEADS))
def test_what_is_accepted_is_accepted_again_as_it_was_sent_on(data: bytes) -> None:
    try:
        head = parse_request(data, 8192, 100)
    except ProtocolError:
        return
    again = parse_request(resent(head).removesuffix(b"\r\n\r\n"), 8192, 100)
    assert framing(again) == framing(head)
    assert again.request.headers.lines == head.request.headers.lines


@given(proper_heads())
def test_a_second_parser_sees_the_same_request_as_it_was_sent_on(data: bytes) -> None:
    head = parse_request(data, 8192, 100)
    second = SecondParser(resent(head))
    path, _, query = second.url.decode("ascii").partition("?")
    assert (second.parser.get_method().decode(), path, query) == framing(head)[:3]
    assert second.values(b"host") == [b"backend.example:8080"]
    assert second.values(b"transfer-encoding") == ([b"chunked"] if head.chunked else [])
    length = second.values(b"content-length")
    assert (int(length[0]) if length else 0, len(length) <= 1) == (head.content_length, True)
    assert second.complete is not (head.chunked or head.content_length > 0)


@given(
    st.lists(
        st.sampled_from([".", "..", "", "a", "%2e", "%2E%2e", "%2f", "%41", "%25", "%7E.", "...", "b;c"])
    ).map(lambda segments: "/" + "/".join(segments))
)
def test_a_normal_path_is_normal_and_stays_so(path: str) -> None:
    normal = normalise_path(path)
    assert normalise_path(normal) == normal
    assert normal.startswith("/")
    assert not {".", ".."} & set(normal.split("/"))
    assert "//" not in normal
