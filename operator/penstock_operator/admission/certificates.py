"""The webhook's own authority and the certificate that it serves with: made, checked and renewed in memory.

Pure: the time is given, keys and certificates are PEM. Where they are kept is left to the caller.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
CA_RENEWAL_DAYS = 365
"""Days before its end at which a new authority takes over; the old one is trusted until then too."""

SERVING_DAYS = 90
SERVING_RENEWAL_DAYS = 30

_SKEW = timedelta(hours=1)
"""Clocks of API servers that go slow shall find a fresh certificate valid."""

_KEYS = {"ca": "ca.crt", "ca_key": "ca.key", "certificate": "tls.crt", "key": "tls.key"}
"""The fields, as the data of a Secret of the type kubernetes.io/tls names them."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM; `ca` may hold two authorities, the one that signs first."""

    ca: bytes
    certificate: bytes
    ca_key: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def as_data(self) -> dict[str, bytes]:
        """The data of the Secret that keeps them."""
        return {name: getattr(self, part) for part, name in _KEYS.items()}


def from_data(data: Mapping[str, bytes]) -> Certificates | None:
    """The certificates in the data of a Secret; None where it holds none."""
    if not data.keys() >= set(_KEYS.values()):
        return None
    return Certificates(**{part: data[name] for part, name in _KEYS.items()})


def renewed(known: Certificates | None, name: str, now: datetime) -> Certificates:
    """Certificates for a host name or address: the known ones while they are good, new ones else.

    A new serving certificate is signed by the authority that is there, so that nobody has to learn another;
    a new authority is handed out together with the one before.
    """
    if known is None or not _fits_together(known):
        return _with_new_authority(name, now, b"")
    authority = x509.load_pem_x509_certificate(known.ca)
    if authority.not_valid_after_utc - now < timedelta(days=CA_RENEWAL_DAYS):
        return _with_new_authority(name, now, _pem(authority))
    certificate = x509.load_pem_x509_certificate(known.certificate)
    left = certificate.not_valid_after_utc - now
    if left >= timedelta(days=SERVING_RENEWAL_DAYS) and _alternative_names(name) == _names_in(certificate):
        return known
    certificate_pem, key = _serving(name, now, authority, _private_key(known.ca_key))
    return Certificates(known.ca, certificate_pem, known.ca_key, key)


def _with_new_authority(name: str, now: datetime, before: bytes) -> Certificates:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(ca_key, now)
    certificate, key = _serving(name, now, authority, ca_key)
    return Certificates(_pem(authority) + before, certificate, _key_pem(ca_key), key)


def _fits_together(known: Certificates) -> bool:
    """Whether the parts can be read and belong to each other: people may have edited the Secret."""
    try:
        authority = x509.load_pem_x509_certificate(known.ca)
        certificate = x509.load_pem_x509_certificate(known.certificate)
        certificate.verify_directly_issued_by(authority)
        pairs = ((authority, known.ca_key), (certificate, known.key))
        return all(one.public_key() == _private_key(key).public_key() for one, key in pairs)
    except (ValueError, TypeError, InvalidSignature):
        return False


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "penstock webhook authority")])
    builder = _builder(name, key, now, CA_DAYS).issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(signs_certificates=True), critical=True).sign(key, SHA256())


def _serving(
    name: str, now: datetime, authority: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "penstock webhook")])
    builder = _builder(subject, key, now, SERVING_DAYS).issuer_name(authority.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(server, critical=False)
    builder = builder.add_extension(_alternative_names(name), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    return _pem(builder.sign(ca_key, SHA256())), _key_pem(key)


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    public = key.public_key()
    builder = x509.CertificateBuilder().subject_name(subject).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _SKEW).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(name: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
    except ValueError:
        return x509.SubjectAlternativeName([x509.DNSName(name)])


def _names_in(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a key on an elliptic curve")
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
