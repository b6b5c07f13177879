"""A node's folder and address -> its certificate authority, certificates, keys, tokens and kubeconfigs."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from e2e.components.kubeconfig import write_kubeconfig
from e2e.providers.native.addresses import API_SERVER_PORT, API_SERVICE, NODE

_DAYS = 7
_GROUPS = {
    "admin": "system:masters",
    f"system:node:{NODE}": "system:nodes",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
}
"""Who speaks to the API server, and in which group; RBAC gives each what it has in any cluster."""
_API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files in a node's folder `pki`."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate of the authority that all others are from."""
        return self.folder / "ca.crt"

    @property
    def tokens(self) -> Path:
        """The file for --token-auth-file."""
        return self.folder / "tokens.csv"

    def certificate(self, name: str) -> Path:
        """The certificate of `ca`, `apiserver` or `kubelet-client`."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The key of one of these, or of `service-accounts`."""
        return self.folder / f"{name}.key"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of a user of the API server."""
        return self.folder / f"{user.rpartition(':')[2]}.kubeconfig"

    def write(self, address: str) -> None:
        """Makes all of them, for an API server at this address."""
        self.folder.mkdir(mode=0o700)
        authority, key = self._write_authority()
        names = [x509.DNSName(name) for name in _API_NAMES]
        addresses = [
            x509.IPAddress(ipaddress.ip_address(each)) for each in (address, API_SERVICE, "127.0.0.1")
        ]
        server = x509.SubjectAlternativeName([*names, *addresses])
        self._write_pair(
            "apiserver", _builder("kube-apiserver").add_extension(server, critical=False), authority, key
        )
        self._write_pair("kubelet-client", _builder("kube-apiserver", "system:masters"), authority, key)
        _write_key(self.key("service-accounts"))
        self._write_tokens(f"https://{address}:{API_SERVER_PORT}")

    def _write_authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = _write_key(self.key("ca"))
        builder = _builder("penstock-e2e").add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        certificate = (
            builder.issuer_name(_name("penstock-e2e")).public_key(key.public_key()).sign(key, SHA256())
        )
        self.authority.write_bytes(certificate.public_bytes(Encoding.PEM))
        return certificate, key

    def _write_pair(
        self,
        name: str,
        builder: x509.CertificateBuilder,
        authority: x509.Certificate,
        signer: ec.EllipticCurvePrivateKey,
    ) -> None:
        public = _write_key(self.key(name)).public_key()
        certificate = builder.issuer_name(authority.subject).public_key(public).sign(signer, SHA256())
        self.certificate(name).write_bytes(certificate.public_bytes(Encoding.PEM))

    def _write_tokens(self, url: str) -> None:
        lines = []
        for user, group in _GROUPS.items():
            token = secrets.token_urlsafe(32)
            lines.append(f'{token},{user},{user},"{group}"\n')
            write_kubeconfig(self.kubeconfig(user), url, self.authority, token)
        self.tokens.write_text("".join(lines), encoding="ascii")


def _name(common: str, group: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if group:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _builder(common: str, group: str = "") -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common, group))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )


def _write_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return key
