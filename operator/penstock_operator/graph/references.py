"""Follows the references of resources to Secrets and GatewaySecrets."""

from __future__ import annotations

from penstock_operator.graph.expressions import Use
from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.types import RESOLVED_REFS, Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.explain import nearest
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.secret import SecretResource

KUBERNETES = "/kubernetes/"


def secret_uri(namespace: str, name: str, key: str) -> str:
    """How the wire types name one key of a Secret."""
    return f"kubernetes/{namespace}/{name}:{key}"


def unresolved(reason: str, message: str, path: FieldPath) -> Finding:
    """A reference that leads nowhere, or must not be followed."""
    return Finding(reason, message, path, RESOLVED_REFS)


def secret_value(links: Links, secret: str, key: str, path: FieldPath) -> bytes | Finding:
    """The value of one key of a Secret, or why there is none."""
    item = links.secrets.get(secret)
    name = secret.partition("/")[2]
    if item is None:
        near = nearest(secret, links.secrets)
        return unresolved("SecretNotFound", f"there is no Secret {secret}{near}", (*path, "name"))
    resource = item.parsed.resource
    assert isinstance(resource, SecretResource)
    if key not in resource.values:
        near = nearest(key, resource.values)
        return unresolved("SecretKeyNotFound", f"the Secret {name} has no key `{key}`{near}", (*path, "key"))
    return resource.values[key]


def resolve_use(use: Use, api: Item, links: Links) -> str | Finding:
    """The URI of the secret that an expression of an API (or of its plan) reads, or why it cannot."""
    if use.name.startswith(KUBERNETES):
        return _direct(use, api, links)
    if use.name.startswith("/"):
        message = f"`{use.name}` has an unknown source; /kubernetes/NAME:KEY is a key of a Secret"
        return unresolved("SecretNotFound", message, use.path)
    item = links.gateway_secrets.get(f"{api.namespace}/{use.name}")
    if item is None:
        known = (name.partition("/")[2] for name in links.gateway_secrets if name.startswith(api.namespace))
        message = f"there is no GatewaySecret {api.namespace}/{use.name}{nearest(use.name, known)}"
        return unresolved("GatewaySecretNotFound", message, use.path)
    return _permitted(use, api, item, links)


def source_finding(item: Item, links: Links) -> Finding | None:
    """What is wrong with the source of a GatewaySecret."""
    resource = item.parsed.resource
    assert isinstance(resource, GatewaySecret)
    path = ("spec", "source", "kubernetes")
    value = secret_value(links, item.secret, resource.spec.source.kubernetes.key, path)
    return value if isinstance(value, Finding) else None


def _direct(use: Use, api: Item, links: Links) -> str | Finding:
    name, _, key = use.name.removeprefix(KUBERNETES).partition(":")
    value = secret_value(links, f"{api.namespace}/{name}", key, ())
    if isinstance(value, Finding):
        return unresolved(value.reason, value.message, use.path)
    return secret_uri(api.namespace, name, key)


def _permitted(use: Use, api: Item, item: Item, links: Links) -> str | Finding:
    resource = item.parsed.resource
    assert isinstance(resource, GatewaySecret)
    used_by = resource.spec.used_by
    if used_by is not None and api.name not in used_by.apis:
        message = f"the GatewaySecret {use.name} does not list {api.name} in spec.usedBy.apis"
        return unresolved("RefNotPermitted", message, use.path)
    if source_finding(item, links) is not None:
        return unresolved("SecretNotFound", f"the GatewaySecret {use.name} has no value", use.path)
    source = resource.spec.source.kubernetes
    return secret_uri(api.namespace, source.name, source.key)
