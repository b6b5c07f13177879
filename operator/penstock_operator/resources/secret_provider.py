"""Where a gateway's secrets come from besides Kubernetes, and which APIs may name which of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Duration, StrictModel
from penstock_operator.resources.meta import ExactlyOne, NameRef, Rules, SecretKeyRef

SEGMENT = r"[A-Za-z0-9_@+=~-][A-Za-z0-9_.@+=~-]*"
"""One segment of a path: it never begins with a dot, so that `..` is none, and is never encoded."""

TLS_CERTIFICATE = "tls.crt"
TLS_KEY = "tls.key"
"""The keys of a Secret of the type kubernetes.io/tls."""

ProviderType = Literal["vault", "env", "file"]
ProviderName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
SecretPath = Annotated[str, Field(pattern=rf"^{SEGMENT}(/{SEGMENT})*$", max_length=1024)]
SecretKey = Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=253)]
_Mount = Annotated[
    str,
    Field(pattern=rf"^{SEGMENT}(/{SEGMENT})*$", max_length=253, description="Where the method is mounted."),
]
_Audience = Annotated[
    str,
    Field(
        max_length=253,
        description="The audience of the token that is made for Vault; empty: the token by which pods call "
        "the Kubernetes API.",
    ),
]


class VaultKubernetesAuth(StrictModel):
    """Log in with the token of the pods' ServiceAccount."""

    role: Annotated[str, Field(min_length=1, max_length=253, description="The role in Vault.")]
    mount: _Mount = "kubernetes"
    audience: _Audience = ""


class VaultAppRoleAuth(StrictModel):
    """Log in by an AppRole."""

    role_id: Annotated[str, Field(min_length=1, max_length=253, description="The role's id.")]
    secret_id_ref: Annotated[SecretKeyRef, Field(description="The Secret with the secret id.")]
    mount: _Mount = "approle"


class VaultTokenAuth(StrictModel):
    """Use a token as it is; it is renewed where it can be."""

    secret_ref: Annotated[SecretKeyRef, Field(description="The Secret with the token.")]


class VaultUserpassAuth(StrictModel):
    """Log in with a user's name and password."""

    username: Annotated[str, Field(min_length=1, max_length=253, description="The name.")]
    password_ref: Annotated[SecretKeyRef, Field(description="The Secret with the password.")]
    mount: _Mount = "userpass"


class VaultJwtAuth(StrictModel):
    """Log in with a signed token: one from a Secret, else that of the pods' ServiceAccount."""

    rules: ClassVar[Rules] = (
        (
            "!(has(self.tokenRef) && has(self.audience) && self.audience != '')",
            "only one of `tokenRef` and `audience` is used",
        ),
    )

    role: Annotated[str, Field(min_length=1, max_length=253, description="The role in Vault.")]
    token_ref: Annotated[SecretKeyRef | None, Field(description="The Secret with the token.")] = None
    audience: _Audience = ""
    mount: _Mount = "jwt"

    @model_validator(mode="after")
    def _one_token(self) -> VaultJwtAuth:
        if self.token_ref is not None and self.audience:
            raise ValueError(self.rules[0][1])
        return self


class VaultCertAuth(StrictModel):
    """Log in with a client certificate."""

    secret_ref: Annotated[
        NameRef, Field(description="A Secret as kubernetes.io/tls has it: tls.crt and tls.key.")
    ]
    name: Annotated[str, Field(max_length=253, description="The role in Vault; empty: Vault tries all.")] = ""
    mount: _Mount = "cert"


class VaultAuth(ExactlyOne):
    """How pods log in to Vault: exactly one of these. Secrets are those of the gateway's namespace."""

    kubernetes: Annotated[
        VaultKubernetesAuth | None, Field(description="By the token of the pods' ServiceAccount.")
    ] = None
    approle: Annotated[VaultAppRoleAuth | None, Field(description="By an AppRole.")] = None
    token: Annotated[VaultTokenAuth | None, Field(description="By a token.")] = None
    userpass: Annotated[VaultUserpassAuth | None, Field(description="By a name and a password.")] = None
    jwt: Annotated[VaultJwtAuth | None, Field(description="By a signed token.")] = None
    cert: Annotated[VaultCertAuth | None, Field(description="By a client certificate.")] = None


