"""Turns the secret providers of a gateway into those of the wire: where values are, and who asks for them."""

from __future__ import annotations

from gateway_runtime.snapshot import providers as wire
from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.graph.references import secret_uri
from penstock_operator.resources.meta import SecretKeyRef
from penstock_operator.resources.secret_provider import (
    TLS_CERTIFICATE,
    TLS_KEY,
    SecretProvider,
    Vault,
    VaultAuth,
)


def wire_provider(provider: SecretProvider, namespace: str) -> wire.SecretProvider:
    """A provider of a gateway in a namespace, where its credentials are. Who may use it is decided before."""
    if provider.vault is not None:
        return _vault(provider.name, provider.vault, namespace)
    if provider.env is not None:
        return wire.EnvProvider(name=provider.name, prefix=provider.env.prefix)
    assert provider.file is not None
    return wire.FileProvider(name=provider.name, folder=provider.file.folder)


def _vault(name: str, vault: Vault, namespace: str) -> wire.VaultProvider:
    return wire.VaultProvider(
        name=name,
        address=vault.address,
        auth=_auth(vault.auth, namespace),
        namespace=vault.namespace,
        ca=vault.ca,
        kv_version=vault.kv_version or 0,
        refresh=vault.refresh_interval,
        max_age=vault.max_age,
        timeout=vault.timeout,
    )


def _auth(auth: VaultAuth, namespace: str) -> wire.VaultAuth:
    def named(reference: SecretKeyRef) -> SecretRef:
        return SecretRef(uri=secret_uri(namespace, reference.name, reference.key))

    if auth.kubernetes is not None:
        found = auth.kubernetes
        return wire.VaultKubernetes(role=found.role, mount=found.mount, audience=found.audience)
    if auth.approle is not None:
        role = auth.approle
        return wire.VaultAppRole(role_id=role.role_id, secret_id=named(role.secret_id_ref), mount=role.mount)
    if auth.token is not None:
        return wire.VaultToken(token=named(auth.token.secret_ref))
    if auth.userpass is not None:
        user = auth.userpass
        password = named(user.password_ref)
        return wire.VaultUserpass(username=user.username, password=password, mount=user.mount)
    return _signed(auth, namespace)


def _signed(auth: VaultAuth, namespace: str) -> wire.VaultAuth:
    """What is logged in to with a signed token or a certificate."""
    if auth.jwt is not None:
        jwt = auth.jwt
        uri = secret_uri(namespace, jwt.token_ref.name, jwt.token_ref.key) if jwt.token_ref else None
        token = SecretRef(uri=uri) if uri else None
        return wire.VaultJwt(role=jwt.role, token=token, audience=jwt.audience, mount=jwt.mount)
    assert auth.cert is not None
    secret = auth.cert.secret_ref.name
    return wire.VaultCert(
        certificate=SecretRef(uri=secret_uri(namespace, secret, TLS_CERTIFICATE)),
        key=SecretRef(uri=secret_uri(namespace, secret, TLS_KEY)),
        name=auth.cert.name,
        mount=auth.cert.mount,
    )
