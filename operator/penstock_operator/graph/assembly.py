"""Turns an API with its plans and subscriptions into a node of the graph, and finds what is wrong in them.

What is wrong with a plan or a subscription drops that one alone, never the checks of those that are left:
an API without a usable plan serves nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from gateway_runtime.snapshot.wire import SecretRef
from penstock_operator.graph.api_types import wrong_plan
from penstock_operator.graph.approval import denial
from penstock_operator.graph.credentials import Credential, credential_of, repeated_keys
from penstock_operator.graph.items import Item
from penstock_operator.graph.jwt_keys import secret_length_error
from penstock_operator.graph.keys import KeyWork
from penstock_operator.graph.linking import Links
from penstock_operator.graph.memo import Memo
from penstock_operator.graph.references import resolve_use, secret_uri, secret_value
from penstock_operator.graph.scram import ScramMemo
from penstock_operator.graph.secret_names import Provided, secret_of
from penstock_operator.graph.secret_users import users_of_secrets
from penstock_operator.graph.services import missing_services, service_ports
from penstock_operator.graph.types import ApiNode, Finding, PlanNode, Report, SubscriptionNode
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.explain import nearest
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.service import Service
from penstock_operator.resources.subscription import Subscription

Inputs = tuple[Item | Service | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """An API's node (None where the API is broken), and the reports of all that belongs to it.

    `subscriptions` come with their plans; `keys` are the Secrets to write. `previous_keys` tells until when
    which subscription has two keys, `next_change` when all this is to be looked at again (seconds since the
    epoch).
    """

    node: ApiNode | None
    reports: tuple[Report, ...]
    api: Item
    plans: tuple[Item, ...] = ()
    subscriptions: tuple[tuple[Item, Item], ...] = ()
    keys: tuple[KeyWork, ...] = ()
    previous_keys: Mapping[str, float] = field(default_factory=dict)
    next_change: float | None = None


@dataclass(slots=True, eq=False)
class _Parts:
    """What is found while one API is assembled."""

    api: Item
    links: Links
    scram: ScramMemo
    secrets: dict[str, SecretRef] = field(default_factory=dict)
    provided: dict[Item, tuple[Provided, ...]] = field(default_factory=dict)
    findings: dict[Item, list[Finding]] = field(default_factory=dict)
    keys: list[KeyWork] = field(default_factory=list)
    previous_keys: dict[str, float] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)

    def add(self, item: Item, findings: Iterable[Finding]) -> bool:
        """Note findings of an item; answers whether it is usable with them."""
        found = list(findings)
        if found:
            self.findings.setdefault(item, []).extend(found)
        return not any(finding.excludes for finding in found)


def assemble_apis(links: Links, memo: Memo) -> dict[str, Assembled]:
    """All APIs, assembled; those whose inputs are the memo's are used again."""
    apis = memo.apis
    for key in _touched(links, memo):
        api = links.apis.get(key)
        if api is None:
            apis.pop(key, None)
            continue
        inputs, entry = _inputs(api, links), apis.get(key)
        if entry is None or entry[0] != inputs or _is_due(entry[1], links.moment):
            apis[key] = (inputs, assemble(api, links, memo.scram))
    memo.scram.keep(links.subscriptions)
    return {key: assembled for key, (_, assembled) in apis.items()}


def _touched(links: Links, memo: Memo) -> set[str]:
    """The keys of APIs that may have changed: by an item that came or went, or by the time."""
    everything = memo.apis.keys() | links.apis.keys()
    if links.changed is None:
        return everything
    users = users_of_secrets(links)
    due = {key for key, (_, assembled) in memo.apis.items() if _is_due(assembled, links.moment)}
    own = {_api_key(item, links) for item in links.changed}
    return due | _moved(links, memo) | (own | users) & everything


def _moved(links: Links, memo: Memo) -> set[str]:
    """The keys of APIs whose Services are others than in the build before."""
    old, new = memo.services or {}, links.services or {}
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return {key for key, api in links.apis.items() if not changed.isdisjoint(api.services)}


def _api_key(item: Item, links: Links) -> str:
    """The key of the API that an item belongs to; of no API where it belongs to none."""
    if item.kind == "Subscription":
        plan = links.plans.get(item.target)
        return plan.target if plan else ""
    return {"ApiDefinition": item.key, "Plan": item.target}.get(item.kind, "")


