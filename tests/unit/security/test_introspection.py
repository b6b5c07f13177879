"""Tokens that their issuer is asked about: what it says is believed for a while, and asked for once."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest
from oauth_server import OAuthServer
from security_world import NOW, World

from gateway_runtime.exchange import Reply
from gateway_runtime.security.introspection import AT_ONCE, MAX_ANSWER, MAX_TOKEN, IntrospectedTokens
from gateway_runtime.snapshot.types import OAuth2Security

ACTIVE = {"active": True, "client_id": "mobile-app", "exp": NOW + 600}


def tokens(world: World, server: OAuthServer, **more: Any) -> IntrospectedTokens:
    given = {"introspection_url": server.url, "client_id": "gateway", "client_secret": "secret", **more}
    return IntrospectedTokens(OAuth2Security(**given), world.now)


async def refusal(subject: IntrospectedTokens, token: bytes = b"opaque") -> str:
    outcome = await subject.claims(token)
    assert isinstance(outcome, Reply)
    return outcome.key


async def test_an_issuer_is_asked_by_a_form_and_credentials(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        assert await tokens(world, server).claims(b"a+b/c==") == ACTIVE
        (asked,) = server.asked
    assert asked.fields == {"token": "a+b/c==", "token_type_hint": "access_token"}
    assert f"authorization: Basic {b64encode(b'gateway:secret').decode()}\r\n" in asked.head


async def test_an_active_token_is_believed_for_as_long_as_the_plan_says(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        subject = tokens(world, server, cache=30.0)
        await subject.claims(b"opaque")
        server.answer(active=False)
        world.time += 29.9
        assert await subject.claims(b"opaque") == ACTIVE
        world.time += 0.1
        assert await refusal(subject) == "OAUTH2_INVALID_TOKEN"


async def test_a_token_is_not_believed_beyond_its_end(world: World) -> None:
    async with OAuthServer(**{**ACTIVE, "exp": NOW + 10}) as server:
        subject = tokens(world, server)
        await subject.claims(b"opaque")
        world.time += 10
        assert await refusal(subject) == "OAUTH2_INVALID_TOKEN"
        assert len(server.asked) == 2


async def test_without_a_cache_each_look_is_a_question(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        subject = tokens(world, server, cache=0.0)
        await subject.claims(b"opaque")
        await subject.claims(b"opaque")
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {},
        {"active": True, "exp": NOW},
        {"active": True, "exp": 0},
    ],
)
async def test_another_token_is_refused(world: World, answer: dict[str, Any]) -> None:
    async with OAuthServer(**answer) as server:
        assert await refusal(tokens(world, server)) == "OAUTH2_INVALID_TOKEN"


async def test_what_is_refused_is_asked_about_again(world: World) -> None:
    async with OAuthServer(active=False) as server:
        subject = tokens(world, server)
        await refusal(subject)
        server.answer(**ACTIVE)
        assert await subject.claims(b"opaque") == ACTIVE


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"true",
        b'{"active":true,"active":false}',
        b'{"active":true,"exp":"soon"}',
        b'{"active":true,"exp":NaN}',
        b'{"active":true,"x":"' + b"x" * MAX_ANSWER + b'"}',
        b"\xff",
    ],
)
async def test_another_answer_lets_nobody_in(world: World, document: bytes) -> None:
    async with OAuthServer() as server:
        server.document = document
        assert await refusal(tokens(world, server)) == "OAUTH2_SERVER_UNAVAILABLE"


async def test_an_issuer_that_refuses_or_is_away_lets_nobody_in(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with OAuthServer(**ACTIVE) as server:
        subject = tokens(world, server)
        server.status = "401 Unauthorized"
        assert await refusal(subject) == "OAUTH2_SERVER_UNAVAILABLE"
    assert await refusal(subject) == "OAUTH2_SERVER_UNAVAILABLE"
    assert "opaque" not in caplog.text
    assert "secret" not in caplog.text


async def test_the_end_of_an_outage_is_seen_at_once(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        subject = tokens(world, server)
        server.status = "503 Down"
        await refusal(subject)
        server.status = "200 OK"
        assert await subject.claims(b"opaque") == ACTIVE


async def test_all_who_bring_one_token_share_a_question(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        server.open.clear()
        subject = tokens(world, server)
        waiting = [asyncio.create_task(subject.claims(b"opaque")) for _ in range(20)]
        await server.until_asked(1)
        waiting.pop().cancel()
        server.open.set()
        assert await asyncio.gather(*waiting) == [ACTIVE] * 19
        assert len(server.asked) == 1


async def test_tokens_are_told_apart(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        subject = tokens(world, server)
        await subject.claims(b"one")
        server.answer(active=False)
        assert await refusal(subject, b"other") == "OAUTH2_INVALID_TOKEN"


async def test_no_more_questions_than_allowed_are_under_way(world: World) -> None:
    async with OAuthServer(**ACTIVE) as server:
        server.open.clear()
        subject = tokens(world, server)
        waiting = [asyncio.create_task(subject.claims(b"%d" % number)) for number in range(5 * AT_ONCE)]
        await server.until_asked(AT_ONCE)
        server.open.set()
        server.open.clear()
        await server.until_asked(2 * AT_ONCE)
        server.open.set()
        assert await asyncio.gather(*waiting) == [ACTIVE] * len(waiting)
        assert server.most == AT_ONCE


@pytest.mark.parametrize("length", [0, MAX_TOKEN + 1])
async def test_a_token_of_no_use_is_not_asked_about(world: World, length: int) -> None:
    async with OAuthServer(**ACTIVE) as server:
        assert await refusal(tokens(world, server), b"x" * length) == "OAUTH2_INVALID_TOKEN"
        assert not server.asked


@pytest.mark.parametrize("url", ["ftp://x/", "https://", "https://user:pass@idp/ask"])
def test_another_url_is_refused(world: World, url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL"):
        tokens(world, OAuthServer(), introspection_url=url)


def test_the_secret_is_in_no_representation() -> None:
    from gateway_runtime.security.fetch import ClientForm  # noqa: PLC0415

    assert "hidden" not in repr(ClientForm("client", "hidden", {"token": "hidden"}))


async def test_claims_come_as_the_issuer_says(world: World) -> None:
    claims = {"active": True, "sub": "ü", "list": [1, {"a": None}]}
    async with OAuthServer() as server:
        server.document = json.dumps(claims, ensure_ascii=False).encode()
        subject = tokens(world, server)
        assert await subject.claims(b"opaque") == claims
        assert subject.ends_at(claims) is None
