"""One request after another through real sockets: what the backend sees and what the client gets."""

import asyncio
import json

import pytest

from gateway_runtime.snapshot.types import Endpoint, EndpointGroup, GatewaySection

GET = b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n"


def field_names(head: bytes) -> list[bytes]:
    return [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line]


async def test_a_request_reaches_the_backend_and_its_response_the_client(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    answer = await service.get("/a?b=%41", "X-A: 1")
    assert (answer.status, answer.body) == (200, b"ok")
    head = backend.heads[0]
    assert head.startswith(b"GET /a?b=%%41 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % backend.port)
    assert b"\r\nX-A: 1\r\n" in head


async def test_a_client_connection_is_kept_and_so_is_the_backends(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    for _ in range(3):
        client.send(GET)
        assert (await client.answer()).body == b"ok"
    assert (len(backend.heads), backend.count) == (3, 1)
    assert service.stats.connections_total == 1


async def test_pipelined_requests_are_answered_in_order(serve, backend, api) -> None:
    async def handler(peer) -> None:
        while True:
            head = await peer.reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1]
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    backend.does(handler)
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(50)))
    assert [(await client.answer()).body for _ in range(50)] == [b"/%d" % n for n in range(50)]


async def test_pipelined_requests_are_answered_though_the_client_sends_no_more(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET * 3)
    client.end()
    assert [(await client.answer()).body for _ in range(3)] == [b"ok"] * 3
    assert await client.rest() == b""


async def test_pipelined_bodies_stay_with_their_requests(serve, backend, api) -> None:
    async def handler(peer) -> None:
        while True:
            head = await peer.reader.readuntil(b"\r\n\r\n")
            if b"chunked" in head:
                body = await peer.chunks()
            else:
                body = await peer.exactly(5)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)

    backend.does(handler)
    service = await serve(api(backend.url))
    client = await service.connect()
    start = b"POST / HTTP/1.1\r\nHost: a\r\n"
    client.send(start + b"Content-Length: 5\r\n\r\nfirst")
    client.send(start + b"Transfer-Encoding: chunked\r\n\r\n2\r\nse\r\n3\r\ncon\r\n0\r\n\r\n")
    client.send(start + b"Content-Length: 5\r\n\r\nthird")
    assert [(await client.answer()).body for _ in range(3)] == [b"first", b"secon", b"third"]


async def test_an_error_amid_pipelined_requests_ends_the_connection(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET + b"GET / HTTP/1.1\r\n\r\n" + GET)
    assert (await client.answer()).status == 200
    refused = await client.answer()
    assert (refused.status, refused.header("connection")) == (400, "close")
    assert await client.lost()
    assert len(backend.heads) == 1


async def test_a_head_may_come_byte_by_byte(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    client.writer.transport.get_extra_info("socket").setsockopt(6, 1, 1)
    for byte in GET:
        client.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.answer()).status == 200


async def test_an_empty_line_before_a_request_is_skipped(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"\r\n" + GET + b"\r\n" + GET)
    assert [(await client.answer()).status for _ in range(2)] == [200, 200]


async def test_many_empty_lines_are_no_request(serve, backend, api) -> None:
    service = await serve(api(backend.url))
    assert (await service.ask(b"\r\n" * 5000 + GET)).status == 400


async def test_head_gets_the_length_without_the_body(serve, backend, api) -> None:
    backend.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    service = await serve(api(backend.url))
    client = await service.connect()
    for _ in range(2):
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer(to_head=True)
        assert (answer.status, answer.header("content-length")) == (200, "5")


