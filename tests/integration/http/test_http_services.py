"""Endpoints that stand for a Service: requests go where it is now, and none is lost when that changes."""

import asyncio
import json

from gateway_runtime.snapshot.types import Endpoint, EndpointGroup, ServicePort

PORT = ServicePort(namespace="shop", name="orders", port="http")
GROUP = EndpointGroup(
    name="g", endpoints=(Endpoint(name="orders", url="http://orders.shop.svc:8080", service=PORT),)
)
GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def at(*backends):
    """The change that says that the Service is there."""
    return {PORT.key: tuple(("127.0.0.1", backend.port) for backend in backends)}


async def test_requests_go_to_the_service_by_its_name(serve, backend, api) -> None:
    backend.answers()
    service = await serve(api(endpoint_groups=(GROUP,)))
    service.gateway.discover(at(backend))
    assert (await service.get()).status == 200
    assert b"host: orders.shop.svc:8080\r\n" in backend.heads[0]


async def test_a_service_that_is_nowhere_is_an_error_with_a_key(serve, api) -> None:
    service = await serve(api(endpoint_groups=(GROUP,)))
    answer = await service.get()
    assert (answer.status, json.loads(answer.body)["key"]) == (503, "UPSTREAM_NO_ENDPOINT")


async def test_an_api_finds_the_addresses_that_were_told_before_it(serve, backend, api) -> None:
    backend.answers()
    service = await serve()
    service.gateway.discover(at(backend))
    service.apply(api(endpoint_groups=(GROUP,)))
    assert (await service.get()).status == 200


async def test_a_change_of_addresses_compiles_nothing(serve, backend, api) -> None:
    service = await serve(api(endpoint_groups=(GROUP,)))
    before = service.gateway.program
    service.gateway.discover(at(backend))
    assert service.gateway.program is before
    assert service.stats.reloads == 1


async def test_a_request_to_an_address_that_goes_is_finished_there(serve, backend, other, api) -> None:
    other.answers()
    service = await serve(api(endpoint_groups=(GROUP,)))
    service.gateway.discover(at(backend))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    service.gateway.discover(at(other))
    assert (await service.get()).status == 200
    peer.send(OK)
    assert (await client.answer()).body == b"ok"
    assert await peer.lost()
    assert (backend.count, len(other.heads)) == (1, 1)


async def test_idle_connections_to_an_address_that_goes_are_closed(serve, backend, other, api) -> None:
    service = await serve(api(endpoint_groups=(GROUP,)))
    service.gateway.discover(at(backend))
    client = await service.connect()
    client.send(GET)
    peer = await backend.accept()
    await peer.until()
    peer.send(OK)
    await client.answer()
    service.gateway.discover(at(other))
    assert await peer.lost()


async def test_where_an_address_cannot_be_reached_the_next_is_asked(serve, backend, other, api) -> None:
    backend.answers()
    service = await serve(api(endpoint_groups=(GROUP,)))
    service.gateway.discover(at(other, backend))
    other.stop_accepting()
    answers = await asyncio.gather(*(service.get() for _ in range(20)))
    assert {answer.status for answer in answers} == {200}


async def test_no_request_fails_while_addresses_change(serve, backend, other, api) -> None:
    backend.answers()
    other.answers()
    service = await serve(api(endpoint_groups=(GROUP,)))
    service.gateway.discover(at(backend, other))
    statuses = []

    async def ask() -> None:
        client = await service.connect()
        for _ in range(200):
            client.send(GET)
            statuses.append((await client.answer()).status)

    async def change() -> None:
        for number in range(200):
            service.gateway.discover(at(*((backend,), (other,), (backend, other))[number % 3]))
            await asyncio.sleep(0)

    await asyncio.gather(ask(), ask(), ask(), change())
    assert statuses == [200] * 600
    assert backend.heads
    assert other.heads
