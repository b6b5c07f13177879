"""Keeps resources so that the few which decide about one of them are found without looking at all.

The reconciler's store keeps a `NeighbourIndex` up to date, event by event; `neighbourhood` takes from it what
the graph must hold for the findings of one resource to be those that it has in the graph of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Protocol

from penstock_operator.graph.items import Item, make_item
from penstock_operator.graph.providers import gateway_of
from penstock_operator.graph.routes import Claim, claims_of
from penstock_operator.graph.secret_names import secret_of
from penstock_operator.graph.types import ResourceId
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.gateway_deployment import gateway_secrets
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.secret import SecretResource
from penstock_operator.resources.service import Services
from penstock_operator.resources.subscription import Subscription

_MOST_APIS = 256
"""APIs that are looked at for conflicts: few in a healthy cluster, but a chain of them may be long."""

_ANY_KAFKA = Claim("kafka", "")
"""Of all Kafka APIs: where two of them meet only the listeners of a gateway tell."""

_MOST_SUBSCRIPTIONS = 256
"""Subscriptions of an API that are looked at for the same key; beyond, the resource's condition tells."""


class Neighbours(Protocol):
    """What a review asks about the resources that are there."""

    @property
    def broken(self) -> frozenset[str]:
        """`Kind namespace/name` of resources that are there but could not be parsed."""

    @property
    def services(self) -> Services:
        """The Services of the cluster."""

    def get(self, resource: ResourceId) -> Parsed | None:
        """The resource of that name."""

    def gateways(self) -> Iterable[Parsed]:
        """All GatewayDeployments."""

    def claimants(self, claim: Claim) -> Iterable[Parsed]:
        """The ApiDefinitions that claim a host and path, or those of type Kafka."""

    def plans_of(self, api: str) -> Iterable[Parsed]:
        """The Plans for an API (`namespace/name`)."""

    def subscriptions_of(self, plan: str) -> Iterable[Parsed]:
        """The Subscriptions to a Plan (`namespace/name`)."""


class NeighbourIndex:
    """All resources by name; APIs, plans and subscriptions by what they claim or are for; and Services."""

    __slots__ = ("_gateways", "_related", "_resources", "broken", "services")

    def __init__(self, services: Services | None = None) -> None:
        self.services: Services = {} if services is None else services
        self.broken: frozenset[str] = frozenset()
        self._resources: dict[ResourceId, Parsed] = {}
        self._gateways: dict[ResourceId, None] = {}
        self._related: dict[Claim | ResourceId, dict[ResourceId, None]] = {}

    def upsert(self, parsed: Parsed) -> None:
        """Take a resource in, in place of the one of its name."""
        resource = id_of(parsed)
        self.remove(resource)
        self._resources[resource] = parsed
        for key in _keys(parsed):
            self._related.setdefault(key, {})[resource] = None
        if resource.kind == "GatewayDeployment":
            self._gateways[resource] = None

    def remove(self, resource: ResourceId) -> None:
        """Forget a resource, if it is there."""
        parsed = self._resources.pop(resource, None)
        self._gateways.pop(resource, None)
        for key in _keys(parsed) if parsed else ():
            del self._related[key][resource]
            if not self._related[key]:
                del self._related[key]

    def get(self, resource: ResourceId) -> Parsed | None:
        """The resource of that name."""
        return self._resources.get(resource)

    def gateways(self) -> Iterator[Parsed]:
        """All GatewayDeployments."""
        return (self._resources[resource] for resource in self._gateways)

    def claimants(self, claim: Claim) -> Iterator[Parsed]:
        """The ApiDefinitions that claim a host and path."""
        return self._relatives(claim)

    def plans_of(self, api: str) -> Iterator[Parsed]:
        """The Plans for an API (`namespace/name`)."""
        return self._relatives(_id("ApiDefinition", api))

    def subscriptions_of(self, plan: str) -> Iterator[Parsed]:
        """The Subscriptions to a Plan (`namespace/name`)."""
        return self._relatives(_id("Plan", plan))

    def _relatives(self, key: Claim | ResourceId) -> Iterator[Parsed]:
        return (self._resources[resource] for resource in self._related.get(key, ()))