async def test_an_error_to_head_has_no_body(serve) -> None:
    service = await serve()
    client = await service.connect()
    for _ in range(2):
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await client.answer(to_head=True)
        assert answer.status == 404
        assert int(answer.header("content-length") or 0) > 0


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_statuses_without_a_body_keep_the_connection(serve, backend, api, status: bytes) -> None:
    backend.answers(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n")
    service = await serve(api(backend.url))
    client = await service.connect()
    for _ in range(2):
        client.send(GET)
        answer = await client.answer()
        assert answer.status == int(status[:3])
        assert (answer.header("content-length"), answer.header("transfer-encoding")) == (None, None)
    assert backend.count == 1


async def test_early_hints_pass_before_the_response(serve, backend, api) -> None:
    backend.answers(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    )
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(GET)
    hints = await client.answer()
    assert (hints.status, hints.header("link"), hints.header("connection")) == (103, "</a.css>", None)
    assert (await client.answer()).body == b"ok"


async def test_http_1_0_gets_no_informational_response(serve, backend, api) -> None:
    backend.answers(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    service = await serve(api(backend.url))
    assert (await service.ask(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")).status == 200


async def test_an_http_1_0_client_is_answered_and_closed(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    assert (await client.answer()).header("connection") == "close"
    assert await client.lost()
    assert backend.heads[0].startswith(b"GET / HTTP/1.1\r\n")


async def test_an_http_1_0_client_may_keep_its_connection(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    for _ in range(2):
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        assert (await client.answer()).header("connection") == "keep-alive"


async def test_an_http_1_0_client_gets_a_chunked_body_plain(serve, backend, api) -> None:
    backend.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n")
    service = await serve(api(backend.url))
    answer = await service.ask(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    assert (answer.body, answer.header("connection")) == (b"okay!", "close")
    assert (answer.header("content-length"), answer.header("transfer-encoding")) == (None, None)


async def test_connection_close_is_obeyed(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    client = await service.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (await client.answer()).header("connection") == "close"
    assert await client.lost()


async def test_fields_of_one_connection_do_not_reach_the_other(serve, backend, api) -> None:
    backend.answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, X-B\r\nX-B: 1\r\nX-C: 2\r\n"
        b"Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nTrailer: x\r\nUpgrade: h2c\r\n\r\nok"
    )
    service = await serve(api(backend.url))
    answer = await service.get(
        "/", "Connection: X-A", "X-A: 1", "X-D: 2", "TE: trailers", "Keep-Alive: 1", "Proxy-Authorization: x",
        "Upgrade: h2c", "Proxy-Connection: x", "Trailer: y"
    )  # fmt: skip
    assert sorted(field_names(answer.head)) == [b"content-length", b"via", b"x-c"]
    assert field_names(backend.heads[0]) == [
        b"host", b"x-d", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"via"
    ]  # fmt: skip


async def test_a_backend_is_told_of_the_client_and_not_what_a_client_claims(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url))
    await service.get("/", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Forwarded-Host: evil")
    head = backend.heads[0]
    assert b"6.6.6.6" not in head
    assert b"evil" not in head
    assert b"\r\nx-forwarded-for: 127.0.0.1\r\n" in head
    assert b"\r\nforwarded: for=127.0.0.1;host=a.example;proto=http\r\n" in head
    assert b"\r\nvia: 1.1 penstock\r\n" in head


async def test_a_trusted_proxy_is_believed(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(backend.url), trusted_proxies=("127.0.0.0/8",))
    await service.get("/", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
    assert b"\r\nx-forwarded-for: 192.0.2.1, 127.0.0.1\r\n" in backend.heads[0]
    assert b"\r\nx-forwarded-proto: https\r\n" in backend.heads[0]


PATHS = [
    ("/orders", "", "/orders/7?x=1", b"/7?x=1"),
    ("/orders", "", "/orders", b"/"),
    ("/orders", "/v1", "/orders/7", b"/v1/7"),
    ("/orders", "/v1/", "/orders//a/../7", b"/v1/7"),
    ("/", "/v1", "/orders", b"/v1/orders"),
    ("/", "", "/%41%2f?q=%41/../", b"/A%2F?q=%41/../"),
]


@pytest.mark.parametrize(("path", "base", "target", "sent"), PATHS)
async def test_the_apis_path_is_replaced_by_the_endpoints(
    serve, backend, api, path: str, base: str, target: str, sent: bytes
) -> None:
    backend.answers()
    service = await serve(api(backend.url + base, path=path))
    assert (await service.get(target)).status == 200
    assert backend.heads[0].split(b" ")[1] == sent


async def test_endpoint_headers_go_with_each_request_host_included(serve, backend, api) -> None:
    backend.answers()
    headers = {"Host": "inner.example", "X-Method": "{#request.method}", "X-Key": "1"}
    group = EndpointGroup(name="g", endpoints=(Endpoint(name="e", url=backend.url, headers=headers),))
    service = await serve(api(endpoint_groups=(group,)))
    await service.get("/", "X-Key: theirs")
    head = backend.heads[0]
    assert b"\r\nhost: inner.example\r\n" in head.lower()
    assert b"\r\nX-Method: GET\r\n" in head
    assert b"\r\nX-Key: 1\r\n" in head
    assert b"theirs" not in head


async def test_what_nobody_serves_is_not_found_and_counted(serve, api) -> None:
    service = await serve()
    answer = await service.get("/none")
    assert answer.status == 404
    assert json.loads(answer.body) == {
        "key": "GATEWAY_ROUTE_NOT_FOUND",
        "message": "No API is served at this host and path.",
        "status": 404,
    }
    assert answer.header("content-type") == "application/json"
    assert service.stats.api("-").statuses == {404: 1}
    assert service.stats.api("-").errors == {"GATEWAY_ROUTE_NOT_FOUND": 1}


async def test_requests_and_bytes_are_counted(serve, backend, api) -> None:
    async def handler(peer) -> None:
        await peer.until()
        await peer.exactly(3)
        peer.send(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello")

    backend.does(handler)
    service = await serve(api(backend.url))
    await service.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    stats = service.stats.api("shop/api")
    assert (stats.statuses, stats.errors) == ({201: 1}, {})
    assert (stats.request_bytes, stats.response_bytes) == (3, 5)
    assert sum(stats.buckets) == 1
    assert stats.duration_sum > 0


async def test_the_access_log_has_a_line_for_each_request(serve, backend, api) -> None:
    backend.answers()
    quiet = api(backend.url, name="quiet", path="/quiet", access_log=False)
    service = await serve(api(backend.url), quiet)
    await service.get("/a?key=secret")
    await service.get("/quiet")
    service.gateway._access_log.flush()
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert [(line["path"], line["status"], line["api"], line["endpoint"]) for line in lines] == [
        ("/a", 200, "shop/api", "e0")
    ]
    assert GatewaySection().access_log is True


async def test_beyond_the_limit_connections_are_refused(serve, backend, api) -> None:
    backend.answers()
    limits = type(GatewaySection().limits)(connections=1)
    service = await serve(api(backend.url), limits=limits)
    first = await service.connect()
    first.send(GET)
    assert (await first.answer()).status == 200
    second = await service.connect()
    assert await second.lost()
    assert service.stats.connections_refused == 1
    first.close()
    await first.writer.wait_closed()
    while service.stats.connections_open:
        await asyncio.sleep(0)
    assert (await service.get()).status == 200
