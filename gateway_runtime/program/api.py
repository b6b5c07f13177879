"""One API, compiled to what runs for each of its requests."""

from __future__ import annotations

from gateway_runtime.exchange import ApiInfo, Exchange
from gateway_runtime.policies.base import StepFunction
from gateway_runtime.program.endpoints import EndpointGroupProgram
from gateway_runtime.program.flows import Chain, Selection
from gateway_runtime.program.templates import Templates
from gateway_runtime.stats import ApiStats

PLATFORM = 0
ADMISSION = 1
PLAN = 2
DONE = 3

_NOTHING = Selection((), ())


class ApiProgram:
    """What one API runs. `error` is set where it could not be compiled: it then answers 503.

    `static` holds the steps of all stages at once, where no stage depends on the request.
    """

    __slots__ = ("access_log", "admission", "chains", "default_group", "error", "groups", "info", "key",
                 "platform", "static", "stats", "templates")  # fmt: skip

    def __init__(self, key: str, info: ApiInfo, stats: ApiStats) -> None:
        self.key = key
        self.info = info
        self.stats = stats
        self.error: str = ""
        self.access_log: bool = False
        self.platform: Chain = Chain([])
        self.admission: StepFunction | None = None
        self.chains: dict[str, Chain] = {}
        self.groups: dict[str, EndpointGroupProgram] = {}
        self.default_group: EndpointGroupProgram | None = None
        self.templates: Templates = {}
        self.static: Selection | None = None

    def settle(self) -> None:
        """Join the stages where they are the same for every request."""
        chains = list(self.chains.values())
        platform = self.platform.static
        if platform is None or len(chains) != 1 or chains[0].static is None:
            return
        admission = () if self.admission is None else (self.admission,)
        plan = chains[0].static
        self.static = Selection(
            platform.request + admission + plan.request, plan.response + platform.response
        )

    def stage(self, number: int, exchange: Exchange) -> Selection:
        """The steps of one stage; `PLATFORM`, `ADMISSION`, `PLAN`."""
        if number == PLATFORM:
            return self.platform.select(exchange)
        if number == ADMISSION:
            return _NOTHING if self.admission is None else Selection((self.admission,), ())
        chain = self.chains.get(exchange.plan)
        return _NOTHING if chain is None else chain.select(exchange)

    def group(self, exchange: Exchange) -> EndpointGroupProgram | None:
        """The endpoint group that the attribute `endpointGroup` names, else the first."""
        if exchange._attributes is None:
            return self.default_group
        name = exchange._attributes.get("endpointGroup")
        return self.default_group if name is None else self.groups.get(str(name))
