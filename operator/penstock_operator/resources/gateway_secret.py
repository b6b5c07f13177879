"""GatewaySecret: a named reference to a secret value."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway_runtime.policies.fields import StrictModel
from penstock_operator.resources.meta import (
    Names,
    PrinterColumn,
    Resource,
    ResourceName,
    SecretKeyRef,
    condition_columns,
)


class Source(StrictModel):
    """Where the value is."""

    kubernetes: Annotated[SecretKeyRef, Field(description="A key of a Secret.")]


class UsedBy(StrictModel):
    """Who may read the value."""

    apis: Annotated[tuple[ResourceName, ...], Field(strict=False, description="Names of ApiDefinitions.")]


class GatewaySecretSpec(StrictModel):
    """What the secret is."""

    source: Source
    used_by: Annotated[
        UsedBy | None, Field(description="APIs of the namespace that may read it; none: all of them.")
    ] = None


class GatewaySecret(Resource):
    """A secret value that expressions read as {#secrets.get('NAME')}."""

    names: ClassVar = Names(kind="GatewaySecret", plural="gatewaysecrets", short=("gws",))
    columns: ClassVar = (
        PrinterColumn(name="Version", type="string", json_path=".status.version"),
        PrinterColumn(name="Since", type="date", json_path=".status.since"),
        *condition_columns("Ready"),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["GatewaySecret"]
    spec: GatewaySecretSpec