class Vault(StrictModel):
    """A HashiCorp Vault, or what speaks its API (OpenBao)."""

    address: Annotated[
        str,
        Field(
            pattern=r"^https?://[^\s?#@/]+(/[^\s?#]*)?$",
            max_length=1024,
            description="Its URL, such as https://vault.vault:8200.",
        ),
    ]
    auth: VaultAuth
    namespace: Annotated[
        str,
        Field(
            pattern=rf"^({SEGMENT}(/{SEGMENT})*)?$",
            max_length=253,
            description="The namespace within Vault; empty: the root.",
        ),
    ] = ""
    ca: Annotated[
        str,
        Field(
            max_length=65536,
            description="Certificates of the authorities that it is trusted by (PEM); empty: the image's.",
        ),
    ] = ""
    kv_version: Annotated[
        int | None, Field(ge=1, le=2, description="Of its key-value engines; none: Vault is asked.")
    ] = None
    refresh_interval: Annotated[
        Duration, Field(gt=0, description="How long a value is used without a new look.")
    ] = 300.0
    max_age: Annotated[
        Duration | None,
        Field(
            gt=0,
            description="How old a value may get while Vault is away; then APIs go without it. "
            "None: the last good one stays.",
        ),
    ] = None
    timeout: Annotated[Duration, Field(gt=0, description="How long one request may take.")] = 5.0


class Environment(StrictModel):
    """Environment variables of the process: for `penstock run` alone."""

    prefix: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
            max_length=253,
            description="Put before each name: variables without it cannot be read.",
        ),
    ] = ""


class Files(StrictModel):
    """Files below a folder: for `penstock run` alone."""

    folder: Annotated[
        str, Field(pattern=r"^/[^\x00]*$", max_length=1024, description="The folder, an absolute path.")
    ]


class Allow(StrictModel):
    """Whose APIs may name which paths."""

    namespaces: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$", max_length=63)], ...],
        Field(strict=False, min_length=1, max_length=256, description="Namespaces of APIs, or *."),
    ]
    paths: Annotated[
        tuple[Annotated[str, Field(pattern=rf"^(\*|{SEGMENT}(/{SEGMENT})*(/\*)?)$", max_length=1024)], ...],
        Field(
            strict=False,
            min_length=1,
            max_length=256,
            description="A path itself, such as kv/team/db, or all below one: kv/team/*; * is all of them.",
        ),
    ]


class SecretProvider(ExactlyOne):
    """One place that secrets come from, by its name: exactly one of `vault`, `env` and `file`."""

    common = frozenset(("name", "allow"))
    rules: ClassVar[Rules] = (
        ("self.name != 'kubernetes'", "the name `kubernetes` is that of the Secrets of Kubernetes"),
        (
            "(self.name != 'vault' || has(self.vault)) && (self.name != 'env' || has(self.env)) && "
            "(self.name != 'file' || has(self.file))",
            "the names `vault`, `env` and `file` are for providers of that type",
        ),
    )

    name: Annotated[ProviderName, Field(description="Its name within the gateway.")]
    vault: Annotated[Vault | None, Field(description="HashiCorp Vault.")] = None
    env: Annotated[
        Environment | None, Field(description="Environment variables; only without a cluster.")
    ] = None
    file: Annotated[Files | None, Field(description="Files; only without a cluster.")] = None
    allow: Annotated[
        tuple[Allow, ...],
        Field(strict=False, max_length=256, description="Who may name which paths; none: nobody."),
    ] = ()

    @property
    def type(self) -> ProviderType:
        """Which of the types it is."""
        return "vault" if self.vault is not None else "env" if self.env is not None else "file"

    @model_validator(mode="after")
    def _name_fits_type(self) -> SecretProvider:
        if self.name == "kubernetes":
            raise ValueError(self.rules[0][1])
        if self.name in ("vault", "env", "file") and self.name != self.type:
            raise ValueError(self.rules[1][1])
        return self


def credentials(provider: SecretProvider) -> Iterator[tuple[SecretKeyRef, tuple[str, ...]]]:
    """The Secrets that a provider logs in with, and the fields below it that name them."""
    if provider.vault is None:
        return
    auth, path = provider.vault.auth, ("vault", "auth")
    if auth.cert is not None:
        for key in (TLS_CERTIFICATE, TLS_KEY):
            yield SecretKeyRef(name=auth.cert.secret_ref.name, key=key), (*path, "cert", "secretRef")
    for reference, place in _named(auth):
        if reference is not None:
            yield reference, (*path, *place)


def _named(auth: VaultAuth) -> Iterator[tuple[SecretKeyRef | None, tuple[str, str]]]:
    if auth.approle is not None:
        yield auth.approle.secret_id_ref, ("approle", "secretIdRef")
    if auth.token is not None:
        yield auth.token.secret_ref, ("token", "secretRef")
    if auth.userpass is not None:
        yield auth.userpass.password_ref, ("userpass", "passwordRef")
    if auth.jwt is not None:
        yield auth.jwt.token_ref, ("jwt", "tokenRef")
