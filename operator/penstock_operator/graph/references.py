"""Follows the references of resources to Secrets and GatewaySecrets.

What is a provider's cannot be followed here: which providers there are, and what they allow, is decided for
each gateway (`providers`).
"""

from __future__ import annotations

from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.graph.expressions import Use
from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.secret_names import (
    Provided,
    SecretEntry,
    SecretNameError,
    check_shape,
    entry_of,
    read_name,
)
from penstock_operator.graph.types import RESOLVED_REFS, Finding
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.explain import nearest
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.secret import SecretResource

Target = SecretRef | Provided | Finding
"""What an expression reads, what has to be decided for each gateway, or why it reads nothing."""


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


def resolve_use(use: Use, api: Item, links: Links) -> Target:
    """The secret that an expression of an API (or of its plan) reads, or why it cannot."""
    if use.name.startswith("/"):
        return _direct(use, api, links)
    item = links.gateway_secrets.get(f"{api.namespace}/{use.name}")
    if item is None:
        prefix = f"{api.namespace}/"
        known = (name.removeprefix(prefix) for name in links.gateway_secrets if name.startswith(prefix))
        message = f"there is no GatewaySecret {api.namespace}/{use.name}{nearest(use.name, known)}"
        return unresolved("GatewaySecretNotFound", message, use.path)
    return _permitted(use, api, item, links)


def source_finding(item: Item, links: Links) -> Finding | None:
    """What is wrong with the source of a GatewaySecret, as far as it is no provider's concern."""
    source = gateway_secret(item).spec.source
    if source.kubernetes is not None:
        value = secret_value(links, item.secret, source.kubernetes.key, ("spec", "source", "kubernetes"))
        return value if isinstance(value, Finding) else None
    entry = entry_of(source)
    assert entry is not None
    try:
        check_shape(entry, source.given()[0])
    except SecretNameError as error:
        return Finding("InvalidSecretName", str(error), ("spec", "source", *source.given()))
    return None


def gateway_secret(item: Item) -> GatewaySecret:
    """The resource of a GatewaySecret's item."""
    resource = item.parsed.resource
    assert isinstance(resource, GatewaySecret)
    return resource


def _direct(use: Use, api: Item, links: Links) -> Target:
    try:
        entry = read_name(use.name)
    except SecretNameError as error:
        return unresolved("InvalidSecretName", str(error), use.path)
    if not isinstance(entry, SecretEntry):
        return Provided(use.name, use.path, entry)
    value = secret_value(links, f"{api.namespace}/{entry.name}", entry.key, ())
    if isinstance(value, Finding):
        return unresolved(value.reason, value.message, use.path)
    return SecretRef(uri=secret_uri(api.namespace, entry.name, entry.key))


def _permitted(use: Use, api: Item, item: Item, links: Links) -> Target:
    spec = gateway_secret(item).spec
    if spec.used_by is not None and api.name not in spec.used_by.apis:
        message = f"the GatewaySecret {use.name} does not list {api.name} in spec.usedBy.apis"
        return unresolved("RefNotPermitted", message, use.path)
    if source_finding(item, links) is not None:
        return unresolved("SecretNotFound", f"the GatewaySecret {use.name} has no value", use.path)
    source = spec.source.kubernetes
    if source is not None:
        return SecretRef(uri=secret_uri(api.namespace, source.name, source.key))
    entry = entry_of(spec.source)
    assert entry is not None
    return Provided(use.name, use.path, entry, spec.refresh_interval or 0.0)
