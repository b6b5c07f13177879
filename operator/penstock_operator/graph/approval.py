"""Tells whether a subscription is let in by those who decide about its plan."""

from __future__ import annotations

from typing import Literal

from penstock_operator.graph.types import Finding
from penstock_operator.resources.plan import Plan
from penstock_operator.resources.subscription import APPROVAL, Subscription

Approval = Literal["NotNeeded", "Pending", "Approved", "Rejected"]

PENDING = "PendingApproval"
REJECTED = "ApprovalRejected"


def approval_of(subscription: Subscription, plan: Plan) -> Approval:
    """Where the approval of a subscription stands; any other word than the two is no decision."""
    if plan.spec.approval == "Auto":
        return "NotNeeded"
    match subscription.metadata.annotations.get(APPROVAL):
        case "Approved":
            return "Approved"
        case "Rejected":
            return "Rejected"
    return "Pending"


def denial(subscription: Subscription, plan: Plan) -> Finding | None:
    """Why a subscription is not let in though nothing is wrong with it."""
    path = ("metadata", "annotations", APPROVAL)
    name = plan.metadata.name
    match approval_of(subscription, plan):
        case "Rejected":
            message = f"the subscription to the plan {name} was rejected"
            return Finding(REJECTED, message, path, severity="Warning", denies=True)
        case "Pending":
            message = (
                f"the plan {name} asks for approval: annotate the Subscription with {APPROVAL}: Approved"
            )
            given = subscription.metadata.annotations.get(APPROVAL)
            more = f"; `{given}` is neither Approved nor Rejected" if given else ""
            return Finding(PENDING, message + more, path, severity="Warning", denies=True)
    return None
