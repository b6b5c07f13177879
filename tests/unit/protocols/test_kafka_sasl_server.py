"""The gateway's end of SASL as dialogues: the examples of the RFCs, and whatever else a client may send."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_runtime.protocols.kafka.sasl_scram import digest, exclusive_or, salted_password, sign
from gateway_runtime.protocols.kafka.sasl_scram_server import ScramCredential, ScramKey, ScramServer
from gateway_runtime.protocols.kafka.sasl_server import (
    MALFORMED,
    MAX_PAYLOAD,
    Challenge,
    Done,
    Failed,
    OAuthBearerServer,
    Outcome,
    PlainServer,
    ServerExchange,
)

WRONG = Failed("WRONG")
TOKEN = b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="

# RFC 7677 section 3
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)


def passwords(name: str, password: bytes) -> str | Failed:
    return name if (name, password) == ("mobile", b"secret") else WRONG


async def tokens(token: bytes, authorization: str) -> str | Failed:
    return f"mobile{authorization}" if token == TOKEN else WRONG


@cache
def salted_by(mechanism: str, password: str) -> bytes:
    return salted_password(mechanism, password, SALT, 4096)


def key(mechanism: str, password: str, admit: Callable[[], str | Failed]) -> ScramKey[str]:
    salted = salted_by(mechanism, password)
    stored = digest(mechanism, sign(mechanism, salted, b"Client Key"))
    return ScramKey(stored, sign(mechanism, salted, b"Server Key"), admit)


def scram(mechanism: str = "SCRAM-SHA-256", *keys: ScramKey[str]) -> ScramServer[str]:
    held = keys or (key(mechanism, "pencil", lambda: "user"),)
    return ScramServer(mechanism, lambda _: ScramCredential(SALT, 4096, held), "WRONG", lambda: SERVER_NONCE)


def proof(mechanism: str, password: str, challenge: bytes, nonce: bytes = b"") -> bytes:
    """The answer of a client that knows the password, by the challenge's nonce or another."""
    unproved = b"c=biws," + (b"r=" + nonce if nonce else challenge.split(b",")[0])
    client_key = sign(mechanism, salted_by(mechanism, password), b"Client Key")
    message = b",".join((CLIENT_FIRST.removeprefix(b"n,,"), challenge, unproved))
    signature = sign(mechanism, digest(mechanism, client_key), message)
    return unproved + b",p=" + b64encode(exclusive_or(client_key, signature))


async def challenged(server: ServerExchange[str], payload: bytes) -> bytes:
    outcome = await server.step(payload)
    assert isinstance(outcome, Challenge)
    return outcome.payload


def finished(outcome: Outcome[str]) -> Done[str]:
    assert isinstance(outcome, Done)
    return outcome


@pytest.mark.parametrize("authorization", [b"", b"mobile"])
async def test_plain_lets_in_by_name_and_password(authorization: bytes) -> None:
    server = PlainServer(passwords)
    assert await server.step(authorization + b"\0mobile\0secret") == Done(b"", "mobile")


async def test_plain_refuses_a_wrong_password() -> None:
    assert await PlainServer(passwords).step(b"\0mobile\0secreT") == WRONG


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"mobile\0secret",
        b"admin\0mobile\0secret",
        b"\0\0secret",
        b"\0mobile\0",
        b"\0mobile\0secret\0",
        b"\0mob\xffile\0secret",
    ],
)
async def test_plain_refuses_what_is_no_name_and_password(payload: bytes) -> None:
    assert await PlainServer(passwords).step(payload) == Failed(MALFORMED)


