"""The webhook's certificates: made, kept while they are good, renewed before they end."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from penstock_operator.admission.certificates import Certificates, from_data, renewed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "penstock-webhook.penstock.svc"


def verify(certificates: Certificates, name: str, now: datetime, ca: bytes | None = None) -> None:
    """As a client does that trusts the authorities; raises where it would not connect."""
    store = Store(x509.load_pem_x509_certificates(ca or certificates.ca))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(name))
    verifier.verify(x509.load_pem_x509_certificate(certificates.certificate), [])


def test_new_certificates_are_trusted_for_their_name_only() -> None:
    certificates = renewed(None, NAME, NOW)
    verify(certificates, NAME, NOW)
    with pytest.raises(x509.verification.VerificationError):
        verify(certificates, "other.penstock.svc", NOW)


def test_an_address_is_a_name_too() -> None:
    certificate = x509.load_pem_x509_certificate(renewed(None, "127.0.0.1", NOW).certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name) for name in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_good_certificates_are_kept() -> None:
    certificates = renewed(None, NAME, NOW)
    assert renewed(certificates, NAME, NOW + timedelta(days=60)) is certificates


def test_a_certificate_is_renewed_30_days_before_its_end_by_the_same_authority() -> None:
    before = renewed(None, NAME, NOW)
    later = NOW + timedelta(days=61)
    after = renewed(before, NAME, later)
    assert after.ca == before.ca
    assert after.certificate != before.certificate
    verify(after, NAME, later + timedelta(days=89))


def test_another_name_needs_another_certificate() -> None:
    after = renewed(renewed(None, NAME, NOW), "localhost", NOW)
    verify(after, "localhost", NOW)


def test_a_new_authority_is_trusted_beside_the_old_one() -> None:
    before = renewed(None, NAME, NOW)
    later = NOW + timedelta(days=3650 - 364)
    served = renewed(before, NAME, later - timedelta(days=2))
    after = renewed(before, NAME, later)
    verify(after, NAME, later)
    verify(served, NAME, later, ca=after.ca)
    assert len(x509.load_pem_x509_certificates(after.ca)) == 2


@pytest.mark.parametrize("part", ["ca", "ca_key", "certificate", "key"])
def test_parts_that_do_not_fit_together_are_made_anew(part: str) -> None:
    good, other = renewed(None, NAME, NOW), renewed(None, NAME, NOW)
    for wrong in (getattr(other, part), b"", b"no PEM"):
        mended = renewed(replace(good, **{part: wrong}), NAME, NOW)
        verify(mended, NAME, NOW)
        assert mended.ca != good.ca


def test_a_secret_keeps_all_parts() -> None:
    certificates = renewed(None, NAME, NOW)
    assert from_data(certificates.as_data()) == certificates
    assert from_data({"tls.crt": certificates.certificate}) is None


def test_keys_are_in_no_repr() -> None:
    assert "PRIVATE" not in repr(renewed(None, NAME, NOW))


def test_openssl_takes_the_authorities_as_they_are() -> None:
    certificates = renewed(None, NAME, NOW)
    context = ssl.create_default_context(cadata=certificates.ca.decode())
    assert len(context.get_ca_certs()) >= 1
