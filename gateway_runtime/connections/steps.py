"""The policy steps of one exchange, run in order; only a step that waits makes a task.

The request phase takes them stage by stage (platform, plan, API), the response phase in one run.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from gateway_runtime.connections.bodies import BodyTooLargeError
from gateway_runtime.errors import error_reply
from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import Outcome, StepFunction
from gateway_runtime.program.api import DONE, ApiProgram
from gateway_runtime.protocols.http1.request import RequestHead
from gateway_runtime.protocols.http1.response import ResponseHead

if TYPE_CHECKING:
    from gateway_runtime.connections.client import ClientConnection

_LOG: Final = logging.getLogger(__name__)

POLICIES: Final = 0
CONNECTING: Final = 1
WAITING: Final = 2
RESPONDING: Final = 3
ENDED: Final = 4


class PolicyRun:
    """Where an exchange is among its steps."""

    __slots__ = (
        "_index",
        "_response",
        "_response_steps",
        "_stage",
        "_steps",
        "_task",
        "api",
        "client",
        "exchange",
        "head",
        "phase",
    )

    def __init__(self, client: ClientConnection, head: RequestHead) -> None:
        self.client = client
        self.head = head
        self.phase: int = POLICIES
        self.api: ApiProgram | None = None
        self.exchange: Exchange | None = None
        self._stage: int = DONE
        self._steps: tuple[StepFunction, ...] = ()
        self._index: int = 0
        self._response_steps: tuple[StepFunction, ...] = ()
        self._response: ResponseHead | None = None
        self._task: asyncio.Task[None] | None = None

    def _enter_stage(self) -> None:
        api, exchange = self.api, self.exchange
        if api is None or exchange is None:
            return
        selection = api.stage(self._stage, exchange)
        self._stage = self._stage + 1
        self._steps = selection.request
        self._index = 0
        if selection.response:
            self._response_steps = selection.response + self._response_steps

    def _run_steps(self) -> bool:
        """Run steps until all are through; False where one has answered or waits."""
        exchange = self.exchange
        if exchange is None:
            return False
        while True:
            steps = self._steps
            while self._index < len(steps):
                step = steps[self._index]
                self._index = self._index + 1
                outcome = step(exchange)
                if outcome is not None:
                    self._take_outcome(outcome)
                    return False
            if self._stage == DONE:
                return True
            self._enter_stage()

    def _take_outcome(self, outcome: Outcome) -> None:
        if isinstance(outcome, Reply):
            self._answer(outcome)
        elif outcome is not None:
            self._task = self.client.gateway.loop.create_task(self._wait(outcome))

    async def _wait(self, outcome: object) -> None:
        """Wait for a step, then go on where the phase was."""
        try:
            self._go_on(await outcome)  # type: ignore[misc]
        except BodyTooLargeError as too_large:  # names differ: mypyc gives one name one type
            self._too_large(too_large)
        except Exception as error:  # a policy's failure is this request's trouble alone
            self._policy_failed(error)

    def _go_on(self, reply: Reply | None) -> None:
        """Answer with what a step has said, or take the next."""
        if self.phase == ENDED:
            return
        if isinstance(reply, Reply):
            self._answer(reply)
        elif self._response is None:
            self._run()
        else:
            self._run_response()

    def _too_large(self, error: BodyTooLargeError) -> None:
        if self._response is None:
            self._answer(error_reply("REQUEST_BODY_TOO_LARGE", str(error)))
        else:
            self._answer(error_reply("UPSTREAM_RESPONSE_INVALID", str(error)))

    def _policy_failed(self, error: Exception) -> None:
        if self.phase == ENDED:
            return
        key = "-" if self.api is None else self.api.key
        _LOG.warning("a policy of %s failed: %s: %s", key, type(error).__name__, error)
        self._fail("GATEWAY_POLICY_FAILED")

    def _run(self) -> None:
        """Go on with the request phase."""
        raise NotImplementedError

    def _run_response(self) -> None:
        """Go on with the response phase."""
        raise NotImplementedError

    def _answer(self, reply: Reply) -> None:
        """Answer in place of the backend."""
        raise NotImplementedError

    def _fail(self, key: str) -> None:
        """Answer with one of the gateway's own errors."""
        self._answer(error_reply(key))
