"""Turns a revision and what is in the cluster now into the writes of a rollback.

Specs become what the revision holds, whole: what was added since is gone, metadata stay. Plans that the
revision has and the cluster has not are made again. Plans that came later are deleted, for each is a way in
that the revision did not have; where one has subscriptions, the user has to say so, as their clients would be
refused. Subscriptions are never touched: they belong to those who subscribed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from penstock_operator.history.revisions import (
    Content,
    content_in,
    content_of,
    number_of,
    resources_of,
)
from penstock_operator.resources.kube import KubeObject

LaterPlans = Literal["delete", "keep"]


class RollbackError(Exception):
    """Why a rollback is not done; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is in the cluster: the API, all plans of its namespace, and its subscriptions by plan."""

    api: KubeObject
    all_plans: tuple[KubeObject, ...]
    subscriptions: Mapping[str, tuple[str, ...]]

    @property
    def plans(self) -> tuple[KubeObject, ...]:
        """The plans of the API."""
        name = self.api["metadata"]["name"]
        return tuple(plan for plan in self.all_plans if plan["spec"]["apiRef"]["name"] == name)

    @property
    def content(self) -> Content:
        """What a revision of it would keep."""
        return content_of(self.api, self.plans)


@dataclass(frozen=True, slots=True)
class Operation:
    """One write; a replaced resource has the resourceVersion that it was read with."""

    action: Literal["create", "replace", "delete"]
    resource: KubeObject


def choose(revisions: Iterable[KubeObject], live: Live, number: int | None) -> KubeObject:
    """The revision of a number; without one, the newest that differs from what is there now.

    Raises RollbackError where there is none.
    """
    ordered = sorted(revisions, key=number_of, reverse=True)
    known = ", ".join(str(number_of(revision)) for revision in reversed(ordered)) or "none"
    for revision in ordered:
        if number_of(revision) == number or (number is None and content_in(revision) != live.content):
            return revision
    if number is None:
        raise RollbackError(f"no revision differs from what is there now; revisions: {known}")
    raise RollbackError(f"there is no revision {number}; revisions: {known}")


def plan_rollback(revision: KubeObject, live: Live, later: LaterPlans | None = None) -> tuple[Operation, ...]:
    """The writes that bring a revision back; what is as it was is not written.

    Deletions come first: what is stopped half-way lets nobody in by a way that the revision did not have.
    Raises RollbackError where plans that came later have subscriptions and `later` does not say what to do,
    or where a plan's name is taken by another API.
    """
    wanted = resources_of(revision)
    there = {plan["metadata"]["name"]: plan for plan in live.all_plans}
    names = {resource["metadata"]["name"] for resource in wanted[1:]}
    _check_names(names, there, live)
    gone = [plan for plan in live.plans if plan["metadata"]["name"] not in names]
    if later is None:
        _check_subscriptions(gone, live)
    operations = [] if later == "keep" else [Operation("delete", plan) for plan in gone]
    operations += _restored(live.api, wanted[0])
    for plan in wanted[1:]:
        operations += _restored(there.get(plan["metadata"]["name"]), plan)
    return tuple(operations)


def _restored(live: KubeObject | None, wanted: KubeObject) -> list[Operation]:
    if live is None:
        return [Operation("create", wanted)]
    if live["spec"] == wanted["spec"]:
        return []
    return [Operation("replace", {**live, "spec": wanted["spec"]})]


def _check_names(names: set[str], there: Mapping[str, KubeObject], live: Live) -> None:
    own = {plan["metadata"]["name"] for plan in live.plans}
    for name in sorted((names & there.keys()) - own):
        other = there[name]["spec"]["apiRef"]["name"]
        raise RollbackError(f"the Plan {name} of that revision belongs to the ApiDefinition {other} now")


def _check_subscriptions(plans: Iterable[KubeObject], live: Live) -> None:
    for plan in plans:
        name = plan["metadata"]["name"]
        subscriptions = live.subscriptions.get(name, ())
        if subscriptions:
            shown = ", ".join(subscriptions[:3]) + (", ..." if len(subscriptions) > 3 else "")
            message = (
                f"the Plan {name} came after that revision and has subscriptions ({shown}): "
                "--later-plans=keep leaves it, --later-plans=delete refuses their clients"
            )
            raise RollbackError(message)