async def test_scram_sha_256_as_in_rfc_7677() -> None:
    server = scram()
    assert await challenged(server, CLIENT_FIRST) == (
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert await server.step(CLIENT_FINAL) == Done(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "user")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_scram_lets_in_by_each_of_the_keys_that_hold(mechanism: str) -> None:
    keys = [key(mechanism, name, lambda name=name: name) for name in ("old", "new")]  # type: ignore[misc]
    for password in ("old", "new"):
        server = scram(mechanism, *keys)
        challenge = await challenged(server, CLIENT_FIRST)
        assert finished(await server.step(proof(mechanism, password, challenge))).identity == password


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_scram_refuses_a_wrong_password(mechanism: str) -> None:
    server = scram(mechanism)
    challenge = await challenged(server, CLIENT_FIRST)
    assert await server.step(proof(mechanism, "Pencil", challenge)) == WRONG


async def test_scram_refuses_a_right_password_that_lets_nobody_in_any_more() -> None:
    server = scram("SCRAM-SHA-256", key("SCRAM-SHA-256", "pencil", lambda: Failed("PAUSED")))
    await challenged(server, CLIENT_FIRST)
    assert await server.step(CLIENT_FINAL) == Failed("PAUSED")


async def test_scram_refuses_a_proof_replayed_to_another_nonce() -> None:
    server = ScramServer(
        "SCRAM-SHA-256",
        lambda _: ScramCredential(SALT, 4096, (key("SCRAM-SHA-256", "pencil", lambda: "user"),)),
        "WRONG",
    )
    await challenged(server, CLIENT_FIRST)
    assert await server.step(CLIENT_FINAL) == WRONG


@pytest.mark.parametrize(
    "nonce", [b"rOprNGfwEbeRWgbNEkqO", b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k1"]
)
async def test_scram_refuses_a_right_proof_by_another_nonce(nonce: bytes) -> None:
    server = scram()
    challenge = await challenged(server, CLIENT_FIRST)
    assert await server.step(proof("SCRAM-SHA-256", "pencil", challenge, nonce)) == WRONG


async def test_scram_refuses_a_proof_for_another_name() -> None:
    server = scram()
    await challenged(server, CLIENT_FIRST.replace(b"user", b"root"))
    assert await server.step(CLIENT_FINAL) == WRONG


async def test_scram_nonces_never_repeat() -> None:
    seen = set()
    for _ in range(100):
        server = ScramServer[str]("SCRAM-SHA-256", lambda _: ScramCredential(SALT, 4096, ()), "WRONG")
        seen.add(await challenged(server, CLIENT_FIRST))
    assert len(seen) == 100


async def test_scram_names_are_unescaped() -> None:
    names = []

    def find(name: str) -> ScramCredential[str]:
        names.append(name)
        return ScramCredential(SALT, 4096, ())

    await challenged(ScramServer("SCRAM-SHA-256", find, "WRONG"), "n,,n=a=2Cb=3Dcé,r=x".encode())
    assert names == ["a,b=cé"]


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n=user,r=abc",
        b"y,,n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"n,a=admin,n=user,r=abc",
        b"n,,m=x,n=user,r=abc",
        b"n,,n=user,r=abc,tokenauth=true",
        b"n,,n=,r=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,,n=us\xffer,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a b",
        b"n,,n=user,r=" + b"a" * 1025,
        CLIENT_FIRST + b"\n",
    ],
)
async def test_scram_refuses_another_first_message(first: bytes) -> None:
    assert await scram().step(first) == Failed(MALFORMED)


@pytest.mark.parametrize(
    "change",
    [
        lambda final: b"",
        lambda final: final.replace(b"biws", b"eSws"),
        lambda final: final.replace(b"c=biws,", b""),
        lambda final: final.replace(b",p=", b",x=y,p="),
        lambda final: final + b",x=y",
        lambda final: final[:-1],
        lambda final: final.replace(b"p=dHz", b"p=d-z"),
    ],
)
async def test_scram_refuses_another_last_message(change: Callable[[bytes], bytes]) -> None:
    server = scram()
    await challenged(server, CLIENT_FIRST)
    assert await server.step(change(CLIENT_FINAL)) == Failed(MALFORMED)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
async def test_scram_refuses_a_proof_of_another_length(length: int) -> None:
    server = scram()
    await challenged(server, CLIENT_FIRST)
    final = CLIENT_FINAL.partition(b",p=")[0] + b",p=" + b64encode(bytes(length))
    assert isinstance(await server.step(final), Failed)


