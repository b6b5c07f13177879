"""What a build of the graph keeps for the next one, so that one change costs work for that one alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock_operator.graph.assembly import Assembled
    from penstock_operator.graph.items import Item


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Items by the key of their target, and the table that they were grouped from."""

    table: dict[str, Item] = field(default_factory=dict)
    groups: dict[str, list[Item]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Memo:
    """Results by the identity of their inputs; holds only what the last build used.

    `items` by the id() of their parsed resource (which they keep alive), `apis` by key, each with the
    tuple of items that it was made from; `plans` and `subscriptions` are grouped anew only where one changed.
    """

    items: dict[int, Item] = field(default_factory=dict)
    apis: dict[str, tuple[tuple[Item | None, ...], Assembled]] = field(default_factory=dict)
    plans: Groups = field(default_factory=Groups)
    subscriptions: Groups = field(default_factory=Groups)
