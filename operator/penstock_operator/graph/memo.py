"""What a build of the graph keeps for the next one, so that one change costs work for that one alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock_operator.graph.scram import ScramMemo

if TYPE_CHECKING:
    from penstock_operator.graph.assembly import Assembled
    from penstock_operator.graph.gateways import Variant
    from penstock_operator.graph.items import Item
    from penstock_operator.graph.linking import Links
    from penstock_operator.resources.service import Service, Services


@dataclass(slots=True, eq=False)
class Memo:
    """Results by the identity of their inputs; holds only what the last build used.

    `items` by the id() of their parsed resource (which they keep alive), `links` of these items, `apis` by
    key, each with the tuple of items that it was made from; `variants` by gateway and then by API,
    `scram` what is derived from API keys.
    """

    items: dict[int, Item] = field(default_factory=dict)
    links: Links | None = None
    services: Services | None = None
    apis: dict[str, tuple[tuple[Item | Service | None, ...], Assembled]] = field(default_factory=dict)
    variants: dict[str, dict[str, Variant]] = field(default_factory=dict)
    scram: ScramMemo = field(default_factory=ScramMemo)
