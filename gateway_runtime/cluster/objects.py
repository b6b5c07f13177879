"""The JSON of the Kubernetes API to the few fields that a pod reads.

Typed models of all fields would cost many times the CPU and the memory of the sections themselves.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """What a pod reads of an object's metadata."""

    name: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class DataObject(msgspec.Struct, frozen=True):
    """A ConfigMap (texts) or a Secret (base64). Not to be logged."""

    metadata: Metadata = Metadata()
    data: dict[str, str] = {}


class Conditions(msgspec.Struct, frozen=True):
    """What an endpoint can do; what is not said follows from what is (discovery.k8s.io/v1)."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Zone(msgspec.Struct, frozen=True):
    """A zone by its name."""

    name: str = ""


class Hints(msgspec.Struct, frozen=True, rename="camel"):
    """Who should use an endpoint."""

    for_zones: list[Zone] | None = None


class SliceEndpoint(msgspec.Struct, frozen=True):
    """One backend of a slice; all its addresses lead to it."""

    addresses: list[str] = []
    conditions: Conditions | None = None
    hints: Hints | None = None


class SlicePort(msgspec.Struct, frozen=True):
    """A port of all endpoints of a slice."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class EndpointSlice(msgspec.Struct, frozen=True, rename="camel"):
    """Some of the endpoints of a Service."""

    metadata: Metadata = Metadata()
    address_type: str = ""
    endpoints: list[SliceEndpoint] | None = None
    ports: list[SlicePort] | None = None


Object = TypeVar("Object", DataObject, EndpointSlice)


class ListMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Where a list was read, and the token of its next page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, Generic[Object], frozen=True):
    """One page of a list."""

    metadata: ListMetadata = ListMetadata()
    items: list[Object] = []


class Event(msgspec.Struct, frozen=True):
    """One line of a watch; `object` is a `Status` where the type is ERROR."""

    type: str
    object: msgspec.Raw


class Status(msgspec.Struct, frozen=True):
    """What the API server says of a failure."""

    code: int = 0
    message: str = ""


EVENT = msgspec.json.Decoder(Event)
STATUS = msgspec.json.Decoder(Status)