def _is_due(assembled: Assembled, moment: float) -> bool:
    return assembled.next_change is not None and assembled.next_change <= moment


def assemble(api: Item, links: Links, scram: ScramMemo) -> Assembled:
    """The node and reports of one API."""
    parts = _Parts(api, links, scram)
    findings = (*_unknown_properties(api, api), *_secret_findings(api, parts), *_service_findings(api, links))
    usable = parts.add(api, (*api.findings, *findings))
    plans = sorted(links.plans_of.get(api.key, ()), key=_plan_order)
    usable_plans = [(plan, uri) for plan in plans for ok, uri in [_check_plan(plan, parts)] if ok]
    credentials = _check_credentials(plans, parts)
    if not plans:
        message = "the API has no Plan, so it refuses all requests; a Plan with keyless: {} opens it"
        parts.add(api, (Finding("NoPlans", message, severity="Warning"),))
    nodes = tuple(_plan_node(plan, uri, credentials[plan.key], parts) for plan, uri in usable_plans)
    return Assembled(
        _api_node(api, nodes, parts) if usable else None,
        _reports(parts),
        api,
        tuple(plans),
        tuple((item, plan) for plan in plans for item in links.subscriptions_of.get(plan.key, ())),
        tuple(parts.keys),
        parts.previous_keys,
        min((moment for moment in parts.moments if moment > links.moment), default=None),
    )


def _inputs(api: Item, links: Links) -> Inputs:
    services = links.services or {}
    inputs: list[Item | Service | None] = [api, *(services.get(key) for key in api.services)]
    if api.secrets:
        _add_uses(inputs, api, links)
    secrets = links.secrets
    for plan in links.plans_of.get(api.key, ()):
        inputs.append(plan)
        if plan.secret:
            inputs.append(secrets.get(plan.secret))
        if plan.secrets:
            _add_uses(inputs, plan, links)
        for subscription in links.subscriptions_of.get(plan.key, ()):
            inputs.append(subscription)
            if subscription.secret:
                inputs.append(secrets.get(subscription.secret))
    return tuple(inputs)


def _add_uses(inputs: list[Item | Service | None], item: Item, links: Links) -> None:
    for use in item.secrets:
        if use.name.startswith("/"):
            inputs.append(links.secrets.get(f"{item.namespace}/{secret_of(use.name)}"))
            continue
        named = links.gateway_secrets.get(f"{item.namespace}/{use.name}")
        inputs.append(named)
        inputs.append(links.secrets.get(named.secret) if named else None)


def _unknown_properties(item: Item, api: Item) -> Iterable[Finding]:
    resource = api.parsed.resource
    assert isinstance(resource, ApiDefinition)
    properties = resource.spec.properties
    for use in item.properties:
        if use.name not in properties:
            message = f"the API has no property `{use.name}`{nearest(use.name, properties)}"
            yield Finding("UnknownProperty", message, use.path)


def _secret_findings(item: Item, parts: _Parts) -> list[Finding]:
    resolved = [(use, resolve_use(use, parts.api, parts.links)) for use in item.secrets]
    findings = [outcome for _, outcome in resolved if isinstance(outcome, Finding)]
    if not findings and item.is_usable:
        parts.secrets |= {use.name: ref for use, ref in resolved if isinstance(ref, SecretRef)}
    parts.provided[item] = tuple(outcome for _, outcome in resolved if isinstance(outcome, Provided))
    return findings


def _service_findings(item: Item, links: Links) -> Iterable[Finding]:
    api = item.parsed.resource
    assert isinstance(api, ApiDefinition)
    return missing_services(api, links.services)


def _check_plan(item: Item, parts: _Parts) -> tuple[bool, str | None]:
    uri, key_findings = _jwt_secret(item, parts.links)
    findings = (
        *item.findings,
        *_wrong_plan(item, parts.api),
        *_unknown_properties(item, parts.api),
        *_secret_findings(item, parts),
        *key_findings,
    )
    return parts.add(item, findings), uri


def _wrong_plan(item: Item, owner: Item) -> Iterator[Finding]:
    plan, api = item.parsed.resource, owner.parsed.resource
    assert isinstance(plan, Plan)
    assert isinstance(api, ApiDefinition)
    return wrong_plan(plan, api)


