"""Ports of Services to where they are now, by the EndpointSlices of their namespaces.

One watch for each namespace brings the slices of all its Services: another API costs no other watch. The
workers are told of changes only, a moment after they are known, so that a burst becomes one. What was known
stays while the API server is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway_runtime.cluster.client import SERVICE_LABEL, ClusterClient, endpoint_slices
from gateway_runtime.cluster.objects import EndpointSlice
from gateway_runtime.cluster.reflector import Budget, Reflector
from gateway_runtime.cluster.selection import addresses_of
from gateway_runtime.snapshot.types import Address, ServicePort
from gateway_runtime.tasks import end_tasks

_LOG: Final = logging.getLogger(__name__)
_WATCHES: Final = 1000
"""Namespaces that are watched; those beyond are looked at every half a minute."""
_LISTS: Final = 8
_PAUSE: Final = 0.01
"""Seconds that changes are gathered."""

Discovered = Callable[[Mapping[str, tuple[Address, ...]]], None]
"""Told where ports of Services are now, by their keys; without an address, nowhere."""


class FollowedNamespace:
    """The slices of one namespace by Service and name.

    `changed` is told the namespace and the Service whose slices change, `known` the namespace once it is
    listed, or cannot be.
    """

    def __init__(
        self, namespace: str, changed: Callable[[str, str], None], known: Callable[[str], None]
    ) -> None:
        self.is_listed: bool = False
        self.reason: str = ""
        """Why it cannot be followed at present."""
        self._namespace = namespace
        self._changed = changed
        self._known = known
        self._slices: dict[str, dict[str, EndpointSlice]] = {}
        self._services: dict[str, str] = {}

    def put(self, found: EndpointSlice) -> None:
        """A slice as it is now; its label may name another Service than before."""
        name = found.metadata.name
        service = found.metadata.labels.get(SERVICE_LABEL, "")
        before = self._services.get(name, service)
        if before != service:
            self.remove(name)
        self._services[name] = service
        self._slices.setdefault(service, {})[name] = found
        self._tell(service)

    def remove(self, name: str) -> None:
        """A slice is gone."""
        service = self._services.pop(name, None)
        if service is None:
            return
        del self._slices[service][name]
        if not self._slices[service]:
            del self._slices[service]
        self._tell(service)

    def keep(self, names: set[str]) -> None:
        """All slices are known: what has another name is gone."""
        for name in [name for name in self._services if name not in names]:
            self.remove(name)
        if not self.is_listed:
            self.is_listed = True
            self._known(self._namespace)

    def reach(self, version: str) -> None:
        """How far it is known is of no interest."""

    def trouble(self, reason: str) -> None:
        """Why it cannot be followed at present."""
        if reason == self.reason:
            return
        self.reason = reason
        if reason:
            _LOG.warning("EndpointSlices of %s cannot be followed: %s", self._namespace, reason)
        if not self.is_listed:
            self._known(self._namespace)

    def slices(self, service: str) -> Iterable[EndpointSlice]:
        """The slices of a Service."""
        return self._slices.get(service, {}).values()

    def _tell(self, service: str) -> None:
        """Before all slices are known, some are no news: a Service would seem to be smaller than it is."""
        if self.is_listed:
            self._changed(self._namespace, service)


class Services:
    """Follows just those ports of Services that are wanted.

    `discovered` is told of all changes, `listed` where a namespace has come to be known, or cannot be.
    """

    def __init__(
        self, client: ClusterClient, zone: str, discovered: Discovered, listed: Callable[[], None]
    ) -> None:
        self._client = client
        self._zone = zone
        self._discovered = discovered
        self._listed = listed
        self._namespaces: dict[str, FollowedNamespace] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ports: dict[tuple[str, str], set[ServicePort]] = {}
        self._wanted: frozenset[ServicePort] = frozenset()
        self._told: dict[str, tuple[Address, ...]] = {}
        self._dirty: set[ServicePort] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._budget = Budget(_WATCHES, _LISTS)

    def want(self, ports: frozenset[ServicePort]) -> None:
        """Follow these ports and no other; what is known of them is told before this returns."""
        if ports == self._wanted:
            return
        new = ports - self._wanted
        self._wanted = ports
        self._ports = {}
        for port in ports:
            self._ports.setdefault((port.namespace, port.name), set()).add(port)
        self._follow({port.namespace for port in ports})
        self._dirty |= new
        self._flush()

    def settle(self, served: frozenset[ServicePort]) -> None:
        """Forget what is neither wanted nor `served`: no worker has a use for it any more."""
        gone = self._told.keys() - {port.key for port in self._wanted | served}
        if gone:
            self._pass(dict.fromkeys(gone, ()))

    def is_known(self, port: ServicePort) -> bool:
        """Whether its namespace was listed, whatever was found there."""
        followed = self._namespaces.get(port.namespace)
        return followed is not None and followed.is_listed

    def is_unread(self, port: ServicePort) -> bool:
        """Whether its namespace was not looked at yet."""
        followed = self._namespaces.get(port.namespace)
        return followed is None or not (followed.is_listed or followed.reason)

    def problem(self, port: ServicePort) -> str:
        """Why its namespace is not known."""
        followed = self._namespaces.get(port.namespace)
        reason = "" if followed is None else followed.reason
        return f"EndpointSlices of {port.namespace}: {reason or 'they are being read'}"

    async def stop(self) -> None:
        """Follow nothing any more."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        if self._timer is not None:
            self._timer.cancel()
        await end_tasks(tasks)

    def _follow(self, namespaces: set[str]) -> None:
        for name in self._namespaces.keys() - namespaces:
            del self._namespaces[name]
            self._tasks.pop(name).cancel()
        for name in namespaces - self._namespaces.keys():
            followed = FollowedNamespace(name, self._on_change, self._on_known)
            self._namespaces[name] = followed
            reflector = Reflector(self._client, endpoint_slices(name), followed, self._budget)
            self._tasks[name] = asyncio.create_task(reflector.run())

    def _on_change(self, namespace: str, service: str) -> None:
        self._dirty |= self._ports.get((namespace, service), set())
        if self._dirty and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._flush)

    def _on_known(self, namespace: str) -> None:
        """Tell what a namespace holds before anybody hears that it is known."""
        self._dirty |= {port for port in self._wanted if port.namespace == namespace}
        self._flush()
        self._listed()

    def _flush(self) -> None:
        """Tell where the ports are whose Services have changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dirty, self._dirty = self._dirty & self._wanted, set()
        found = {port.key: self._addresses(port) for port in dirty if self.is_known(port)}
        self._pass({key: one for key, one in found.items() if one != self._told.get(key, ())})

    def _addresses(self, port: ServicePort) -> tuple[Address, ...]:
        return addresses_of(self._namespaces[port.namespace].slices(port.name), port.port, self._zone)

    def _pass(self, changes: dict[str, tuple[Address, ...]]) -> None:
        if not changes:
            return
        self._told.update(changes)
        for key in [key for key, addresses in changes.items() if not addresses]:
            del self._told[key]
        self._discovered(changes)
