"""Flows to chains: which steps run for a request, decided at load wherever nothing depends on the request."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from gateway_runtime.exchange import Exchange
from gateway_runtime.policies.base import StepFunction
from gateway_runtime.snapshot.types import Flow

Steps = tuple[StepFunction, ...]


class Selection:
    """The steps of one request, for both phases."""

    __slots__ = ("request", "response")

    def __init__(self, request: Steps, response: Steps) -> None:
        self.request = request
        self.response = response


class CompiledFlow:
    """A flow's selectors and steps. `segments` is None where the flow is for all paths."""

    __slots__ = ("condition", "exact", "methods", "segments", "selection")

    def __init__(
        self, flow: Flow, selection: Selection, condition: Callable[[Exchange], bool] | None
    ) -> None:
        self.selection = selection
        self.condition = condition
        self.methods = frozenset(flow.methods) if flow.methods else None
        self.exact = flow.path.type == "Exact"
        segments = [segment for segment in flow.path.value.split("/") if segment]
        self.segments = segments if segments or self.exact else None

    def is_static(self) -> bool:
        """Whether the flow is for every request."""
        return self.segments is None and self.methods is None and self.condition is None

    def matches(self, exchange: Exchange) -> bool:
        """Whether the flow is for this request; sets its path parameters."""
        if self.methods is not None and exchange.request.method not in self.methods:
            return False
        if self.segments is not None and not self._matches_path(exchange):
            return False
        return self.condition is None or self.condition(exchange)

    def _matches_path(self, exchange: Exchange) -> bool:
        wanted = self.segments or []
        found = [segment for segment in exchange.request.api_path.split("/") if segment]
        if len(found) < len(wanted) or (self.exact and len(found) != len(wanted)):
            return False
        parameters: dict[str, str] = {}
        for index, segment in enumerate(wanted):
            if segment[0] == ":":
                parameters[segment[1:]] = unquote(found[index])
            elif segment != found[index]:
                return False
        if parameters:
            exchange.request.path_params = {**(exchange.request.path_params or {}), **parameters}
        return True


class Chain:
    """Levels of flows in order. `static` is their selection where no flow depends on the request."""

    __slots__ = ("levels", "static")

    def __init__(self, levels: list[list[CompiledFlow]]) -> None:
        self.levels = levels
        self.static: Selection | None = None
        if all(flow.is_static() for flows in levels for flow in flows):
            self.static = merge([[flow.selection for flow in flows] for flows in levels])

    def select(self, exchange: Exchange) -> Selection:
        """The steps for a request."""
        if self.static is not None:
            return self.static
        return merge([[flow.selection for flow in flows if flow.matches(exchange)] for flows in self.levels])


def merge(levels: list[list[Selection]]) -> Selection:
    """Several selections as one: requests pass the levels in order, responses in reverse."""
    request: list[StepFunction] = []
    response: list[StepFunction] = []
    for selections in levels:
        for selection in selections:
            request += selection.request
    for selections in reversed(levels):
        for selection in selections:
            response += selection.response
    return Selection(tuple(request), tuple(response))
