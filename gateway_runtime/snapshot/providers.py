"""The wire types of secret providers: where a gateway's pods get values from, and who they are there.

Kubernetes is no provider here: pods read its Secrets by what they are. Credentials are named, never held:
a `SecretRef` of one is `kubernetes/...`, or `env/...` and `file/...` where there is no cluster.
"""

from __future__ import annotations

from gateway_runtime.snapshot.wire import SecretRef, Wire


class VaultKubernetes(Wire, tag="kubernetes"):
    """Log in with the token of the pod's service account; `audience` asks for one that is made for Vault."""

    role: str
    mount: str = "kubernetes"
    audience: str = ""


class VaultAppRole(Wire, tag="approle"):
    """Log in by an AppRole."""

    role_id: str
    secret_id: SecretRef
    mount: str = "approle"


class VaultToken(Wire, tag="token"):
    """Use a token as it is; it is renewed where it can be."""

    token: SecretRef


class VaultUserpass(Wire, tag="userpass"):
    """Log in with a user's name and password."""

    username: str
    password: SecretRef
    mount: str = "userpass"


class VaultJwt(Wire, tag="jwt"):
    """Log in with a signed token: the one that is named, else that of the pod's service account."""

    role: str
    token: SecretRef | None = None
    audience: str = ""
    mount: str = "jwt"


class VaultCert(Wire, tag="cert"):
    """Log in with a client certificate (PEM); `name` picks the role, all are tried without."""

    certificate: SecretRef
    key: SecretRef
    name: str = ""
    mount: str = "cert"


VaultAuth = VaultKubernetes | VaultAppRole | VaultToken | VaultUserpass | VaultJwt | VaultCert


class VaultProvider(Wire, tag="vault"):
    """A HashiCorp Vault, or what speaks its API.

    `ca`: PEM of the authorities that it is trusted by, in place of the system's; `kv_version`: 1 or 2, 0 asks
    Vault; `refresh`, `max_age` and `timeout` in seconds. A value that could not be had anew for `max_age` is
    dropped; without it the last good one stays.
    """

    name: str
    address: str
    auth: VaultAuth
    namespace: str = ""
    ca: str = ""
    kv_version: int = 0
    refresh: float = 300.0
    max_age: float | None = None
    timeout: float = 5.0


class EnvProvider(Wire, tag="env"):
    """Environment variables of the process; `prefix` is put before each name."""

    name: str
    prefix: str = ""


class FileProvider(Wire, tag="file"):
    """Files below a folder, followed as they change."""

    name: str
    folder: str


SecretProvider = VaultProvider | EnvProvider | FileProvider


def token_path(provider: str) -> str:
    """Where a pod has the service account token of an `audience`, below the folder of all its tokens."""
    return f"penstock.dev/{provider}/token"


OWN_TOKEN = "kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
"""Where Kubernetes puts the token of a pod's service account, below the folder of all its tokens."""
