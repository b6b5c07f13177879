"""Key sets at a real HTTP server: one fetch for all, rotation, outage, and answers that are not believed."""

from __future__ import annotations

import asyncio
import datetime
import gc
import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from security_server import KeyServer
from security_tokens import claims, hand_made, jwk, private_key, token
from security_world import NOW, World, exchange

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.security.authenticator import AdmissionFunction
from gateway_runtime.security.fetch import MAX_BYTES, fetch_document
from gateway_runtime.security.jwks import EARLY_SECONDS, FIRST_SECONDS, JwksSource, KeySets
from gateway_runtime.security.keys import from_jwks
from gateway_runtime.snapshot.types import JwtSecurity, Plan

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    async with KeyServer(jwk(private_key("RS256"), kid="one")) as server:
        yield server


@pytest.fixture
def admit(world: World, server: KeyServer) -> AdmissionFunction:
    return jwks_plan(world, server)


def jwks_plan(world: World, server: KeyServer, *algorithms: str) -> AdmissionFunction:
    security = JwtSecurity(
        algorithms=algorithms or ("RS256",),
        jwks_url=server.url,
        jwks_refresh=300.0,
        require_subscription=False,
    )
    return world.admission(Plan(name="token", security=security))


def bearing(number: int = 0, kid: str | None = "one", **more: Any) -> Exchange:
    headers = None if kid is None else {"kid": kid}
    text = token(key=private_key("RS256", number), headers=headers, exp=int(NOW) + 100_000, **more)
    return exchange(("Authorization", f"Bearer {text}"))


async def key_of(outcome: Reply | Awaitable[Reply | None] | None) -> str:
    """The error key of the outcome, now or later; empty where the request is let in."""
    if outcome is not None and not isinstance(outcome, Reply):
        outcome = await outcome
    return "" if outcome is None else outcome.key


async def test_the_first_request_waits_for_the_keys_the_next_does_not(
    admit: AdmissionFunction, server: KeyServer
) -> None:
    first = admit(bearing())
    assert isinstance(first, Awaitable)
    assert await first is None
    assert admit(bearing()) is None
    assert server.requests == 1


async def test_requests_that_wait_together_cause_one_fetch(
    admit: AdmissionFunction, server: KeyServer
) -> None:
    server.open.clear()
    waiting = [asyncio.ensure_future(key_of(admit(bearing()))) for _ in range(50)]
    server.open.set()
    assert set(await asyncio.gather(*waiting)) == {""}
    assert server.requests == 1


async def test_a_client_that_goes_does_not_end_the_fetch_of_the_others(
    admit: AdmissionFunction, server: KeyServer
) -> None:
    server.open.clear()
    gone, waiting = (asyncio.ensure_future(key_of(admit(bearing()))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    server.open.set()
    assert await waiting == ""
    assert server.requests == 1


async def test_a_new_key_is_found_when_its_first_token_comes(
    world: World, admit: AdmissionFunction, server: KeyServer
) -> None:
    assert await key_of(admit(bearing())) == ""
    server.serve(jwk(private_key("RS256", 1), kid="two"))
    world.time += EARLY_SECONDS
    assert await key_of(admit(bearing(1, "two"))) == ""
    assert await key_of(admit(bearing())) == "JWT_INVALID_TOKEN"


async def test_unknown_keys_cause_one_fetch_in_ten_seconds(
    world: World, admit: AdmissionFunction, server: KeyServer
) -> None:
    assert await key_of(admit(bearing())) == ""
    world.time += EARLY_SECONDS
    for number in range(20):
        assert await key_of(admit(bearing(1, f"made up {number}"))) == "JWT_INVALID_TOKEN"
    assert server.requests == 2


async def test_the_set_is_renewed_in_the_background_while_requests_go_on(
    world: World, admit: AdmissionFunction, server: KeyServer
) -> None:
    assert await key_of(admit(bearing())) == ""
    server.serve(jwk(private_key("RS256", 1), kid="two"))
    world.time += 300.0
    source = world.key_sets.source(server.url, 300.0)
    # A token that is not remembered: the keys are asked for.
    assert (
        admit(exchange(("Authorization", "Bearer " + token(headers={"kid": "one"}, n=1, exp=int(NOW) + 900))))
        is None
    )
    await source.fetch()
    assert source.version == 2
    assert admit(bearing(1, "two")) is None
    assert await key_of(admit(bearing())) == "JWT_INVALID_TOKEN"


async def test_a_set_that_did_not_change_keeps_its_version(world: World, server: KeyServer) -> None:
    source = world.key_sets.source(server.url, 300.0)
    await source.fetch()
    world.time += EARLY_SECONDS
    await source.fetch()
    assert (server.requests, source.version) == (2, 1)


async def test_the_last_good_set_goes_on_while_the_server_is_away(
    world: World, admit: AdmissionFunction, server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    assert await key_of(admit(bearing())) == ""
    await server.stop()
    world.time += 1000.0
    source = world.key_sets.source(server.url, 300.0)
    await source.fetch()
    assert "cannot be had" in caplog.text
    assert admit(bearing()) is None
    server.serve(jwk(private_key("RS256", 1), kid="two"))
    await server.start()
    world.time += EARLY_SECONDS
    assert source.current() is not None
    await source.fetch()
    assert source.version == 2


async def test_without_any_keys_requests_get_503_until_the_server_is_back(
    world: World, server: KeyServer
) -> None:
    await server.stop()
    admit = jwks_plan(world, server)
    outcome = admit(bearing())
    assert isinstance(outcome, Awaitable)
    reply = await outcome
    assert reply is not None
    assert (reply.status, reply.key) == (503, "JWT_KEYS_UNAVAILABLE")
    await server.start()
    assert await key_of(admit(bearing())) == "JWT_KEYS_UNAVAILABLE"
    assert server.requests == 0
    world.time += FIRST_SECONDS
    assert await key_of(admit(bearing())) == ""


async def test_a_token_that_no_plan_algorithm_fits_causes_no_fetch(
    admit: AdmissionFunction, server: KeyServer
) -> None:
    forged = hand_made({"alg": "HS256", "kid": "new"}, claims(), b"secret")
    for text in (forged, "x.y.z"):
        assert await key_of(admit(exchange(("Authorization", f"Bearer {text}")))) == "JWT_INVALID_TOKEN"
    assert server.requests == 0


async def test_an_embedded_key_or_key_url_is_ignored(admit: AdmissionFunction, server: KeyServer) -> None:
    own = private_key("RS256", 1)
    headers = {"kid": "one", "jwk": jwk(own), "jku": "http://127.0.0.1:1/keys"}
    forged = token(key=own, headers=headers)
    assert await key_of(admit(exchange(("Authorization", f"Bearer {forged}")))) == "JWT_INVALID_TOKEN"
    assert server.requests == 1


async def test_a_token_without_kid_is_checked_with_every_fitting_key(world: World, server: KeyServer) -> None:
    server.serve(
        jwk(private_key("ES256"), kid="e"),
        jwk(private_key("RS256", 1), kid="1"),
        jwk(private_key("RS256"), kid="0"),
    )
    assert await key_of(jwks_plan(world, server)(bearing(kid=None))) == ""


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "RS512"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": 1},
        {"kid": 1},
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"n": "AQAB"},
        {"e": None},
    ],
)
def test_a_key_for_something_else_serves_nothing_and_harms_no_other(members: dict[str, Any]) -> None:
    odd = jwk(private_key("RS256"), **{"kid": "odd", **members})
    keys = from_jwks(json.dumps({"keys": [odd, 1, {}, jwk(private_key("RS256", 1), kid="good")]}).encode())
    assert [key.key_id for key in keys.find(None, "RS256")] == ["good"]


