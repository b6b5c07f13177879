"""Checks the error keys that an API's response templates are for."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_runtime.policies.error_keys import known_error_keys
from penstock_operator.graph.types import Finding
from penstock_operator.resources.api_definition import ApiDefinition
from penstock_operator.resources.explain import nearest

DEFAULT = "DEFAULT"


def unknown_error_keys(api: ApiDefinition) -> Iterator[Finding]:
    """Response templates whose key no gateway error has."""
    known = known_error_keys() | {DEFAULT} if api.spec.response_templates else frozenset()
    for key in api.spec.response_templates:
        if key not in known:
            message = f"no gateway error has the key `{key}`{nearest(key, known)}"
            yield Finding("UnknownErrorKey", message, ("spec", "responseTemplates", key))