def _jwt_secret(item: Item, links: Links) -> tuple[str | None, list[Finding]]:
    plan = item.parsed.resource
    assert isinstance(plan, Plan)
    jwt = plan.spec.security.jwt
    if jwt is None or jwt.key.secret_ref is None:
        return None, []
    path = ("spec", "security", "jwt", "key", "secretRef")
    value = secret_value(links, item.secret, jwt.key.secret_ref.key, path)
    if isinstance(value, Finding):
        return None, [value]
    message = secret_length_error(jwt, value)
    if message:
        return None, [Finding("WeakKey", message, path)]
    return secret_uri(item.namespace, jwt.key.secret_ref.name, jwt.key.secret_ref.key), []


def _check_credentials(plans: list[Item], parts: _Parts) -> dict[str, list[Credential]]:
    """The usable credentials of each plan's subscriptions, by the key of the plan."""
    found = {plan.key: list(_credentials_of(plan, parts)) for plan in plans}
    repeated = repeated_keys([credential for group in found.values() for credential in group])
    return {key: [one for one in group if _check(one, repeated, parts)] for key, group in found.items()}


def _credentials_of(item: Item, parts: _Parts) -> Iterator[Credential]:
    """Those of subscriptions that are not denied: of others nothing is asked but the decision."""
    plan = item.parsed.resource
    assert isinstance(plan, Plan)
    for found in parts.links.subscriptions_of.get(item.key, ()):
        subscription = found.parsed.resource
        assert isinstance(subscription, Subscription)
        denied = denial(subscription, plan)
        if denied is not None:
            parts.add(found, (denied,))
        else:
            _note_times(subscription, parts)
            yield credential_of(found, plan, parts.links)


def _note_times(subscription: Subscription, parts: _Parts) -> None:
    bounds = (subscription.spec.starts_at, subscription.spec.ends_at)
    parts.moments += [bound.timestamp() for bound in bounds if bound is not None]


def _check(credential: Credential, repeated: dict[str, Finding], parts: _Parts) -> bool:
    item = credential.item
    if credential.work is not None:
        parts.keys.append(credential.work)
    if credential.previous_until is not None:
        parts.previous_keys[item.key] = credential.previous_until
        parts.moments.append(credential.previous_until)
    findings = (*item.findings, credential.finding, repeated.get(item.key), _ended(item, parts.links.moment))
    usable = parts.add(item, (finding for finding in findings if finding is not None))
    return usable and not credential.is_pending


def _ended(item: Item, moment: float) -> Finding | None:
    subscription = item.parsed.resource
    assert isinstance(subscription, Subscription)
    ends_at = subscription.spec.ends_at
    if ends_at is None or ends_at.timestamp() > moment:
        return None
    message = f"the subscription ended at {ends_at.astimezone(UTC).isoformat()}: its clients are refused"
    return Finding("Expired", message, ("spec", "endsAt"), severity="Warning")


def _plan_order(item: Item) -> tuple[int, str]:
    plan = item.parsed.resource
    assert isinstance(plan, Plan)
    return (plan.spec.order, plan.metadata.name)


def _plan_node(item: Item, uri: str | None, credentials: list[Credential], parts: _Parts) -> PlanNode:
    plan = item.parsed.resource
    assert isinstance(plan, Plan)
    usable = sorted(credentials, key=lambda credential: credential.item.key)
    subscriptions = tuple(_subscription_node(credential, parts) for credential in usable)
    return PlanNode(plan, item.parsed.manifest.data, subscriptions, uri, parts.provided[item])


def _subscription_node(credential: Credential, parts: _Parts) -> SubscriptionNode:
    subscription = credential.item.parsed.resource
    assert isinstance(subscription, Subscription)
    by_scram = credential.keys if parts.api.kafka is not None else ()
    scram = parts.scram.keys_of(subscription.key, by_scram) if by_scram else ()
    return SubscriptionNode(subscription, credential.digests, scram)


def _api_node(item: Item, plans: tuple[PlanNode, ...], parts: _Parts) -> ApiNode:
    api = item.parsed.resource
    assert isinstance(api, ApiDefinition)
    secrets = tuple(sorted(parts.secrets.items()))
    ports = service_ports(api, parts.links.services)
    return ApiNode(api, item.parsed.manifest.data, plans, secrets, parts.provided[item], ports)


def _reports(parts: _Parts) -> tuple[Report, ...]:
    return tuple(Report(item.parsed, item.id, tuple(found)) for item, found in parts.findings.items())