def test_a_shared_secret_in_a_public_set_checks_no_token() -> None:
    keys = from_jwks(
        b'{"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTE"}]}'
    )
    assert keys.find(None, "HS256") == []


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [], "keys": []}', b"[" * 100_000, b"\xff\xfe{}"],
)
def test_a_document_that_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):
        from_jwks(document)


async def test_a_broken_answer_leaves_the_last_good_set(
    world: World, admit: AdmissionFunction, server: KeyServer
) -> None:
    assert await key_of(admit(bearing())) == ""
    source = world.key_sets.source(server.url, 300.0)
    for document, status in (
        (b"<html>", "200 OK"),
        (b"[" * 100_000, "200 OK"),
        (server.document, "500 Oops"),
    ):
        server.document, server.status = document, status
        world.time += EARLY_SECONDS
        await source.fetch()
    assert server.requests == 4
    assert admit(bearing()) is None


async def test_a_redirect_is_not_followed(server: KeyServer) -> None:
    server.status, server.extra = "302 Found", f"Location: {server.url}\r\n"
    with pytest.raises(ValueError, match="302"):
        await fetch_document(server.url)
    assert server.requests == 1


async def test_a_document_over_the_limit_is_refused(server: KeyServer) -> None:
    server.document = b" " * MAX_BYTES
    assert len(await fetch_document(server.url)) == MAX_BYTES
    server.document = b" " * (MAX_BYTES + 1)
    with pytest.raises(ValueError, match="larger"):
        await fetch_document(server.url)


async def test_a_server_that_drips_is_cut_off_and_holds_no_thread(server: KeyServer) -> None:
    server.drip = True
    with pytest.raises(TimeoutError):
        await fetch_document(server.url, timeout=0.2)
    async with asyncio.timeout(5):
        await server.left.wait()
        await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_server_whose_certificate_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    async with KeyServer(jwk(private_key("RS256")), tls=self_signed(tmp_path)) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await fetch_document(server.url)
        assert server.requests == 0


def self_signed(folder: Path) -> ssl.SSLContext:
    key = private_key("ES256")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(certificate + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://idp/keys", "https:///keys", "keys", "https://user:word@idp/keys"]
)
def test_only_plain_web_addresses_are_key_sets(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL"):
        JwksSource(url, 300.0)


def test_plans_share_the_keys_of_a_url_until_no_plan_uses_them() -> None:
    sets = KeySets()
    first = sets.source("https://idp/keys", 300.0)
    first.version = 7
    assert sets.source("https://idp/keys", 300.0) is first
    del first
    gc.collect()
    assert sets.source("https://idp/keys", 300.0).version == 0


def test_a_worker_without_tokens_loads_neither_cryptography_nor_http() -> None:
    script = (
        "import sys\n"
        "from gateway_runtime.security.authenticator import compile_admission\n"
        "from gateway_runtime.security.jwks import KeySets\n"
        "KeySets().source('https://idp/keys', 300.0)\n"
        "heavy = {'cryptography', 'jwt', 'http.client', 'urllib.request'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
