"""The ConfigMaps of one gateway to its snapshot, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable

from gateway_runtime.cluster.objects import DataObject
from gateway_runtime.snapshot.assembler import Assembler
from gateway_runtime.snapshot.parts import API_ANNOTATION, Part, PartError, read_part
from gateway_runtime.snapshot.types import Snapshot

_Place = tuple[str, str, int]


class Sections:
    """Takes ConfigMaps in; `changed` is called after each change."""

    def __init__(self, gateway: str, changed: Callable[[], None]) -> None:
        self.version: int = 0
        """The resourceVersion up to which all changes are known."""
        self.is_listed: bool = False
        self._gateway = gateway
        self._changed = changed
        self._trouble: str = ""
        self._assembler = Assembler()
        self._versions: dict[str, str] = {}
        self._places: dict[str, _Place] = {}
        self._strange: dict[str, tuple[str, str]] = {}

    def put(self, found: DataObject) -> None:
        """Take a ConfigMap in; one that holds no part leaves the part that it held before."""
        metadata = found.metadata
        if self._versions.get(metadata.name) == metadata.resource_version:
            return
        self._versions[metadata.name] = metadata.resource_version
        try:
            part = self._part(found)
        except PartError as error:
            key = metadata.annotations.get(API_ANNOTATION, "")
            self._strange[metadata.name] = (key, f"ConfigMap {metadata.name}: {error}")
        else:
            self._strange.pop(metadata.name, None)
            self._places[metadata.name] = (part.kind, part.key, part.index)
            self._assembler.add(part)
        self._changed()

    def remove(self, name: str) -> None:
        """A ConfigMap is gone, and with it what it held."""
        self._versions.pop(name, None)
        self._strange.pop(name, None)
        place = self._places.pop(name, None)
        if place is not None:
            self._assembler.remove(*place)
        self._changed()

    def keep(self, names: set[str]) -> None:
        """All ConfigMaps are known: what has another name is gone."""
        for name in [name for name in self._versions if name not in names]:
            self.remove(name)
        self.is_listed = True
        self._changed()

    def reach(self, version: str) -> None:
        """Resource versions of one resource grow with time (KEP-5504)."""
        self.version = max(self.version, int(version))

    def trouble(self, reason: str) -> None:
        """Why ConfigMaps cannot be followed at present."""
        if reason != self._trouble:
            self._trouble = reason
            self._changed()

    def snapshot(self) -> Snapshot | None:
        """What to serve; None where too little is known to serve anything."""
        return self._assembler.snapshot() if self.is_listed else None

    def missing(self) -> str:
        """Why there is no snapshot; empty where there is one."""
        if self._assembler.snapshot() is not None and self.is_listed:
            return ""
        if not self.is_listed:
            return f"waits for the ConfigMaps of the gateway {self._gateway}: {self._trouble or 'being read'}"
        problems = "; ".join(self.problems().values())
        return f"nothing is published for the gateway {self._gateway}" + (f": {problems}" if problems else "")

    def problems(self) -> dict[str, str]:
        """What cannot be served as published, by API; empty is the key of the gateway itself."""
        found: dict[str, str] = {}
        problems = [(key, text) for (_, key), text in self._assembler.problems.items()]
        for key, text in [*problems, *self._strange.values()]:
            found[key] = f"{found[key]}; {text}" if key in found else text
        if self._trouble:
            found[""] = f"ConfigMaps cannot be followed: {self._trouble}"
        return found

    def _part(self, found: DataObject) -> Part:
        part = read_part(found.metadata.labels, found.metadata.annotations, found.data)
        if part.name(self._gateway) != found.metadata.name:
            # Two objects must not claim one place: the end of one would end what the other holds.
            raise PartError(f"the name of what it holds is {part.name(self._gateway)}")
        return part
