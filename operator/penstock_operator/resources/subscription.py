"""Subscription: an application's right to use a plan."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field, model_validator

from gateway_runtime.policies.fields import StrictModel
from penstock_operator.resources.meta import (
    NameRef,
    Names,
    PrinterColumn,
    Resource,
    Rules,
    SecretKeyRef,
    condition_columns,
)

APPROVAL = "penstock.dev/approval"
"""Annotation: `Approved` or `Rejected`, for plans whose approval is Manual."""
ROTATE_KEY = "penstock.dev/rotate-key"
"""Annotation: any new value asks the operator for a new API key."""

Time = Annotated[AwareDatetime, Field(strict=False)]


class Application(StrictModel):
    """Who subscribes."""

    name: Annotated[str, Field(min_length=1, max_length=253, description="Its name.")]
    client_id: Annotated[str | None, Field(description="What tokens of this application carry.")] = None


class ApiKeyCredential(StrictModel):
    """Where the subscription's key is."""

    secret_ref: Annotated[SecretKeyRef, Field(description="The Secret that holds the key.")]


class SubscriptionSpec(StrictModel):
    """What the subscription is."""

    rules: ClassVar[Rules] = (
        (
            "!has(self.startsAt) || !has(self.endsAt) || self.startsAt < self.endsAt",
            "startsAt must be before endsAt",
        ),
    )

    plan_ref: Annotated[NameRef, Field(description="The Plan.")]
    application: Annotated[Application, Field(description="Who subscribes.")]
    api_key: Annotated[
        ApiKeyCredential | None,
        Field(description="A key of your own, for plans with apiKey; none: the operator makes one."),
    ] = None
    state: Annotated[
        Literal["Active", "Paused", "Closed"], Field(description="Only Active ones are let in.")
    ] = "Active"
    starts_at: Annotated[Time | None, Field(description="Not let in before.")] = None
    ends_at: Annotated[Time | None, Field(description="Not let in from then on.")] = None

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> SubscriptionSpec:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError(self.rules[0][1])
        return self


class Subscription(Resource):
    """An application's right to use a plan."""

    names: ClassVar = Names(kind="Subscription", plural="subscriptions", short=("sub",))
    columns: ClassVar = (
        PrinterColumn(name="Plan", type="string", json_path=".spec.planRef.name"),
        PrinterColumn(name="Application", type="string", json_path=".spec.application.name"),
        PrinterColumn(name="API", type="string", json_path=".status.api"),
        PrinterColumn(name="Key", type="string", json_path=".status.apiKey.secretRef.name", priority=1),
        PrinterColumn(name="Approval", type="string", json_path=".status.approval"),
        *condition_columns("Ready"),
        PrinterColumn(name="Ends", type="date", json_path=".spec.endsAt", priority=1),
        PrinterColumn(name="Age", type="date", json_path=".metadata.creationTimestamp"),
    )

    kind: Literal["Subscription"]
    spec: SubscriptionSpec
