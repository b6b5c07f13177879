"""Turns an API with its plans and subscriptions into the status of each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from penstock_operator.graph.approval import approval_of
from penstock_operator.graph.assembly import Assembled
from penstock_operator.graph.credentials import KEY_PENDING
from penstock_operator.graph.items import Item
from penstock_operator.graph.keys import KEY, key_secret_name
from penstock_operator.graph.types import ApiNode, Finding, Report, ResourceId
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.status import (
    ApiStatus,
    KeyLocation,
    KeyStatus,
    PlanStatus,
    Status,
    SubscriptionStatus,
)
from penstock_operator.resources.subscription import Subscription
from penstock_operator.status.previous import before_of
from penstock_operator.status.serving import Served, View, total
from penstock_operator.status.urls import urls_of
from penstock_operator.status.verdicts import (
    READY,
    Clock,
    Moment,
    Verdict,
    conditions,
    found,
    is_in_use,
    not_accepted,
    not_programmed,
    programmed,
    ready,
    settled,
    timestamp,
)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the statuses of one API's group are made of.

    `node` is what is served for the API, which may be an older version of it; `findings` are those of the
    API with what the gateways say of it; `served` tells how far its two sections are served, by gateway.
    """

    group: Assembled
    node: ApiNode | None
    findings: tuple[Finding, ...]
    views: tuple[View, ...]
    served: tuple[tuple[Served, Served], ...]
    before: Mapping[ResourceId, Status]
    clock: Clock

    def moment(self, item: Item) -> Moment:
        """What the conditions of a member are stamped with."""
        return Moment(self.clock, generation_of(item), before_of(item, self.before))

    @property
    def api_served(self) -> Served:
        """How far the API's section is served."""
        return total(api for api, _ in self.served)

    @property
    def subscriptions_served(self) -> Served:
        """How far the section of its subscriptions is served."""
        return total(subscriptions for _, subscriptions in self.served)


def member_statuses(scene: Scene) -> Iterator[tuple[ResourceId, Status]]:
    """The statuses of an API, its plans and its subscriptions."""
    reports = {id(report.parsed): report for report in scene.group.reports}
    yield scene.group.api.id, _api(scene)
    counts = dict.fromkeys(scene.group.plans, 0)
    for _, plan in scene.group.subscriptions:
        counts[plan] += 1
    in_service = _in_service(scene.node)
    for plan, count in counts.items():
        yield plan.id, _plan(plan, count, scene, _Own(_report(plan, reports), in_service))
    for item, plan in scene.group.subscriptions:
        yield item.id, _subscription(item, plan, scene, _Own(_report(item, reports), in_service))


def generation_of(item: Item) -> int:
    """The generation of the resource of an item."""
    return item.parsed.resource.metadata.generation  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """What is of one member: its report, and by identity whether it is in what is served."""

    report: Report
    in_service: frozenset[int]

    @property
    def is_in_service(self) -> bool:
        return id(self.report.parsed.resource) in self.in_service


def _in_service(node: ApiNode | None) -> frozenset[int]:
    plans = node.plans if node else ()
    return frozenset(
        (
            *(id(plan.plan) for plan in plans),
            *(id(one.subscription) for plan in plans for one in plan.subscriptions),
        )
    )


def _report(item: Item, reports: Mapping[int, Report]) -> Report:
    return reports.get(id(item.parsed)) or Report(item.parsed, item.id, ())


def _api(scene: Scene) -> ApiStatus:
    item, moment = scene.group.api, scene.moment(scene.group.api)
    api = item.parsed.resource
    assert isinstance(api, ApiDefinition)
    accepted, resolved = found(item.parsed, Report(item.parsed, item.id, scene.findings))
    served = scene.api_served
    unsettled = _api_programmed(api, scene, served)
    verdict = settled(unsettled, moment)
    pods = f"{served.serving}/{served.live}" if verdict is unsettled else f"{served.live}/{served.live}"
    verdicts = (accepted, resolved, verdict, ready(accepted, resolved, verdict, *_lets_in(scene)))
    return ApiStatus(
        observed_generation=moment.generation,
        conditions=conditions(verdicts, moment),
        urls=urls_of(api, scene.views),
        gateways=tuple(view.node.gateway.key for view in scene.views),
        pods=pods if scene.views and scene.node and scene.node.api is api else f"0/{served.live}",
    )


