"""Stand-ins for the Secrets that a folder names and does not hold: its cluster may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256

from penstock_operator.graph.items import Item, make_item
from penstock_operator.graph.secret_names import SecretEntry, SecretNameError, read_name
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.gateway_deployment import GatewayDeployment, gateway_secrets
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.parse import Parsed
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.secret import SecretResource
from penstock_operator.resources.subscription import Subscription


def with_placeholders(resources: list[Parsed]) -> list[Parsed]:
    """The resources, with a stand-in for each Secret that is named and not there; its values mean nothing."""
    there = {parsed.resource.key for parsed in resources if isinstance(parsed.resource, SecretResource)}
    wanted: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for parsed in resources:
        if not isinstance(parsed.resource, SecretResource):
            namespace = parsed.resource.metadata.namespace
            for entry in _named(make_item(parsed)):
                wanted[namespace, entry.name].add(entry.key)
    missing = {place: keys for place, keys in wanted.items() if "/".join(place) not in there}
    return [*resources, *(_stand_in(*place, keys) for place, keys in missing.items())]


def _named(item: Item) -> Iterator[SecretEntry]:
    for use in item.secrets:
        if use.name.startswith("/"):
            try:
                entry = read_name(use.name)
            except SecretNameError:
                continue
            if isinstance(entry, SecretEntry):
                yield entry
    yield from _fields(item)


def _fields(item: Item) -> Iterator[SecretEntry]:
    """What the fields of a resource name."""
    resource = item.parsed.resource
    if isinstance(resource, GatewaySecret):
        references = [resource.spec.source.kubernetes]
    elif isinstance(resource, Subscription):
        references = [resource.spec.api_key.secret_ref if resource.spec.api_key else None]
    elif isinstance(resource, Plan):
        jwt = resource.spec.security.jwt
        references = [jwt.key.secret_ref if jwt else None]
    elif isinstance(resource, GatewayDeployment):
        references = [one for one, _ in gateway_secrets(resource.spec)]
    else:
        references = []
    yield from (SecretEntry(one.name, one.key) for one in references if one is not None)


def _stand_in(namespace: str, name: str, keys: Iterable[str]) -> Parsed:
    """A Secret whose values are long enough for keys, and differ."""
    values = {key: sha256(f"{namespace}/{name}:{key}".encode()).hexdigest().encode() for key in keys}
    return Parsed(SecretResource(namespace, name, values), Manifest("", 0, 0, {}))
