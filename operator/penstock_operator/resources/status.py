"""The status of each kind: what the operator writes, and what it reads back after a restart."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Generation = Annotated[int, Meta(ge=0, extra_json_schema={"format": "int64"})]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class StatusPart(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Base of all that is in a status."""


class StatusCondition(StatusPart, frozen=True):
    """A `metav1.Condition`."""

    type: Annotated[str, Meta(description="What it is about.", max_length=316)]
    status: Annotated[
        str, Meta(description="Whether it holds.", extra_json_schema={"enum": ["True", "False", "Unknown"]})
    ]
    reason: Annotated[str, Meta(description="One word for programs.", min_length=1, max_length=1024)]
    message: Annotated[str, Meta(description="A sentence for people.", max_length=32768)]
    last_transition_time: Annotated[Time, Meta(description="When its status last became another.")]
    observed_generation: Annotated[
        Generation, Meta(description="The generation of the spec that it is about.")
    ] = 0


Conditions = Annotated[
    tuple[StatusCondition, ...],
    Meta(
        description="Accepted, ResolvedRefs, Programmed and Ready, as they apply.",
        max_length=16,
        extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


class Status(StatusPart, frozen=True):
    """What the operator found; written by the operator alone."""

    observed_generation: Annotated[
        Generation, Meta(description="The generation of the spec that the status is about.")
    ] = 0
    conditions: Conditions = ()

    def condition(self, kind: str) -> StatusCondition | None:
        """The condition of a type."""
        for one in self.conditions:
            if one.type == kind:
                return one
        return None


class ApiStatus(Status, frozen=True):
    """What the operator found; written by the operator alone."""

    urls: Annotated[tuple[str, ...], Meta(description="Where clients reach it.", max_length=32)] = ()
    gateways: Annotated[
        tuple[str, ...], Meta(description="The GatewayDeployments that serve it, `namespace/name`.")
    ] = ()
    pods: Annotated[str, Meta(description="How many of these gateways' pods serve this generation.")] = ""


class PlanStatus(Status, frozen=True, kw_only=True):
    """What the operator found; written by the operator alone."""

    api: Annotated[str, Meta(description="The ApiDefinition that it is for.")] = ""
    subscriptions: Annotated[int, Meta(description="How many Subscriptions there are to it.")]


class KeyLocation(StatusPart, frozen=True):
    """One key of a Secret."""

    name: Annotated[str, Meta(description="The name of the Secret.")]
    key: Annotated[str, Meta(description="The key within the Secret.")]


class KeyStatus(StatusPart, frozen=True):
    """Where the API key is."""

    secret_ref: Annotated[KeyLocation, Meta(description="The Secret that holds it.")]
    previous_until: Annotated[
        Time | None, Meta(description="Until when the key before it holds too, after a rotation.")
    ] = None


class SubscriptionStatus(Status, frozen=True):
    """What the operator found; written by the operator alone."""

    plan: Annotated[str, Meta(description="The Plan.")] = ""
    api: Annotated[str, Meta(description="The Plan's ApiDefinition.")] = ""
    application: Annotated[str, Meta(description="Who subscribes.")] = ""
    approval: Annotated[
        str,
        Meta(
            description="Where the approval stands.",
            extra_json_schema={"enum": ["NotNeeded", "Pending", "Approved", "Rejected"]},
        ),
    ] = ""
    api_key: Annotated[KeyStatus | None, Meta(description="Where its API key is.")] = None


class GatewayStatus(Status, frozen=True, kw_only=True):
    """What the operator found; written by the operator alone."""

    pods: Annotated[str, Meta(description="Pods that are ready, of those that are wanted.")] = ""
    apis: Annotated[int, Meta(description="How many APIs it serves.")]
    addresses: Annotated[tuple[str, ...], Meta(description="Where its Service is reached.")] = ()


class GatewaySecretStatus(Status, frozen=True):
    """What the operator found; written by the operator alone."""

    version: Annotated[
        str, Meta(description="Differs where the value differs: a salted digest, which tells nothing of it.")
    ] = ""
    since: Annotated[Time | None, Meta(description="Since when the operator knows this version.")] = None
    pods: Annotated[
        str,
        Meta(
            description="Of a provider's value, which pods alone read: how many have it of those that need "
            "it, such as 2/2, counted for each API that reads it."
        ),
    ] = ""


STATUSES: dict[str, type[Status]] = {
    "GatewayDeployment": GatewayStatus,
    "ApiDefinition": ApiStatus,
    "Plan": PlanStatus,
    "Subscription": SubscriptionStatus,
    "GatewaySecret": GatewaySecretStatus,
}
"""The status of each kind, by its name."""
