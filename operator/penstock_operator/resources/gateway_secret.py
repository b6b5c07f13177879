"""GatewaySecret: a named reference to a secret value."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import Duration, StrictModel
from penstock_operator.resources.meta import (
    ExactlyOne,
    Names,
    PrinterColumn,
    Resource,
    ResourceName,
    Rules,
    SecretKeyRef,
    condition_columns,
)
from penstock_operator.resources.secret_provider import ProviderName, SecretKey, SecretPath, Variable

_Provider = Annotated[
    ProviderName,
    Field(description="The gateway's provider: its name, or its type where it has one of that alone."),
]


class VaultSource(StrictModel):
    """A key of a secret in Vault."""

    provider: _Provider = "vault"
    path: Annotated[SecretPath, Field(description="Mount and path, such as kv/orders.")]
    key: Annotated[SecretKey, Field(description="The key within it.")]


class EnvSource(StrictModel):
    """An environment variable."""

    provider: _Provider = "env"
    variable: Annotated[Variable, Field(description="Its name, without the provider's prefix.")]


class FileSource(StrictModel):
    """A file, or one member of a file with a JSON object."""

    provider: _Provider = "file"
    path: Annotated[SecretPath, Field(description="Its path below the provider's folder.")]
    key: Annotated[SecretKey | None, Field(description="The member; none: the whole file.")] = None


class Source(ExactlyOne):
    """Where the value is: exactly one of these."""

    kubernetes: Annotated[SecretKeyRef | None, Field(description="A key of a Secret.")] = None
    vault: Annotated[VaultSource | None, Field(description="A key of a secret in Vault.")] = None
    env: Annotated[EnvSource | None, Field(description="A variable; only without a cluster.")] = None
    file: Annotated[FileSource | None, Field(description="A file; only without a cluster.")] = None


class UsedBy(StrictModel):
    """Who may read the value."""

    apis: Annotated[tuple[ResourceName, ...], Field(strict=False, description="Names of ApiDefinitions.")]


class GatewaySecretSpec(StrictModel):
    """What the secret is."""

    rules: ClassVar[Rules] = (
        (
            "!has(self.refreshInterval) || has(self.source.vault)",
            "refreshInterval goes with source.vault: all others are followed as they change",
        ),
    )

    source: Source
    refresh_interval: Annotated[
        Duration | None,
        Field(gt=0, description="How long the value is used without a new look; none: as its provider says."),
    ] = None
    used_by: Annotated[
        UsedBy | None, Field(description="APIs of the namespace that may read it; none: all of them.")
    ] = None

    @model_validator(mode="after")
    def _refresh_with_vault(self) -> GatewaySecretSpec:
        if self.refresh_interval is not None and self.source.vault is None:
            raise ValueError(self.rules[0][1])
        return self


class GatewaySecret(Resource):
    """A secret value that expressions read as {#secrets.get('NAME')}."""

    names: ClassVar = Names(kind="GatewaySecret", plural="gatewaysecrets", short=("gws",))
    columns: ClassVar = (
        PrinterColumn(name="Version", type="string", json_path=".status.version"),
        PrinterColumn(name="Since", type="date", json_path=".status.since"),
        PrinterColumn(name="Pods", type="string", json_path=".status.pods"),
        *condition_columns("Ready"),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["GatewaySecret"]
    spec: GatewaySecretSpec
