"""The source of a GatewaySecret -> the provider that gives its value."""

from __future__ import annotations

from typing import Any

import pytest

from penstock_operator.graph.secret_names import entry_of
from penstock_operator.resources.gateway_secret import GatewaySecret

SOURCES: dict[str, dict[str, Any]] = {
    "vault": {"path": "kv/orders", "key": "token"},
    "env": {"variable": "TOKEN"},
    "file": {"path": "orders/token"},
}


def provider_of(source: dict[str, Any]) -> str:
    data = {"kind": "GatewaySecret", "metadata": {"name": "token"}, "spec": {"source": source}}
    entry = entry_of(GatewaySecret.model_validate(data, context={"manifest": True}).spec.source)
    assert entry is not None
    return entry.provider


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_names_its_provider_or_means_the_one_of_its_type(kind: str) -> None:
    named = {**SOURCES[kind], "provider": "team"}
    assert provider_of({kind: named}) == "team"
    assert provider_of({kind: SOURCES[kind]}) == kind
