"""The certificates of a Kafka listener while its secrets change."""

from __future__ import annotations

import ssl

import pytest
from kafka_certificates import Authority, Pair, der, handshake

from gateway_runtime.connections.kafka_certificates import ListenerCertificates
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.security.pem import load_chain
from gateway_runtime.snapshot.kafka import Certificate, ListenerTls
from gateway_runtime.snapshot.wire import SecretRef

ONE = Certificate(chain=SecretRef(uri="one:crt"), key=SecretRef(uri="one:key"))
TWO = Certificate(chain=SecretRef(uri="two:crt"), key=SecretRef(uri="two:key"))
CA = SecretRef(uri="ca:crt")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def secrets(ca: str = "", **pairs: Pair) -> dict[str, SecretText]:
    found = {"ca:crt": ca} if ca else {}
    for name, (chain, key) in pairs.items():
        found |= {f"{name}:crt": chain, f"{name}:key": key}
    return {uri: SecretText(value) for uri, value in found.items()}


def client(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.pem)
    context.check_hostname = False
    return context


def shown(certificates: ListenerCertificates, authority: Authority, name: str = "a.example") -> bytes | None:
    return handshake(certificates.context, client(authority), name)[1].getpeercert(True)


def test_a_new_certificate_is_shown_from_the_next_handshake_on(authority: Authority) -> None:
    certificates = ListenerCertificates()
    old, new = authority.issue("", "a.example"), authority.issue("", "a.example")
    tls = ListenerTls(certificates=(ONE,))
    assert certificates.update(tls, secrets(one=old)) == []
    assert shown(certificates, authority) == der(old[0])
    assert certificates.update(tls, secrets(one=new)) == []
    assert shown(certificates, authority) == der(new[0])


def test_the_name_asked_for_picks_among_the_certificates_and_is_kept(authority: Authority) -> None:
    certificates = ListenerCertificates()
    one, two = authority.issue("", "a.example"), authority.issue("", "*.b.example")
    certificates.update(ListenerTls(certificates=(ONE, TWO)), secrets(one=one, two=two))
    server, other = handshake(certificates.context, client(authority), "K.b.example")
    assert other.getpeercert(True) == der(two[0])
    assert server.asked_name == "k.b.example"


def test_without_a_certificate_handshakes_are_refused_and_the_reason_told(authority: Authority) -> None:
    certificates = ListenerCertificates()
    problems = certificates.update(ListenerTls(certificates=(ONE,)), {})
    assert problems == ["certificate one:crt: one:crt is missing"]
    with pytest.raises(ssl.SSLError, match="CALLBACK_FAILED"):
        shown(certificates, authority)
    certificates.update(ListenerTls(certificates=(ONE,)), secrets(one=authority.issue("", "a.example")))
    assert shown(certificates, authority)


def test_a_certificate_that_breaks_leaves_the_last_good_one_and_no_word_of_it(authority: Authority) -> None:
    certificates = ListenerCertificates()
    good, other = authority.issue("", "a.example"), authority.issue("", "a.example")
    tls = ListenerTls(certificates=(ONE,))
    certificates.update(tls, secrets(one=good))
    for broken in ((good[0], other[1]), ("no PEM", good[1]), None):
        (problem,) = certificates.update(tls, secrets() if broken is None else secrets(one=broken))
        assert problem.startswith("certificate one:crt: ")
        assert "BEGIN" not in problem
        assert shown(certificates, authority) == der(good[0])
    assert certificates.update(tls, secrets(one=good)) == []


def test_one_broken_certificate_does_not_hold_up_another(authority: Authority) -> None:
    certificates = ListenerCertificates()
    one, two = authority.issue("", "a.example"), authority.issue("", "b.example")
    tls = ListenerTls(certificates=(ONE, TWO))
    problems = certificates.update(tls, secrets(one=("no PEM", one[1]), two=two))
    assert len(problems) == 1
    assert shown(certificates, authority, "b.example") == der(two[0])
    certificates.update(tls, secrets(one=one, two=two))
    assert shown(certificates, authority) == der(one[0])


def test_of_several_certificates_one_that_breaks_is_still_shown_as_it_was(authority: Authority) -> None:
    certificates = ListenerCertificates()
    one, two, new = (authority.issue("", name) for name in ("a.example", "b.example", "b.example"))
    tls = ListenerTls(certificates=(ONE, TWO))
    certificates.update(tls, secrets(one=one, two=two))
    assert len(certificates.update(tls, secrets(one=("no PEM", one[1]), two=new))) == 1
    assert shown(certificates, authority) == der(one[0])
    assert shown(certificates, authority, "b.example") == der(new[0])


def test_what_is_wrong_is_told_again_while_nothing_changes(authority: Authority) -> None:
    certificates = ListenerCertificates()
    tls = ListenerTls(certificates=(ONE,))
    assert certificates.update(tls, {}) == certificates.update(tls, {}) != []


def test_clients_may_show_certificates_once_there_is_an_authority_for_them(authority: Authority) -> None:
    certificates = ListenerCertificates()
    pair = authority.issue("", "a.example")
    certificates.update(ListenerTls(certificates=(ONE,)), secrets(one=pair))
    assert certificates.context.verify_mode is ssl.CERT_NONE
    own = Authority()
    certificates.update(ListenerTls(certificates=(ONE,), client_ca=CA), secrets(one=pair, ca=own.pem))
    assert certificates.context.verify_mode is ssl.CERT_OPTIONAL
    mine, foreign = own.issue("me"), Authority().issue("me")
    server, _ = handshake(certificates.context, showing(client(authority), mine), "a.example")
    assert server.getpeercert(True) == der(mine[0])
    with pytest.raises(ssl.SSLError):
        handshake(certificates.context, showing(client(authority), foreign), "a.example")


def test_a_client_authority_that_breaks_lets_in_nobody_else(authority: Authority) -> None:
    certificates = ListenerCertificates()
    pair, own = authority.issue("", "a.example"), Authority()
    tls = ListenerTls(certificates=(ONE,), client_ca=CA)
    (problem,) = certificates.update(tls, secrets(one=pair))
    assert problem == "client certificate authority: ca:crt is missing"
    with pytest.raises(ssl.SSLError, match="CALLBACK_FAILED"):
        shown(certificates, authority)
    certificates.update(tls, secrets(one=pair, ca=own.pem))
    (problem,) = certificates.update(tls, secrets(one=pair, ca="no PEM"))
    assert problem.startswith("client certificate authority: ")
    handshake(certificates.context, showing(client(authority), own.issue("me")), "a.example")


def test_no_session_is_resumed_past_a_change(authority: Authority) -> None:
    certificates = ListenerCertificates()
    tls = ListenerTls(certificates=(ONE,))
    certificates.update(tls, secrets(one=authority.issue("", "a.example")))
    _, end = handshake(certificates.context, client(authority), "a.example")
    assert end.session is None or not end.session.has_ticket


def showing(context: ssl.SSLContext, pair: Pair) -> ssl.SSLContext:
    load_chain(context, pair[0].encode(), pair[1].encode())
    return context
