"""The JSON of the Kubernetes API to the few fields that a pod reads.

Typed models of all fields would cost many times the CPU and the memory of the sections themselves.
"""

from __future__ import annotations

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


class ListMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Where a list was read, and the token of its next page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, frozen=True):
    """One page of a list."""

    metadata: ListMetadata = ListMetadata()
    items: list[DataObject] = []


class Event(msgspec.Struct, frozen=True):
    """One line of a watch; `object` is a `Status` where the type is ERROR."""

    type: str
    object: msgspec.Raw


class Status(msgspec.Struct, frozen=True):
    """What the API server says of a failure."""

    code: int = 0
    message: str = ""


OBJECT = msgspec.json.Decoder(DataObject)
PAGE = msgspec.json.Decoder(Page)
EVENT = msgspec.json.Decoder(Event)
STATUS = msgspec.json.Decoder(Status)
