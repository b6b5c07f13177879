"""What a step may use while it compiles, on top of the expressions and counters of one worker."""

from __future__ import annotations

from collections.abc import Callable

from gateway_runtime.exchange import Exchange
from gateway_runtime.expressions.compile import compile_condition, compile_template
from gateway_runtime.policies.base import Counter, Template


class StepEnvironment:
    """The surroundings of one step; see `gateway_runtime.policies.base.Environment`."""

    __slots__ = ("_counter", "_secrets", "scope")

    def __init__(self, scope: str, secrets: Callable[[str], str], counter: Counter) -> None:
        self.scope = scope
        self._secrets = secrets
        self._counter = counter

    def template(self, text: str) -> Template:
        """Compile a string that may hold expressions; raises ExpressionError for a broken one."""
        return compile_template(text, self._secrets)

    def condition(self, text: str) -> Callable[[Exchange], bool]:
        """Compile one expression, taken as a truth value; raises ExpressionError for a broken one."""
        return compile_condition(text, self._secrets)

    def counter(self) -> Counter:
        """The counters of this process group."""
        return self._counter
