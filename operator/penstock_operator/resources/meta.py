"""What every resource has: identity, and the shape shared by the CRDs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, ClassVar, Protocol, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from gateway_runtime.policies.fields import StrictModel

GROUP = "penstock.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ResourceName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]


Rules = tuple[tuple[str, str], ...]
"""CEL rules of a model, as its class attribute `rules`: (rule, message)."""


class ExactlyOne(StrictModel):
    """A union in the Kubernetes way: exactly one of the fields is set, but for those named in `common`."""

    common: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def choices(cls) -> dict[str, str]:
        """YAML name -> Python name of the fields of which one is set."""
        return {info.alias or name: name for name, info in cls.model_fields.items() if name not in cls.common}

    def given(self) -> list[str]:
        """The YAML names of the choices that are set: one."""
        return [alias for alias, name in self.choices().items() if getattr(self, name) is not None]

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = self.given()
        if len(given) != 1:
            found = " and ".join(f"`{name}`" for name in given) or "none"
            raise ValueError(f"exactly one of {listing(self.choices())} is needed, found {found}")
        return self


def listing(names: Iterable[str]) -> str:
    """`a, b, c` with each name in backticks."""
    return ", ".join(f"`{name}`" for name in names)


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str: ...


def _unique(items: tuple[Item, ...]) -> tuple[Item, ...]:
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            raise ValueError(f"the name `{item.name}` is there twice")
        seen.add(item.name)
    return items


Item = TypeVar("Item", bound=Named)
NamedList = Annotated[
    tuple[Item, ...],
    AfterValidator(_unique),
    Field(
        strict=False,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    ),
]
"""A list of things whose names differ."""


class ObjectMeta(BaseModel):
    """The part of Kubernetes' ObjectMeta that the pipeline reads."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)

    name: ResourceName
    namespace: str = "default"
    uid: str = ""
    generation: int = 1
    creation_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class NameRef(StrictModel):
    """A resource of the same namespace, by name."""

    name: Annotated[ResourceName, Field(description="Its name.")]


class SecretKeyRef(StrictModel):
    """One key of a Secret in the same namespace."""

    name: Annotated[ResourceName, Field(description="The name of the Secret.")]
    key: Annotated[
        str, Field(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253, description="The key within the Secret.")
    ]


class PrinterColumn(BaseModel):
    """One column of `kubectl get`."""

    name: str
    type: str
    json_path: str
    priority: int = 0


def condition_columns(*conditions: str) -> tuple[PrinterColumn, ...]:
    """Columns that show whether conditions hold; the last one's reason comes with `-o wide`."""
    path = '.status.conditions[?(@.type=="{}")].{}'
    found = [
        PrinterColumn(name=one, type="string", json_path=path.format(one, "status")) for one in conditions
    ]
    reason = path.format(conditions[-1], "reason")
    return (*found, PrinterColumn(name="Reason", type="string", json_path=reason, priority=1))


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
    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta
    status: dict[str, object] | None = None

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
