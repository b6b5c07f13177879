"""The authentication of a provider -> a token of Vault. All of it blocks: it runs in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from pathlib import Path
from typing import Any

import hvac

from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.secrets.provider import Lookup, ProviderError
from gateway_runtime.secrets.vault.transport import ClientPair
from gateway_runtime.snapshot.providers import (
    OWN_TOKEN,
    VaultAppRole,
    VaultAuth,
    VaultCert,
    VaultJwt,
    VaultKubernetes,
    VaultToken,
    VaultUserpass,
    token_path,
)
from gateway_runtime.snapshot.wire import SecretRef


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `seconds` is 0 where it never ends."""

    value: str = field(repr=False)
    seconds: float
    renewable: bool


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where a provider finds what it logs in with; `tokens` is the folder of the pod's own tokens."""

    provider: str
    lookup: Lookup
    tokens: Path

    def text(self, reference: SecretRef) -> str:
        """The value of a credential. Raises ProviderError where it is not there."""
        value: SecretText | None = self.lookup(reference.uri)
        if value is None:
            raise ProviderError(f"its credential {reference.uri} is not there")
        return value.reveal()

    def own_token(self, audience: str) -> str:
        """The token of the pod's service account as it is now. Raises ProviderError where there is none."""
        path = self.tokens / (token_path(self.provider) if audience else OWN_TOKEN)
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ProviderError(f"there is no service account token at {path}") from error


def client_pair(auth: VaultAuth, credentials: Credentials) -> ClientPair | None:
    """The certificate that connections show."""
    if not isinstance(auth, VaultCert):
        return None
    return ClientPair(credentials.text(auth.certificate).encode(), credentials.text(auth.key).encode())


def login(client: hvac.Client, auth: VaultAuth, credentials: Credentials) -> Token:
    """Log in. Raises hvac's errors, and ProviderError where a credential is not there."""
    answer = _login(auth, client, credentials)
    if isinstance(answer, Token):
        return answer
    return granted(answer)


def granted(answer: dict[str, Any]) -> Token:
    """The token of an answer to a login or a renewal."""
    auth = answer["auth"]
    return Token(auth["client_token"], float(auth["lease_duration"]), bool(auth["renewable"]))


@singledispatch
def _login(auth: object, client: hvac.Client, credentials: Credentials) -> dict[str, Any] | Token:
    raise NotImplementedError(type(auth).__name__)


@_login.register
def _(auth: VaultKubernetes, client: hvac.Client, credentials: Credentials) -> Any:
    token = credentials.own_token(auth.audience)
    return client.auth.kubernetes.login(auth.role, token, use_token=False, mount_point=auth.mount)


@_login.register
def _(auth: VaultAppRole, client: hvac.Client, credentials: Credentials) -> Any:
    secret = credentials.text(auth.secret_id)
    return client.auth.approle.login(auth.role_id, secret, use_token=False, mount_point=auth.mount)


@_login.register
def _(auth: VaultUserpass, client: hvac.Client, credentials: Credentials) -> Any:
    password = credentials.text(auth.password)
    return client.auth.userpass.login(auth.username, password, use_token=False, mount_point=auth.mount)


@_login.register
def _(auth: VaultJwt, client: hvac.Client, credentials: Credentials) -> Any:
    token = credentials.own_token(auth.audience) if auth.token is None else credentials.text(auth.token)
    return client.auth.jwt.jwt_login(auth.role, token, use_token=False, path=auth.mount)


@_login.register
def _(auth: VaultCert, client: hvac.Client, credentials: Credentials) -> Any:
    # hvac's own method of that name takes paths of files; the connection shows the certificate already.
    return client.adapter.post(f"/v1/auth/{auth.mount}/login", json={"name": auth.name} if auth.name else {})


@_login.register
def _(auth: VaultToken, client: hvac.Client, credentials: Credentials) -> Token:
    client.token = credentials.text(auth.token)
    found = client.auth.token.lookup_self()["data"]
    return Token(client.token, float(found["ttl"]), bool(found.get("renewable")))
