"""What a running gateway tells of itself: the admin port and the access log; and of its backends' trouble."""

import asyncio
import json
import signal
import socket
from contextlib import closing

import pytest
from running import Backend, Connect, Start, fetch, free_ports, gateway, open_api

KEYED = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {name: keyed}
spec:
  listeners: [{http: {path: /keyed}}]
  endpointGroups:
  - name: default
    endpoints:
    - {name: main, url: "http://127.0.0.1:1", headers: {T: "{#secrets.get('/kubernetes/values:token')}"}}
  accessLog: {enabled: false}
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {name: keyed}
spec: {apiRef: {name: keyed}, security: {apiKey: {}}}
---
apiVersion: penstock.dev/v1alpha1
kind: Subscription
metadata: {name: keyed}
spec: {planRef: {name: keyed}, application: {name: mobile}, apiKey: {secretRef: {name: values, key: key}}}
---
apiVersion: v1
kind: Secret
metadata: {name: values}
stringData: {key: the-key-of-mobile, token: the-token-for-the-backend}
"""
SHORT = "  timeouts: {header: 300ms, idle: 300ms, drain: 1s}\n"


async def test_health_readiness_and_unknown_pages(start: Start, port: int) -> None:
    running = start(gateway=gateway(port), api=open_api("a", 1)).ready()
    assert running.page("/healthz") == (200, "ok\n")
    assert running.page("/readyz") == (200, "ok\n")
    assert running.page("/other")[0] == 404


async def test_metrics_count_requests_and_errors_by_key(start: Start, backend: Backend, port: int) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port), keyed=KEYED).ready()
    for path in ("/a", "/a", "/keyed", "/nowhere"):
        await fetch(port, path)
    requests = "penstock_http_requests_total"
    assert running.metric(requests, api="default/a", status="200") == 2
    assert running.metric(requests, api="default/keyed", status="401") == 1
    assert running.metric(requests, api="-", status="404") == 1
    assert running.metric("penstock_http_errors_total", api="default/keyed", key="API_KEY_MISSING") == 1
    assert running.metric("penstock_http_request_duration_seconds_count", api="default/a") == 2
    assert running.metric("penstock_workers") == 2


async def test_no_page_and_no_line_holds_a_secret(start: Start, port: int) -> None:
    running = start(gateway=gateway(port), keyed=KEYED).ready()
    assert (await fetch(port, "/keyed", "X-Api-Key: the-key-of-mobile")).key == "UPSTREAM_CONNECTION_FAILED"
    pages = [running.page(path)[1] for path in ("/snapshot", "/metrics", "/readyz")]
    assert json.loads(pages[0])["apis"].keys() == {"default/keyed"}
    running.signal(signal.SIGTERM)
    assert running.exit_code() == 0
    told = "\n".join([*pages, *running.out.join(), *running.err.join()])
    assert "the-key-of-mobile" not in told
    assert "the-token-for-the-backend" not in told


async def test_the_access_log_is_json_lines_of_the_apis_that_want_one(
    start: Start, backend: Backend, port: int
) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port), keyed=KEYED).ready()
    for number in range(200):
        await fetch(port, f"/a/{number}?token=hidden")
        await fetch(port, f"/keyed/{number}")
    running.signal(signal.SIGTERM)
    assert running.exit_code() == 0
    records = [json.loads(line) for line in running.out.join()]
    assert sorted(one["path"] for one in records) == sorted(f"/a/{number}" for number in range(200))
    assert {(one["api"], one["status"], one["method"]) for one in records} == {("default/a", 200, "GET")}


@pytest.mark.parametrize("sent", [b"GET /a HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"G"])
async def test_a_head_that_does_not_end_is_cut_by_time(
    start: Start, connect: Connect, port: int, sent: bytes
) -> None:
    start(gateway=gateway(port, more=SHORT), api=open_api("a", 1)).ready()
    client = await connect(port)
    client.writer.write(sent)
    async with asyncio.timeout(5):
        answer = await client.answer()
        assert (answer.status, answer.key) == (408, "REQUEST_TIMEOUT")
        assert await client.reader.read() == b""


async def test_a_connection_without_a_request_is_closed_by_time(
    start: Start, connect: Connect, port: int
) -> None:
    start(gateway=gateway(port, more=SHORT), api=open_api("a", 1)).ready()
    client = await connect(port)
    async with asyncio.timeout(5):
        assert await client.reader.read() == b""


async def test_a_dead_backend_is_a_502_and_a_silent_one_a_504(
    start: Start, backend: Backend, port: int
) -> None:
    (dead,) = free_ports(1)
    silent = open_api("silent", backend.port).replace(
        "name: default\n", "name: default\n    timeouts: {response: 300ms}\n"
    )
    running = start(gateway=gateway(port), dead=open_api("dead", dead), silent=silent).ready()
    failed, late = await asyncio.gather(fetch(port, "/dead"), fetch(port, "/silent/held"))
    assert (failed.status, failed.key) == (502, "UPSTREAM_CONNECTION_FAILED")
    assert (late.status, late.key) == (504, "UPSTREAM_RESPONSE_TIMEOUT")
    assert running.metric("penstock_http_errors_total", key="UPSTREAM_RESPONSE_TIMEOUT") == 1


async def test_a_backend_that_does_not_accept_is_a_504(start: Start, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        with closing(socket.create_connection(address)):
            stuck = open_api("stuck", address[1]).replace(
                "name: default\n", "name: default\n    timeouts: {connect: 300ms}\n"
            )
            start(gateway=gateway(port), stuck=stuck).ready()
            answer = await fetch(port, "/stuck")
    assert (answer.status, answer.key) == (504, "UPSTREAM_CONNECT_TIMEOUT")
