"""What the operator sees of what runs: pods, what is published for them, and versions of secret values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.problems import Problem


@dataclass(frozen=True, slots=True)
class Pod:
    """A live pod of a gateway, as its Lease tells.

    It serves all that was published up to `resource_version`, but for the APIs (`namespace/name`; empty: the
    gateway itself) in `errors`, with the reason.
    """

    name: str
    resource_version: int
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publication:
    """One section as the API server holds it: its digest and the highest resourceVersion of its parts."""

    digest: str
    resource_version: int


@dataclass(frozen=True, slots=True, eq=False)
class ObservedGateway:
    """One gateway; `apis` and `subscriptions` are the sections published for it, by API.

    `wanted` and `ready` count the Deployment's pods, `addresses` are where clients reach the Service, `taken`
    tells of objects that stand in the way of the gateway's own.
    """

    pods: tuple[Pod, ...] = ()
    gateway: Publication | None = None
    apis: Mapping[str, Publication] = field(default_factory=dict)
    subscriptions: Mapping[str, Publication] = field(default_factory=dict)
    wanted: int = 0
    ready: int = 0
    addresses: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """Which value a GatewaySecret has, without the value, and since when the operator knows it."""

    version: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A resource that could not be read as one of its kind; `status` is what its object holds."""

    generation: int
    problems: tuple[Problem, ...]
    status: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """All that is seen at one moment; gateways and secrets by `namespace/name`."""

    now: datetime
    gateways: Mapping[str, ObservedGateway] = field(default_factory=dict)
    secrets: Mapping[str, SecretVersion] = field(default_factory=dict)
    unparsed: Mapping[ResourceId, Unparsed] = field(default_factory=dict)


def value_version(value: bytes, salt: bytes) -> str:
    """The version of a secret value: differs where the value does, and tells nothing of it.

    The salt (16 to 64 bytes) is the operator's own secret: without it short values could be guessed.
    """
    return blake2b(value, key=salt, digest_size=8).hexdigest()
