"""Finds policies by name: the modules of this package, and plug-ins by entry point."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points

import gateway_runtime.policies as package
from gateway_runtime.policies.base import PolicyType

ENTRY_POINT_GROUP = "penstock.policies"

_LOG = logging.getLogger(__name__)


@cache
def built_in_policies() -> dict[str, PolicyType]:
    """The policies of this package by name; a module is one where it has a `POLICY`."""
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        policy = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "POLICY", None)
        if isinstance(policy, PolicyType):
            found[policy.name] = policy
    return found


@cache
def plug_in_policies() -> dict[str, PolicyType]:
    """The policies of installed plug-ins by entry point name; broken ones are left out and logged."""
    found = {}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        policy = _load(entry)
        if policy is not None:
            found[entry.name] = policy
    return found


def _load(entry: EntryPoint) -> PolicyType | None:
    try:
        policy = entry.load()
    except Exception as error:  # a broken plug-in is the trouble of those who use it
        _LOG.warning("the plug-in policy %s (%s) cannot be loaded: %r", entry.name, entry.value, error)
        return None
    if not isinstance(policy, PolicyType):
        _LOG.warning("the plug-in policy %s (%s) is no PolicyType", entry.name, entry.value)
        return None
    return policy


def find_policy(name: str) -> PolicyType | None:
    """The policy of that name, built in or plugged in."""
    return built_in_policies().get(name) or plug_in_policies().get(name)