@pytest.mark.parametrize(
    "payload",
    [
        b"n,,\x01auth=Bearer " + TOKEN + b"\x01\x01",
        b"n,,\x01host=x\x01port=9092\x01auth=bearer  " + TOKEN + b"\x01\x01",
    ],
)
async def test_oauthbearer_lets_in_by_a_token(payload: bytes) -> None:
    assert await OAuthBearerServer(tokens).step(payload) == Done(b"", "mobile")


async def test_oauthbearer_hands_on_whom_a_client_wants_to_act_as() -> None:
    payload = b"n,a=x=2Cy,\x01auth=Bearer " + TOKEN + b"\x01\x01"
    assert finished(await OAuthBearerServer(tokens).step(payload)).identity == "mobilex,y"


async def test_oauthbearer_tells_of_a_bad_token_in_json_and_then_fails() -> None:
    server = OAuthBearerServer(tokens)
    challenge = await challenged(server, b"n,,\x01auth=Bearer x\x01\x01")
    assert json.loads(challenge) == {"status": "invalid_token"}
    assert await server.step(b"\x01") == WRONG


async def test_oauthbearer_takes_no_second_token_after_a_bad_one() -> None:
    server = OAuthBearerServer(tokens)
    await challenged(server, b"n,,\x01auth=Bearer x\x01\x01")
    assert await server.step(b"n,,\x01auth=Bearer " + TOKEN + b"\x01\x01") == Failed(MALFORMED)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x01",
        b"n,,\x01\x01",
        b"n,,\x01auth=\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Basic " + TOKEN + b"\x01\x01",
        b"n,,\x01auth=Bearer " + TOKEN + b"\x01",
        b"n,,\x01auth=Bearer " + TOKEN + b"\x01\x01\x01",
        b"n,,\x01auth=Bearer a b\x01\x01",
        b"n,,\x01auth=Bearer a\x01auth=Bearer a\x01\x01",
        b"n,a=x=,\x01auth=Bearer a\x01\x01",
        b"n,a=\xff,\x01auth=Bearer a\x01\x01",
        b"y,,\x01auth=Bearer " + TOKEN + b"\x01\x01",
        b"p=tls-unique,,\x01auth=Bearer " + TOKEN + b"\x01\x01",
        b"n,,auth=Bearer " + TOKEN + b"\x01\x01",
    ],
)
async def test_oauthbearer_refuses_another_response(payload: bytes) -> None:
    assert await OAuthBearerServer(tokens).step(payload) == Failed(MALFORMED)


EXCHANGES: list[Callable[[], ServerExchange[str]]] = [
    lambda: PlainServer(passwords),
    scram,
    lambda: OAuthBearerServer(tokens),
]


@pytest.mark.parametrize("make", EXCHANGES)
async def test_a_payload_beyond_the_bound_is_refused(make: Callable[[], ServerExchange[str]]) -> None:
    for payload in (b"\0mobile\0", b"n,,n=user,r=", b"n,,\x01auth=Bearer "):
        assert await make().step(payload + b"x" * MAX_PAYLOAD) == Failed(MALFORMED)


@pytest.mark.parametrize("good", [b"\0mobile\0secret", b"\0mobile\0wrong"])
async def test_an_exchange_that_has_ended_takes_no_further_message(good: bytes) -> None:
    server = PlainServer(passwords)
    await server.step(good)
    assert await server.step(b"\0mobile\0secret") == Failed(MALFORMED)


@pytest.mark.parametrize("make", EXCHANGES)
@settings(deadline=None)
@given(
    payloads=st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.text("nyp=,r\x01\0auth=Bearer biwsé", max_size=60).map(str.encode),
            st.sampled_from([CLIENT_FIRST, CLIENT_FINAL, b"n,,\x01auth=Bearer x\x01\x01", b"\x01"]),
        ),
        min_size=1,
        max_size=3,
    )
)
async def test_no_message_makes_an_exchange_raise(
    make: Callable[[], ServerExchange[str]], payloads: list[bytes]
) -> None:
    server = make()
    for payload in payloads:
        assert isinstance(await server.step(payload), Challenge | Done | Failed)