def _api_programmed(api: ApiDefinition, scene: Scene, served: Served) -> Verdict:
    if scene.node is None or scene.node.api is not api or not is_in_use(scene.findings):
        return not_accepted()
    if scene.views:
        return programmed(served)
    if api.spec.state == "Stopped":
        return not_programmed("Stopped", "spec.state is Stopped.")
    finding = next((one for one in scene.findings if one.reason == "NotServed"), None)
    return not_programmed("NoGateway", finding.message if finding else "No gateway serves it.")


def _lets_in(scene: Scene) -> Iterator[Verdict]:
    if scene.node is not None and not scene.node.plans:
        yield Verdict(READY, False, "NoPlans", "It has no usable Plan, so it refuses all requests.")


def _plan(item: Item, subscriptions: int, scene: Scene, own: _Own) -> PlanStatus:
    plan, moment = item.parsed.resource, scene.moment(item)
    assert isinstance(plan, Plan)
    accepted, resolved = found(item.parsed, own.report)
    verdict = settled(_programmed(own, scene, scene.api_served), moment)
    verdicts = (accepted, resolved, verdict, ready(accepted, resolved, verdict))
    return PlanStatus(
        observed_generation=moment.generation,
        conditions=conditions(verdicts, moment),
        api=plan.spec.api_ref.name,
        subscriptions=subscriptions,
    )


def _subscription(item: Item, plan: Item, scene: Scene, own: _Own) -> SubscriptionStatus:
    subscription, of, moment = item.parsed.resource, plan.parsed.resource, scene.moment(item)
    assert isinstance(subscription, Subscription)
    assert isinstance(of, Plan)
    accepted, resolved = found(item.parsed, own.report)
    verdict = settled(_programmed(own, scene, scene.subscriptions_served), moment)
    window = tuple(_window(subscription, scene.clock.now))
    verdicts = (accepted, resolved, verdict, ready(accepted, resolved, *window, verdict))
    return SubscriptionStatus(
        observed_generation=moment.generation,
        conditions=conditions(verdicts, moment),
        plan=of.metadata.name,
        api=of.spec.api_ref.name,
        application=subscription.spec.application.name,
        approval=approval_of(subscription, of),
        api_key=_key(subscription, of, scene.group.previous_keys.get(item.key)),
    )


def _programmed(own: _Own, scene: Scene, served: Served) -> Verdict:
    """Of a plan or a subscription: it is served where the served version of its API has it."""
    reasons = {finding.reason for finding in own.report.findings}
    if own.is_in_service and scene.views:
        return programmed(served)
    if not is_in_use(own.report.findings):
        return not_accepted()
    if KEY_PENDING in reasons:
        return not_programmed(KEY_PENDING, "The operator is making its API key.")
    if own.is_in_service:
        return not_programmed("NotServed", "No gateway serves its API.")
    return not_programmed("NotServed", "Its API or its plan is not accepted.")


def _window(subscription: Subscription, now: datetime) -> Iterator[Verdict]:
    """Why clients are refused though all is as it was asked for."""
    spec = subscription.spec
    if spec.state != "Active":
        yield Verdict(READY, False, spec.state, f"spec.state is {spec.state}: its clients are refused.")
    if spec.starts_at is not None and now < spec.starts_at:
        yield Verdict(READY, False, "NotStarted", f"It starts at {timestamp(spec.starts_at)}.")
    if spec.ends_at is not None and now >= spec.ends_at:
        yield Verdict(READY, False, "Expired", f"It ended at {timestamp(spec.ends_at)}.")


def _key(subscription: Subscription, plan: Plan, previous_until: float | None) -> KeyStatus | None:
    if plan.spec.security.api_key is None:
        return None
    given = subscription.spec.api_key
    location = KeyLocation(name=key_secret_name(subscription.metadata.name), key=KEY)
    if given is not None:
        location = KeyLocation(name=given.secret_ref.name, key=given.secret_ref.key)
    until = datetime.fromtimestamp(previous_until, UTC) if previous_until is not None else None
    return KeyStatus(secret_ref=location, previous_until=timestamp(until) if until else None)
