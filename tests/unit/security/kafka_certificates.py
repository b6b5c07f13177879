"""Certificates for the tests of Kafka's TLS, and handshakes in memory."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway_runtime.connections.kafka_tls import ServerSide

Pair = tuple[str, str]
"""A certificate and its key in PEM."""


class Authority:
    """Signs certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.pem = _pem(self._sign(self._name, self._key.public_key(), (), authority=True))

    def issue(self, common_name: str = "", *dns_names: str) -> Pair:
        """A certificate with a common name (none where empty) and these DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
        certificate = self._sign(subject, key.public_key(), dns_names, authority=False)
        return _pem(certificate), key_pem(key)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, names: tuple[str, ...], *, authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            sans = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(sans, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def der(pem: str) -> bytes:
    """A certificate as a peer shows it."""
    return ssl.PEM_cert_to_DER_cert(pem)


def key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    """A private key in PEM, encrypted with a password."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str | None
) -> tuple[ServerSide, ssl.SSLObject]:
    """Both ends of a connection in memory; raises ssl.SSLError where they do not come together."""
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(one, other, server_hostname=name),
        server.wrap_bio(other, one, server_side=True),
    )
    done = [False, False]
    while not all(done):
        for index, end in enumerate(ends):
            if not done[index]:
                done[index] = _advance(end)
    for end in ends:  # a TLS 1.3 server judges the client's certificate behind the client's handshake
        _read(end)
    assert isinstance(ends[1], ServerSide)
    return ends[1], ends[0]


def _advance(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _read(end: ssl.SSLObject) -> None:
    with suppress(ssl.SSLWantReadError):
        end.read(1)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
