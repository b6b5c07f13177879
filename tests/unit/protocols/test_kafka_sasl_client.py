"""The gateway's end of SASL towards a cluster: the RFCs' examples, and clusters that misbehave."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_runtime.protocols.kafka import sasl_scram
from gateway_runtime.protocols.kafka.sasl_client import (
    MAX_PAYLOAD,
    OAuthBearerClient,
    PlainClient,
    SaslError,
    ScramClient,
    ScramPassword,
)
from gateway_runtime.protocols.kafka.sasl_scram import digest, salted_password, sign
from gateway_runtime.protocols.kafka.sasl_scram_server import ScramCredential, ScramKey, ScramServer
from gateway_runtime.protocols.kafka.sasl_server import Challenge, Done, OAuthBearerServer, PlainServer

# RFC 7677 section 3
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
SECRET = "pencil"


def scram(mechanism: str = "SCRAM-SHA-256") -> ScramClient:
    return ScramClient(ScramPassword(mechanism, "user", SECRET), lambda: b"rOprNGfwEbeRWgbNEkqO")


def test_plain_sends_name_and_password_at_once() -> None:
    client = PlainClient("user", SECRET)
    assert client.first() == b"\0user\0pencil"
    assert client.step(b"") is None


@pytest.mark.parametrize("pair", [("", "x"), ("x", ""), ("a\0b", "x"), ("x", "a\0b")])
def test_plain_refuses_credentials_that_it_cannot_carry(pair: tuple[str, str]) -> None:
    with pytest.raises(SaslError):
        PlainClient(*pair)


def test_plain_takes_no_challenge() -> None:
    with pytest.raises(SaslError, match="asks for more"):
        PlainClient("user", SECRET).step(b"more")


def test_scram_sha_256_as_in_rfc_7677() -> None:
    client = scram()
    assert client.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert client.step(SERVER_FIRST) == CLIENT_FINAL
    assert client.step(SERVER_FINAL) is None


def test_scram_as_in_rfc_5802_but_for_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of RFC 5802 section 5 is for SHA-1, which nobody is offered."""
    monkeypatch.setitem(sasl_scram.HASHES, "SCRAM-SHA-1", "sha1")
    password = ScramPassword("SCRAM-SHA-1", "user", SECRET)
    client = ScramClient(password, lambda: b"fyko+d2lbbFgONRv9qkxdawL")
    assert client.step(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096") == (
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    assert client.step(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") is None


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("name", ["user", "a,b=c", "ü"])
async def test_both_ends_of_scram_understand_each_other(mechanism: str, name: str) -> None:
    salted = salted_password(mechanism, SECRET, b"salt", 4096)
    stored = digest(mechanism, sign(mechanism, salted, b"Client Key"))
    names = []

    def find(name: str) -> ScramCredential[str]:
        names.append(name)
        keys = ScramKey(stored, sign(mechanism, salted, b"Server Key"), lambda: name)
        return ScramCredential(b"salt", 4096, (keys,))

    server = ScramServer(mechanism, find, "WRONG")
    client = ScramClient(ScramPassword(mechanism, name, SECRET))
    challenge = await server.step(client.first())
    assert isinstance(challenge, Challenge)
    proof = client.step(challenge.payload)
    assert proof is not None
    done = await server.step(proof)
    assert isinstance(done, Done)
    assert client.step(done.payload) is None
    assert (done.identity, names) == (name, [name])


async def test_both_ends_of_the_other_mechanisms_understand_each_other() -> None:
    async def tokens(token: bytes, authorization: str) -> str:
        return token.decode() + authorization

    plain = await PlainServer(lambda name, password: f"{name} {password.decode()}").step(
        PlainClient("user", SECRET).first()
    )
    bearer = await OAuthBearerServer(tokens).step(OAuthBearerClient("a.b-c_d~e+f/g==").first())
    assert isinstance(plain, Done)
    assert isinstance(bearer, Done)
    assert (plain.identity, bearer.identity) == ("user pencil", "a.b-c_d~e+f/g==")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"r=rOpr", b"r=XOpr"), "another nonce"),
        ((b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", b""), "another nonce"),
        ((b"i=4096", b"i=4095"), "4095 iterations"),
        ((b"i=4096", b"i=1000001"), "1000001 iterations"),
        ((b"i=4096", b"i=99999999999999999999"), "not SCRAM's"),
        ((b"i=4096", b"i=04096"), "not SCRAM's"),
        ((b"i=4096", b"i=4096,x=y"), "not SCRAM's"),
        ((b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s="), "not SCRAM's"),
        ((b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s=W22Za"), "not SCRAM's"),
        ((b"r=", b"m=x,r="), "not SCRAM's"),
        ((SERVER_FIRST, b"e=other-error"), "not SCRAM's"),
        ((SERVER_FIRST, SERVER_FINAL), "not SCRAM's"),
        ((SERVER_FIRST, b""), "not SCRAM's"),
        ((b"r=", b"r=" + b"x" * MAX_PAYLOAD), "not SCRAM's"),
    ],
)
def test_scram_refuses_another_first_challenge(change: tuple[bytes, bytes], reason: str) -> None:
    with pytest.raises(SaslError, match=reason):
        scram().step(SERVER_FIRST.replace(*change))


@pytest.mark.parametrize("iterations", [4096, 10000])
def test_scram_takes_allowed_iterations(iterations: int) -> None:
    assert scram().step(SERVER_FIRST.replace(b"4096", b"%d" % iterations)) is not None


@pytest.mark.parametrize(
    "final", [b"", SERVER_FINAL.replace(b"v=6", b"v=7"), b"v=", b"e=invalid-proof", SERVER_FINAL + b",x=y"]
)
def test_scram_ends_only_with_the_clusters_proof(final: bytes) -> None:
    client = scram()
    client.step(SERVER_FIRST)
    with pytest.raises(SaslError, match="the cluster"):
        client.step(final)
    with pytest.raises(SaslError):
        client.step(SERVER_FINAL)


def test_scram_compares_the_clusters_proof_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def watched(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return compare(one, other)

    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", watched)
    client = scram()
    client.step(SERVER_FIRST)
    client.step(SERVER_FINAL)
    assert compared == [b64decode(SERVER_FINAL[2:])]


def test_further_logins_by_the_same_salt_cost_no_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*given: object) -> bytes:
        calls.append(given)
        return derive(*given)  # type: ignore[arg-type]

    derive = hashlib.pbkdf2_hmac
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    password = ScramPassword("SCRAM-SHA-256", "user", SECRET)
    other = SERVER_FIRST.replace(b"i=4096", b"i=5000")
    for challenge in (SERVER_FIRST, SERVER_FIRST, other, other, SERVER_FIRST):
        ScramClient(password, lambda: b"rOprNGfwEbeRWgbNEkqO").step(challenge)
    assert len(calls) == 3


def test_oauthbearer_sends_the_token() -> None:
    client = OAuthBearerClient("abc")
    assert client.first() == b"n,,\x01auth=Bearer abc\x01\x01"
    assert client.step(b"") is None


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        (b'{"status":"invalid_token","scope":"x"}', "invalid_token"),
        (b'{"status":"\\u0000\\n"}', "unknown status"),
        (b"[]", "unknown status"),
        (b"\xff", "unknown status"),
        (b"[" * 50000, "unknown status"),
        (b'{"status":"' + b"x" * MAX_PAYLOAD + b'"}', "unknown status"),
    ],
)
def test_oauthbearer_acknowledges_a_refusal_and_then_fails(challenge: bytes, status: str) -> None:
    client = OAuthBearerClient("abc")
    assert client.step(challenge) == b"\x01"
    with pytest.raises(SaslError, match=f"refuses the token: {status}"):
        client.step(b"")


@pytest.mark.parametrize("token", ["", "a b", "a\x01auth=Bearer b", "a\n", "ä", "x" * MAX_PAYLOAD])
def test_oauthbearer_refuses_a_token_that_it_cannot_carry(token: str) -> None:
    with pytest.raises(SaslError, match="none that OAUTHBEARER can carry"):
        OAuthBearerClient(token)


@pytest.mark.parametrize("make", [lambda: PlainClient("user", SECRET), scram, lambda: OAuthBearerClient("a")])
@settings(deadline=None)
@given(
    challenges=st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.from_regex(
                rb"r=rOprNGfwEbeRWgbNEkqO[!-~]{1,9},s=[A-Za-z0-9+/]{0,8}=?=?,i=409[0-9]", fullmatch=True
            ),
            st.binary(min_size=32, max_size=32).map(lambda value: b"v=" + b64encode(value)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_cluster_makes_a_client_fail_by_no_other_error(
    make: Callable[[], PlainClient | ScramClient | OAuthBearerClient], challenges: list[bytes]
) -> None:
    client = make()
    client.first()
    for challenge in challenges:
        try:
            client.step(challenge)
        except SaslError as error:
            assert SECRET not in str(error)
            return
