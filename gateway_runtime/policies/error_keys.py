"""The keys of all errors that a gateway can answer with: its own and those of its policies."""

from __future__ import annotations

from gateway_runtime.errors import ERRORS
from gateway_runtime.policies.registry import built_in_policies, plug_in_policies


def known_error_keys() -> frozenset[str]:
    """Every error key, for the check of response templates."""
    policies = (*built_in_policies().values(), *plug_in_policies().values())
    return frozenset(ERRORS).union(*(policy.errors for policy in policies))
