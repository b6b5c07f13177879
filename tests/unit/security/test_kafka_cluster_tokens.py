"""Tokens that log in to a cluster: one fetch for all, renewal before the end, and servers that fail."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from oauth_server import OAuthServer
from security_world import World

from gateway_runtime.connections.kafka_token import LONGEST_PAUSE, ClusterTokens
from gateway_runtime.protocols.kafka.sasl_client import SaslError
from gateway_runtime.snapshot.kafka import OAuthSasl

SECRET = "se:cret of/client"


def tokens(world: World, server: OAuthServer, **more: Any) -> ClusterTokens:
    sasl = OAuthSasl(token_url=server.url, client_id="gate:way", client_secret=SECRET, **more)
    return ClusterTokens(sasl, world.now)


def token_server(token: str = "one", **more: Any) -> OAuthServer:
    return OAuthServer(access_token=token, token_type="Bearer", **{"expires_in": 600, **more})


async def test_a_token_is_asked_for_by_client_credentials(world: World) -> None:
    async with token_server() as server:
        assert await tokens(world, server, scope="kafka read").token() == "one"
        (asked,) = server.asked
    pair = b64encode(b"gate%3Away:se%3Acret+of%2Fclient").decode()
    assert asked.head.startswith("POST /oauth HTTP/1.1\r\n")
    assert f"authorization: Basic {pair}\r\n" in asked.head
    assert asked.fields == {"grant_type": "client_credentials", "scope": "kafka read"}


async def test_a_token_is_used_until_shortly_before_its_end(world: World) -> None:
    async with token_server() as server:
        subject = tokens(world, server)
        await subject.token()
        server.answer(access_token="two", token_type="bearer", expires_in=600)
        world.time += 539
        assert await subject.token() == "one"
        world.time += 1
        assert await subject.token() == "two"
        assert len(server.asked) == 2


async def test_a_short_life_is_used_for_the_most_of_it(world: World) -> None:
    async with token_server(expires_in=10) as server:
        subject = tokens(world, server)
        await subject.token()
        world.time += 7.9
        await subject.token()
        assert len(server.asked) == 1
        world.time += 0.2
        await subject.token()
        assert len(server.asked) == 2


async def test_all_who_need_a_token_share_one_fetch(world: World) -> None:
    async with token_server() as server:
        server.open.clear()
        subject = tokens(world, server)
        waiting = [asyncio.create_task(subject.token()) for _ in range(20)]
        await server.until_asked(1)
        server.open.set()
        assert set(await asyncio.gather(*waiting)) == {"one"}
        assert len(server.asked) == 1


async def test_who_stops_waiting_does_not_stop_the_others(world: World) -> None:
    async with token_server() as server:
        server.open.clear()
        subject = tokens(world, server)
        one, other = (asyncio.create_task(subject.token()) for _ in range(2))
        await server.until_asked(1)
        one.cancel()
        server.open.set()
        assert await other == "one"


async def test_a_token_serves_to_its_end_while_no_other_can_be_had(world: World) -> None:
    async with token_server() as server:
        subject = tokens(world, server)
        await subject.token()
        server.status = "500 Broken"
        world.time += 590
        assert await subject.token() == "one"
        world.time += 10
        with pytest.raises(SaslError, match="the server answered 500"):
            await subject.token()


async def test_a_failing_server_is_asked_ever_less_often(world: World) -> None:
    async with token_server() as server:
        server.status = "503 Down"
        subject = tokens(world, server)
        gaps = []
        for _ in range(10):
            asked, start = len(server.asked), world.time
            while len(server.asked) == asked:
                with pytest.raises(SaslError):
                    await subject.token()
                world.time += 0.25
            gaps.append(world.time - start)
        assert gaps[1] <= 1 < gaps[5]
        assert max(gaps) <= LONGEST_PAUSE + 0.5
        server.status = "200 OK"
        world.time += LONGEST_PAUSE
        assert await subject.token() == "one"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"access_token":"SHOWN","token_type":"mac"}',
        b'{"access_token":"SHOWN"}',
        b'{"access_token":1,"token_type":"bearer"}',
        b'{"access_token":"SHOWN","token_type":"bearer","expires_in":0}',
        b'{"access_token":"SHOWN","token_type":"bearer","expires_in":-1}',
        b'{"access_token":"SHOWN","token_type":"bearer","expires_in":true}',
        b'{"access_token":"SHOWN","token_type":"bearer","expires_in":NaN}',
        b'{"access_token":"SHOWN","access_token":"x","token_type":"bearer"}',
        b'{"access_token":"SHOWN\xff","token_type":"bearer"}',
        b'{"access_token":"' + b"x" * (1 << 20) + b'","token_type":"bearer"}',
    ],
)
async def test_another_answer_is_no_token_and_is_not_told_of(world: World, document: bytes) -> None:
    async with token_server() as server:
        server.document = document
        with pytest.raises(SaslError, match=r"^no token from http://127.0.0.1:\d+: ") as caught:
            await tokens(world, server).token()
    assert "SHOWN" not in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_a_server_that_is_not_there_is_told_of_without_the_secret(world: World) -> None:
    async with token_server() as server:
        subject = tokens(world, server)
    with pytest.raises(SaslError, match=r"no token from http://127.0.0.1:\d+: ConnectionRefusedError"):
        await subject.token()


@pytest.mark.parametrize("url", ["ftp://x/", "https://", "https://user:pass@idp/token", "nothing"])
def test_another_url_is_refused_without_telling_of_it(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL") as caught:
        ClusterTokens(OAuthSasl(token_url=url, client_id="x", client_secret=SECRET))
    assert url not in str(caught.value)
