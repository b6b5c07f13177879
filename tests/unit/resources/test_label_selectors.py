"""Label selectors match as those of Kubernetes do."""

from typing import Any

import pytest
from pydantic import ValidationError

from penstock_operator.resources.selectors import LabelSelector

SHOP = {"team": "shop", "tier": "web"}


def selector(*expressions: dict[str, Any], **labels: str) -> LabelSelector:
    return LabelSelector.model_validate({"matchLabels": labels, "matchExpressions": expressions})


@pytest.mark.parametrize(
    ("chosen", "matches"),
    [
        (selector(), True),
        (selector(team="shop"), True),
        (selector(team="bank"), False),
        (selector(missing="shop"), False),
        (selector(team="shop", tier="db"), False),
        (selector({"key": "team", "operator": "In", "values": ["bank", "shop"]}), True),
        (selector({"key": "team", "operator": "In", "values": ["bank"]}), False),
        (selector({"key": "missing", "operator": "In", "values": ["bank"]}), False),
        (selector({"key": "team", "operator": "NotIn", "values": ["bank"]}), True),
        (selector({"key": "team", "operator": "NotIn", "values": ["shop"]}), False),
        (selector({"key": "missing", "operator": "NotIn", "values": ["shop"]}), True),
        (selector({"key": "team", "operator": "Exists"}), True),
        (selector({"key": "missing", "operator": "Exists"}), False),
        (selector({"key": "team", "operator": "DoesNotExist"}), False),
        (selector({"key": "missing", "operator": "DoesNotExist"}), True),
        (selector({"key": "missing", "operator": "Exists"}, team="shop"), False),
    ],
)
def test_a_selector_matches_where_all_of_it_holds(chosen: LabelSelector, matches: bool) -> None:
    assert chosen.matches(SHOP) is matches


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "team", "operator": "In"},
        {"key": "team", "operator": "NotIn", "values": []},
        {"key": "team", "operator": "Exists", "values": ["shop"]},
        {"key": "team", "operator": "Is", "values": ["shop"]},
        {"key": "a/b/c", "operator": "Exists"},
        {"key": "team", "operator": "In", "values": ["a b"]},
        {"key": "x" * 64, "operator": "Exists"},
    ],
)
def test_a_requirement_that_kubernetes_refuses_is_refused(expression: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        selector(expression)
