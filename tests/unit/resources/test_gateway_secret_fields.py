"""What the fields of a GatewaySecret must be to each other."""

from typing import Any

import pytest
from pydantic import ValidationError

from penstock_operator.resources.gateway_secret import GatewaySecretSpec

VAULT = {"path": "kv/orders", "key": "token"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"source": {}}, "exactly one of `kubernetes`, `vault`, `env`, `file` is needed"),
        ({"source": {"vault": VAULT, "env": {"variable": "A"}}}, "found `vault` and `env`"),
        ({"source": {"vault": {**VAULT, "path": "kv/../orders"}}}, "pattern"),
        ({"source": {"vault": {**VAULT, "path": "/kv/orders"}}}, "pattern"),
        ({"source": {"vault": {**VAULT, "key": "a:b"}}}, "pattern"),
        ({"source": {"env": {"variable": "A-B"}}}, "pattern"),
        ({"source": {"file": {"path": "../passwd"}}}, "pattern"),
        (
            {"source": {"env": {"variable": "A"}}, "refreshInterval": "1m"},
            "refreshInterval goes with source.vault",
        ),
        ({"source": {"vault": VAULT}, "refreshInterval": "0s"}, "greater than 0"),
    ],
)
def test_fields_that_do_not_fit_are_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GatewaySecretSpec.model_validate(spec)


@pytest.mark.parametrize(
    "source",
    [
        {"kubernetes": {"name": "a", "key": "b"}},
        {"vault": VAULT},
        {"vault": {**VAULT, "provider": "eu"}},
        {"env": {"provider": "variables", "variable": "A"}},
        {"file": {"provider": "mounted", "path": "a/b.json", "key": "c"}},
    ],
)
def test_fields_that_fit_are_taken(source: dict[str, Any]) -> None:
    assert GatewaySecretSpec.model_validate({"source": source}).source.given() == list(source)
