"""Decides for one gateway which of its providers' secrets an API may read, and whether the providers fit.

Nothing is allowed but what a provider's `allow` says: an API of one namespace never reads what is another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.graph.items import Item
from penstock_operator.graph.linking import Links
from penstock_operator.graph.references import secret_value, unresolved
from penstock_operator.graph.secret_names import (
    Provided,
    ProviderEntry,
    SecretNameError,
    check_shape,
    entry_of,
)
from penstock_operator.graph.types import ApiNode, Finding, PlanNode
from penstock_operator.manifests.reader import FieldPath
from penstock_operator.resources.explain import nearest
from penstock_operator.resources.gateway_deployment import GatewayDeployment, gateway_secrets
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.secret_provider import SecretProvider

_MOST_TOLD = 3

Faults = dict[str, tuple[Finding, ...]]
"""What keeps an API (empty name) or one of its plans (by name) from being served by a gateway."""


def provider_findings(gateway: GatewayDeployment, links: Links) -> Iterator[Finding]:
    """What is wrong with the providers of a gateway, and with the Secrets that it reads for itself.

    Where Services are known there is a cluster.
    """
    for index, provider in enumerate(gateway.spec.secret_providers):
        path: FieldPath = ("spec", "secretProviders", index)
        if links.services is not None and provider.type != "vault":
            message = (
                f"{provider.type} is for `penstock run` alone; in a cluster name Secrets as "
                "/kubernetes/NAME:KEY, or use vault"
            )
            yield Finding("ProviderNotInCluster", message, (*path, provider.type))
    for finding in dict.fromkeys(_missing_secrets(gateway, links)):
        # The gateway is served all the same: what needs no such value works.
        yield replace(finding, severity="Warning")


def _missing_secrets(gateway: GatewayDeployment, links: Links) -> Iterator[Finding]:
    """Those that the gateway reads for itself; a Secret that is missing comes for each of its keys."""
    for reference, field in gateway_secrets(gateway.spec):
        value = secret_value(links, f"{gateway.metadata.namespace}/{reference.name}", reference.key, field)
        if isinstance(value, Finding):
            yield value


def resolve_for(gateway: GatewayDeployment, node: ApiNode) -> tuple[ApiNode | None, Faults]:
    """An API as a gateway serves it, all its secrets named, and why it or some of its plans are left out."""
    faults: Faults = {}
    own = _resolve(gateway, node.api.metadata.namespace, node.provided)
    if isinstance(own, tuple):
        faults[""] = own
    secrets = dict(node.secrets) | (own if isinstance(own, dict) else {})
    plans: list[PlanNode] = []
    for plan in node.plans:
        found = _resolve(gateway, node.api.metadata.namespace, plan.provided)
        if isinstance(found, tuple):
            faults[plan.plan.metadata.name] = found
        else:
            secrets |= found
            plans.append(plan)
    served = replace(node, plans=tuple(plans), secrets=tuple(sorted(secrets.items())))
    return None if "" in faults else served, faults


def unprovided(secret: GatewaySecret, gateways: Iterable[GatewayDeployment]) -> Finding | None:
    """Why no gateway gives the value of a GatewaySecret: for each of them; None where one does."""
    entry = entry_of(secret.spec.source)
    if entry is None:
        return None
    path = ("spec", "source", *secret.spec.source.given())
    found = [find(gateway, secret.metadata.namespace, entry, path) for gateway in gateways]
    findings = [one for one in found if isinstance(one, Finding)]
    if len(findings) < len(found):
        return None
    message = "; ".join(one.message for one in findings[:_MOST_TOLD]) or "there is no gateway with a provider"
    return unresolved(findings[0].reason if findings else "SecretProviderNotFound", message, path)


def gateway_of(item: Item) -> GatewayDeployment:
    """The resource of a gateway's item."""
    resource = item.parsed.resource
    assert isinstance(resource, GatewayDeployment)
    return resource


def find(
    gateway: GatewayDeployment, namespace: str, entry: ProviderEntry, path: FieldPath
) -> SecretProvider | Finding:
    """The provider of a gateway that gives a value to APIs of a namespace, or why none does."""
    provider = _provider(gateway, entry, path)
    if isinstance(provider, Finding):
        return provider
    try:
        check_shape(entry, provider.type)
    except SecretNameError as error:
        return unresolved("InvalidSecretName", str(error), path)
    if not is_allowed(provider, namespace, entry.path):
        message = (
            f"the provider `{provider.name}` of the gateway {gateway.key} does not allow `{entry.path}` to "
            f"APIs of the namespace {namespace}; who runs the gateway can add it to the provider's `allow`"
        )
        return unresolved("RefNotPermitted", message, path)
    return provider


def is_allowed(provider: SecretProvider, namespace: str, path: str) -> bool:
    """Whether APIs of a namespace may name a path of a provider."""
    return any(
        ("*" in rule.namespaces or namespace in rule.namespaces)
        and any(_covers(allowed, path) for allowed in rule.paths)
        for rule in provider.allow
    )


def _covers(allowed: str, path: str) -> bool:
    """Whole segments are compared: `kv/team/*` is not `kv/team-b/x`, nor `kv/team` itself."""
    if allowed == "*":
        return True
    if allowed.endswith("/*"):
        return path.startswith(allowed[:-1]) and len(path) >= len(allowed)
    return path == allowed


def _resolve(
    gateway: GatewayDeployment, namespace: str, uses: Iterable[Provided]
) -> dict[str, SecretRef] | tuple[Finding, ...]:
    found: dict[str, SecretRef] = {}
    findings: list[Finding] = []
    for use in uses:
        provider = find(gateway, namespace, use.entry, use.path)
        if isinstance(provider, Finding):
            findings.append(provider)
        else:
            found[use.name] = use.reference(provider.name, provider.type)
    return tuple(findings) if findings else found


def _provider(gateway: GatewayDeployment, entry: ProviderEntry, path: FieldPath) -> SecretProvider | Finding:
    """By its name, else the only one of the type that the name says."""
    providers = gateway.spec.secret_providers
    named = next((one for one in providers if one.name == entry.provider), None)
    if named is None:
        typed = [one for one in providers if one.type == entry.provider]
        if len(typed) > 1:
            names = ", ".join(f"`{one.name}`" for one in typed)
            message = (
                f"the gateway {gateway.key} has several providers of the type {entry.provider}: name {names}"
            )
            return unresolved("SecretProviderAmbiguous", message, path)
        named = typed[0] if typed else None
    if named is None:
        near = nearest(entry.provider, (one.name for one in providers))
        message = f"the gateway {gateway.key} has no secret provider `{entry.provider}`{near}"
        return unresolved("SecretProviderNotFound", message, path)
    if entry.type is not None and named.type != entry.type:
        message = f"the provider `{named.name}` of the gateway {gateway.key} is of the type {named.type}"
        return unresolved("SecretProviderNotFound", message, path)
    return named
