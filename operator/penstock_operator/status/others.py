"""Turns what belongs to no API into statuses: gateways, GatewaySecrets, what is for none of them."""

from __future__ import annotations

import msgspec

from penstock_operator.graph.types import Report, ResourceId
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.status import (
    GatewaySecretStatus,
    GatewayStatus,
    PlanStatus,
    Status,
    SubscriptionStatus,
)
from penstock_operator.resources.subscription import Subscription
from penstock_operator.status.observed import ObservedGateway, SecretVersion, Unparsed
from penstock_operator.status.previous import read_status
from penstock_operator.status.provided import resolution
from penstock_operator.status.serving import Served
from penstock_operator.status.verdicts import (
    READY,
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


def gateway_status(
    report: Report, observed: ObservedGateway, served: Served | None, apis: int, moment: Moment
) -> GatewayStatus:
    """The status of a gateway; `served` is how far its own section is, None where nothing is published."""
    accepted, resolved = found(report.parsed, report)
    if not is_in_use(report.findings):
        verdict = not_accepted()
    elif observed.taken:
        verdict = not_programmed("NameTaken", "; ".join(observed.taken))
    else:
        verdict = settled(programmed(served or Served(0, len(observed.pods))), moment)
    verdicts = (accepted, resolved, verdict, ready(accepted, resolved, _pods_ready(observed), verdict))
    return GatewayStatus(
        observed_generation=moment.generation,
        conditions=conditions(verdicts, moment),
        pods=f"{observed.ready}/{observed.wanted}",
        apis=apis,
        addresses=observed.addresses,
    )


def provided_status(report: Report, served: Served, moment: Moment) -> GatewaySecretStatus:
    """The status of a GatewaySecret whose value a provider has: what pods tell, as the operator has none."""
    accepted, resolved = found(report.parsed, report)
    is_ready = ready(accepted, resolved)
    return GatewaySecretStatus(
        observed_generation=moment.generation,
        conditions=conditions(
            (accepted, resolved, resolution(served) if is_ready.holds else is_ready), moment
        ),
        pods=f"{served.serving}/{served.live}",
    )


def secret_status(report: Report, version: SecretVersion | None, moment: Moment) -> GatewaySecretStatus:
    """The status of a GatewaySecret whose value is in a Secret."""
    accepted, resolved = found(report.parsed, report)
    return GatewaySecretStatus(
        observed_generation=moment.generation,
        conditions=conditions((accepted, resolved, ready(accepted, resolved)), moment),
        version=version.version if version else "",
        since=timestamp(version.since) if version else None,
    )


def orphan_status(report: Report, moment: Moment) -> PlanStatus | SubscriptionStatus:
    """The status of a plan or a subscription that is for an API that is not there."""
    resource = report.parsed.resource
    accepted, resolved = found(report.parsed, report)
    verdict = not_programmed("NotServed", "Its API is not there.")
    shown = conditions((accepted, resolved, verdict, ready(accepted, resolved, verdict)), moment)
    if isinstance(resource, Plan):
        name = resource.spec.api_ref.name
        return PlanStatus(observed_generation=moment.generation, conditions=shown, api=name, subscriptions=0)
    assert isinstance(resource, Subscription)
    return SubscriptionStatus(
        observed_generation=moment.generation,
        conditions=shown,
        plan=resource.spec.plan_ref.name,
        application=resource.spec.application.name,
    )


def unparsed_status(id_: ResourceId, unparsed: Unparsed, moment: Moment) -> Status:
    """The status of a resource that is not as its kind is: what is wrong, beside what was before."""
    reason = unparsed.problems[0].reason
    message = "; ".join(f"{one.field}: {one.message}" for one in unparsed.problems)
    accepted = Verdict("Accepted", False, reason, message)
    shown = conditions((accepted, ready(accepted)), moment)
    base = moment.before or read_status(id_.kind, unparsed.status) or _BLANK.get(id_.kind, Status())
    return msgspec.structs.replace(base, observed_generation=moment.generation, conditions=shown)


def _pods_ready(observed: ObservedGateway) -> Verdict:
    if observed.wanted == 0:
        return Verdict(READY, False, "NoPods", "No pod is wanted.")
    holds = observed.ready >= observed.wanted
    return Verdict(READY, holds, "PodsReady" if holds else "PodsNotReady", "Not all pods are ready.")


_BLANK: dict[str, Status] = {
    "GatewayDeployment": GatewayStatus(apis=0),
    "Plan": PlanStatus(subscriptions=0),
}
