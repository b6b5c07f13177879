"""What every resource has: identity, and the shape shared by the CRDs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from gateway_runtime.policies.fields import StrictModel

GROUP = "penstock.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ResourceName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]


class ObjectMeta(BaseModel):
    """The part of Kubernetes' ObjectMeta that the pipeline reads."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)

    name: ResourceName
    namespace: str = "default"
    generation: int = 1
    creation_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class NameRef(StrictModel):
    """A resource of the same namespace, by name."""

    name: ResourceName


class SecretKeyRef(StrictModel):
    """One key of a Secret in the same namespace."""

    name: ResourceName
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]


class PrinterColumn(BaseModel):
    """One column of `kubectl get`."""

    name: str
    type: str
    json_path: str
    priority: int = 0


class Names(BaseModel):
    """How a kind is called on the command line."""

    kind: str
    plural: str
    short: tuple[str, ...]


class Resource(BaseModel):
    """Base of the kinds; a subclass gives `spec` its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    names: ClassVar[Names]
    columns: ClassVar[tuple[PrinterColumn, ...]] = ()
    rules: ClassVar[tuple[tuple[str, str], ...]] = ()
    """CEL rules of the spec: (rule, message)."""

    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta
    status: dict[str, object] | None = None

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