def _keys(parsed: Parsed) -> tuple[Claim | ResourceId, ...]:
    """What a resource claims, or is for."""
    resource = parsed.resource
    if isinstance(resource, ApiDefinition):
        return _claims(resource)
    if isinstance(resource, Plan):
        return (_id("ApiDefinition", _beside(resource, resource.spec.api_ref.name)),)
    if isinstance(resource, Subscription):
        return (_id("Plan", _beside(resource, resource.spec.plan_ref.name)),)
    return ()


def id_of(parsed: Parsed) -> ResourceId:
    """The name of a resource."""
    resource = parsed.resource
    if isinstance(resource, SecretResource):
        return ResourceId("Secret", resource.namespace, resource.name)
    return ResourceId(resource.kind, resource.metadata.namespace, resource.metadata.name)


def neighbourhood(candidate: Parsed, neighbours: Neighbours) -> dict[ResourceId, Parsed]:
    """The resources that decide about one, which is not among them."""
    own = id_of(candidate)
    return {id_of(one): one for one in _around(make_item(candidate), neighbours) if id_of(one) != own}


def _around(item: Item, neighbours: Neighbours) -> Iterator[Parsed]:
    yield from _references(item, neighbours)
    match item.kind:
        case "ApiDefinition":
            yield from neighbours.gateways()
            for api in _contenders(item, neighbours):
                yield api
                yield from _references(make_item(api), neighbours)
        case "GatewayDeployment":
            for reference, _ in gateway_secrets(gateway_of(item).spec):
                yield from _found(ResourceId("Secret", item.namespace, reference.name), neighbours)
        case "Plan":
            yield from _found(_id("ApiDefinition", item.target), neighbours)
        case "Subscription":
            for plan in _found(_id("Plan", item.target), neighbours):
                yield from _siblings(plan, neighbours)


def _references(item: Item, neighbours: Neighbours) -> Iterator[Parsed]:
    """The Secrets and GatewaySecrets that a resource reads."""
    if item.secret:
        yield from _found(_id("Secret", item.secret), neighbours)
    for use in item.secrets:
        if use.name.startswith("/"):
            yield from _found(ResourceId("Secret", item.namespace, secret_of(use.name)), neighbours)
            continue
        for secret in _found(ResourceId("GatewaySecret", item.namespace, use.name), neighbours):
            yield secret
            yield from _references(make_item(secret), neighbours)


def _contenders(item: Item, neighbours: Neighbours) -> Iterator[Parsed]:
    """The APIs whose claims meet, directly or through others: if one is served decides about the next."""
    seen, queue = {item.id}, [item.claims or (_ANY_KAFKA,)]
    while queue:
        for api in chain.from_iterable(map(neighbours.claimants, queue.pop(0))):
            if id_of(api) not in seen and len(seen) <= _MOST_APIS:
                seen.add(id_of(api))
                assert isinstance(api.resource, ApiDefinition)
                queue.append(_claims(api.resource))
                yield api


def _claims(api: ApiDefinition) -> tuple[Claim, ...]:
    return claims_of(api) or (_ANY_KAFKA,)


def _siblings(plan: Parsed, neighbours: Neighbours) -> Iterator[Parsed]:
    """A plan, its API, the plans of that and their subscriptions with their keys."""
    assert isinstance(plan.resource, Plan)
    api = _beside(plan.resource, plan.resource.spec.api_ref.name)
    yield from _found(_id("ApiDefinition", api), neighbours)
    plans = list(neighbours.plans_of(api))
    yield from plans
    keys = (id_of(one) for one in plans)
    subscriptions = chain.from_iterable(neighbours.subscriptions_of(key.key) for key in keys)
    for subscription in islice(subscriptions, _MOST_SUBSCRIPTIONS):
        yield subscription
        yield from _references(make_item(subscription), neighbours)


def _found(resource: ResourceId, neighbours: Neighbours) -> Iterator[Parsed]:
    parsed = neighbours.get(resource)
    if parsed is not None:
        yield parsed


def _beside(resource: Plan | Subscription, name: str) -> str:
    return f"{resource.metadata.namespace}/{name}"


def _id(kind: str, key: str) -> ResourceId:
    namespace, _, name = key.partition("/")
    return ResourceId(kind, namespace, name)
