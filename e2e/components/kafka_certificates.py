"""Names -> a certificate authority, and PEM files for servers on the loopback address and for clients."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from e2e.components.ports import ADDRESS

_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key as PEM files; `both` holds key and certificate, as Java's PEM stores do."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """A certificate authority of its own; its certificate is in the file `certificate`."""

    def __init__(self, folder: Path, name: str = "penstock-test-ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(self._name, self._name, self._key).add_extension(basic, critical=True)
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def identity(self, name: str, hosts: Sequence[str] = ()) -> Identity:
        """A certificate for a common name; with hosts for a server on the loopback address."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), self._name, key)
        if hosts:
            names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
            names.append(x509.IPAddress(ipaddress.ip_address(ADDRESS)))
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return self._written(name, key, certificate.public_bytes(Encoding.PEM))

    def _written(self, name: str, key: ec.EllipticCurvePrivateKey, certificate: bytes) -> Identity:
        made = Identity(*(self._folder / f"{name}.{end}" for end in ("crt", "key", "pem")))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        made.certificate.write_bytes(certificate)
        made.key.write_bytes(private)
        made.both.write_bytes(private + certificate)
        return made


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )
