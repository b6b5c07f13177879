"""TLS of Kafka connections: which certificate is shown, who may connect, and no key on a disk."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from kafka_certificates import Authority, Pair, der, handshake, key_pem

from gateway_runtime.connections.kafka_tls import client_context, server_context
from gateway_runtime.snapshot.kafka import KafkaTls


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def trusting(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    certificate, key = pair or (None, None)
    return client_context(KafkaTls(ca=authority.pem, certificate=certificate, key=key))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("orders.kafka.example", 1),
        ("ORDERS.kafka.example", 1),
        ("broker-1.wild.example", 2),
        ("other.kafka.example", 0),
        ("a.broker-1.wild.example", 0),
        ("wild.example", 0),
        (None, 0),
    ],
)
def test_the_certificate_for_the_asked_name_is_shown_else_the_first(
    authority: Authority, asked: str | None, shown: int
) -> None:
    pairs = [
        authority.issue("orders.kafka.example", "default.example"),
        authority.issue("", "x.example", "Orders.kafka.example"),
        authority.issue("", "*.wild.example"),
    ]
    client = client_context(KafkaTls(verify=False))
    server_side, client_side = handshake(server_context(pairs, None), client, asked)
    assert client_side.getpeercert(binary_form=True) == der(pairs[shown][0])
    assert server_side.asked_name == (asked or "").lower()


def test_a_client_of_the_authority_is_known_by_its_certificate_whatever_name_it_asks_for(
    authority: Authority,
) -> None:
    pairs = [authority.issue("", name) for name in ("one.example", "two.example")]
    client = authority.issue("mobile-app")
    server = server_context(pairs, authority.pem)
    for name in ("one.example", "two.example"):
        server_side, _ = handshake(server, trusting(authority, client), name)
        assert server_side.getpeercert(binary_form=True) == der(client[0])


def test_a_client_without_a_certificate_may_connect(authority: Authority) -> None:
    server = server_context([authority.issue("", "one.example")], authority.pem)
    server_side, _ = handshake(server, trusting(authority), "one.example")
    assert server_side.getpeercert(binary_form=True) is None


@pytest.mark.parametrize("name", ["one.example", "two.example"])
def test_a_certificate_of_another_authority_is_refused(authority: Authority, name: str) -> None:
    pairs = [authority.issue("", "one.example"), authority.issue("", "two.example")]
    stranger = Authority().issue("mobile-app")
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        handshake(server_context(pairs, authority.pem), trusting(authority, stranger), name)


def test_a_certificate_is_not_looked_at_where_no_authority_is_given(authority: Authority) -> None:
    server = server_context([authority.issue("", "one.example")], None)
    server_side, _ = handshake(server, trusting(authority, authority.issue("mobile-app")), "one.example")
    assert server_side.getpeercert(binary_form=True) is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_versions_before_tls_1_2_are_refused(authority: Authority) -> None:
    client = trusting(authority)
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        handshake(server_context([authority.issue("", "one.example")], None), client, "one.example")


def test_a_cluster_must_show_a_certificate_for_its_name(authority: Authority) -> None:
    server = server_context([authority.issue("one.example", "two.example")], None)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server, trusting(authority), "one.example")


def test_a_cluster_of_another_authority_is_refused_unless_verification_is_off(authority: Authority) -> None:
    server = server_context([Authority().issue("", "one.example")], None)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, trusting(authority), "one.example")
    handshake(server, client_context(KafkaTls(ca=authority.pem, verify=False)), "one.example")


def test_nothing_stays_open_that_held_a_key(authority: Authority) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    server_context([authority.issue("", "one.example")], authority.pem)
    trusting(authority, authority.issue("mobile-app"))
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_no_file_is_opened_on_a_disk_for_a_key(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    load = ssl.SSLContext.load_cert_chain

    def watched(context: ssl.SSLContext, path: str, **more: str) -> None:
        paths.append(str(Path(path).readlink()))
        load(context, path, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    server_context([authority.issue("", "one.example")], None)
    assert paths == ["/memfd:chain (deleted)"]


def broken_pairs(authority: Authority) -> dict[str, Pair]:
    chain, key = authority.issue("", "one.example")
    encrypted = key_pem(ec.generate_private_key(ec.SECP256R1()), b"password")
    return {
        "no certificate": ("nothing", key),
        "empty": ("", ""),
        "no key": (chain, ""),
        "another key": (chain, authority.issue("", "x")[1]),
        "a key with a password": (chain, encrypted),
        "a key cut short": (chain, key[:100]),
        "other than ascii": ("ä" + chain, key.replace("A", "é")),
    }


@pytest.mark.parametrize("kind", list(broken_pairs(Authority())))
def test_unusable_pem_is_refused_without_telling_of_it(authority: Authority, kind: str) -> None:
    chain, key = broken_pairs(authority)[kind]
    for build in (
        lambda: server_context([(chain, key)], None),
        lambda: client_context(KafkaTls(ca=authority.pem, certificate=chain, key=key)),
    ):
        with pytest.raises(ValueError, match=r"the PEM of the \w+'s TLS cannot be used: \w+$"):
            build()


@pytest.mark.parametrize("authorities", ["", "nothing", "ä"])
def test_unusable_authorities_are_refused(authority: Authority, authorities: str) -> None:
    with pytest.raises(ValueError, match="cannot be used"):
        server_context([authority.issue("", "one.example")], authorities)
    with pytest.raises(ValueError, match="cannot be used"):
        client_context(KafkaTls(ca=authorities))


def test_a_listener_without_a_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a certificate"):
        server_context([], None)
