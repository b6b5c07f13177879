"""Label selectors of Kubernetes: their fields, and whether they match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gateway_runtime.policies.fields import StrictModel
from penstock_operator.resources.meta import Rules

LabelKey = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
        max_length=317,
    ),
]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=64)]
"""Labels of an object."""

Annotations = Annotated[dict[LabelKey, str], Field(max_length=64)]
"""Annotations of an object."""


class LabelRequirement(StrictModel):
    """What one label must be."""

    rules: ClassVar[Rules] = (
        (
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
            "In and NotIn need values, Exists and DoesNotExist have none",
        ),
    )

    key: Annotated[LabelKey, Field(description="The label.")]
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist"],
        Field(description="NotIn and DoesNotExist hold where the label is missing, too."),
    ]
    values: Annotated[
        tuple[LabelValue, ...],
        Field(strict=False, max_length=64, description="The values of In and NotIn."),
    ] = ()

    @model_validator(mode="after")
    def _values_as_the_operator_needs(self) -> LabelRequirement:
        if (self.operator in ("In", "NotIn")) != bool(self.values):
            raise ValueError(self.rules[0][1])
        return self

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels


class LabelSelector(StrictModel):
    """Chooses objects by their labels; all requirements must hold, and an empty one chooses all."""

    match_labels: Annotated[Labels, Field(description="Labels with just these values.")] = Field(
        default_factory=dict
    )
    match_expressions: Annotated[
        tuple[LabelRequirement, ...], Field(strict=False, max_length=32, description="More requirements.")
    ] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it chooses an object with these labels."""
        return all(labels.get(key) == value for key, value in self.match_labels.items()) and all(
            requirement.holds(labels) for requirement in self.match_expressions
        )

    def keys(self) -> frozenset[str]:
        """The labels that it looks at."""
        return frozenset((*self.match_labels, *(one.key for one in self.match_expressions)))
