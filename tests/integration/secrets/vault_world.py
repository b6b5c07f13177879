"""What the tests with a real Vault share: its contents, its logins, and a store that asks it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hvac
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from e2e.components.vault.server import VaultServer
from gateway_runtime.secrets.given import GivenSecrets
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.secrets.store import SecretStore
from gateway_runtime.snapshot.providers import SecretProvider, VaultAuth, VaultProvider
from gateway_runtime.snapshot.wire import SecretRef

PATIENCE = 20.0
POLICY = """
path "kv/data/shop/*" { capabilities = ["read"] }
path "old/shop/*" { capabilities = ["read"] }
path "leased/creds/*" { capabilities = ["read"] }
"""
TOKEN_TTL = "1h"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM."""

    certificate: str
    key: str


def self_signed(name: str) -> Pair:
    """A certificate for a name and the loopback address that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    usage = x509.ExtendedKeyUsage(
        [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH, x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), pem.decode())


class VaultWorld:
    """A Vault with two key-value engines, a policy for `shop`, and a login by each method."""

    def __init__(self, server: VaultServer, ca: Pair, folder: Path) -> None:
        self.server = server
        self.ca = ca
        authority = folder / "ca.pem"
        authority.write_text(ca.certificate)
        self.admin = hvac.Client(server.address, server.root_token, verify=str(authority))
        self.user = self_signed("edge")
        self.signer = ec.generate_private_key(ec.SECP256R1())
        self._fill()
        self._log_ins()

    def _fill(self) -> None:
        admin = self.admin
        admin.sys.enable_secrets_engine("kv", "kv", options={"version": "2"})
        admin.sys.enable_secrets_engine("kv", "old", options={"version": "1"})
        admin.sys.enable_secrets_engine(
            "leased", "leased", config={"default_lease_ttl": "3s", "max_lease_ttl": "7s"}
        )
        admin.sys.create_or_update_policy("shop", POLICY)
        self.write("shop/orders", token="value-1", other="value-o")
        self.write("team/orders", token="another-team")
        admin.secrets.kv.v1.create_or_update_secret("shop/orders", {"token": "value-old"}, mount_point="old")

    def _log_ins(self) -> None:
        admin = self.admin
        for method in ("approle", "userpass", "jwt", "cert"):
            admin.sys.enable_auth_method(method)
        # Tests log in wrongly many times: Vault would lock the user out for a quarter of an hour.
        no_lockout = {"user_lockout_config": {"lockout_disable": True}}
        admin.write_data("sys/auth/userpass/tune", data=no_lockout)
        policies = {"token_policies": ["shop"], "token_ttl": TOKEN_TTL}
        admin.auth.approle.create_or_update_approle("edge", **policies)
        self.role_id = admin.auth.approle.read_role_id("edge")["data"]["role_id"]
        admin.write_data("auth/userpass/users/edge", data={"password": "pass-word-1", **policies})
        admin.write_data("auth/cert/certs/edge", data={"certificate": self.user.certificate, **policies})
        pem = self.signer.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        admin.write_data("auth/jwt/config", data={"jwt_validation_pubkeys": [pem.decode()]})
        role = {"role_type": "jwt", "bound_audiences": ["vault"], "user_claim": "sub", **policies}
        admin.write_data("auth/jwt/role/edge", data=role)

    def write(self, path: str, **values: str) -> None:
        """A new version of a secret of `kv`."""
        self.admin.secrets.kv.v2.create_or_update_secret(path, values, mount_point="kv")

    def secret_id(self) -> str:
        return str(self.admin.auth.approle.generate_secret_id("edge")["data"]["secret_id"])

    def token(self, ttl: str = TOKEN_TTL, **more: object) -> str:
        """A token with the policy."""
        made = self.admin.auth.token.create(policies=["shop"], ttl=ttl, no_parent=True, **more)
        return str(made["auth"]["client_token"])

    def signed(self, audience: str = "vault") -> str:
        """A token as an identity provider makes it."""
        now = datetime.datetime.now(datetime.UTC)
        claims = {"sub": "edge", "aud": audience, "iat": now, "exp": now + datetime.timedelta(minutes=5)}
        return jwt.encode(claims, self.signer, "ES256")

    def logins(self, path: str) -> int:
        """How many tokens there are by a method."""
        accessors = self.admin.list("auth/token/accessors")["data"]["keys"]
        found = [self.admin.auth.token.lookup_accessor(one)["data"]["path"] for one in accessors]
        return found.count(path)

    def provider(self, auth: VaultAuth, **more: object) -> VaultProvider:
        """A provider of this Vault."""
        given = {"refresh": 0.2, "timeout": 2.0, "ca": self.ca.certificate, **more}
        return VaultProvider(name="main", address=self.server.address, auth=auth, **given)  # type: ignore[arg-type]


def named(key: str) -> SecretRef:
    """A credential in the Secret `gateways/login`."""
    return SecretRef(uri=f"kubernetes/gateways/login:{key}")


class Asked:
    """A store, and what it is told from outside."""

    def __init__(self, tokens: Path) -> None:
        self._changed = asyncio.Event()
        self.given = GivenSecrets()
        self.store = SecretStore(self.given, self._changed.set, tokens=tokens)

    def credentials(self, **values: str) -> None:
        """The Secret `gateways/login` as it is now."""
        self.given.give({f"kubernetes/gateways/login:{key}": value for key, value in values.items()})

    def want(self, provider: SecretProvider, *uris: str) -> None:
        self.store.want((provider,), uris, {})

    def text(self, uri: str) -> str | None:
        value: SecretText | None = self.store.value(uri)
        return None if value is None else value.reveal()

    async def until(self, holds: Callable[[], bool], what: Callable[[], object] = lambda: "") -> None:
        """Wait for a change after which it holds."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not holds():
            left = deadline - asyncio.get_running_loop().time()
            assert left > 0, f"in vain: {what()}"
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(left, 0.2))
            except TimeoutError:
                continue

    async def value(self, uri: str, expected: str) -> None:
        await self.until(lambda: self.text(uri) == expected, lambda: self.store.problem(uri))

    async def problem(self, uri: str, part: str) -> None:
        await self.until(lambda: part in self.store.problem(uri), lambda: self.store.problem(uri))
