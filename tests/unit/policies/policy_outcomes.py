"""What steps answer."""

from __future__ import annotations

import asyncio

from gateway_runtime.exchange import Exchange, Reply
from gateway_runtime.policies.base import StepFunction


def outcome(step: StepFunction, exchange: Exchange) -> Reply | None:
    """What a step answers, once it has waited for what it needs."""
    found = step(exchange)
    if found is None or isinstance(found, Reply):
        return found

    async def waited() -> Reply | None:
        return await found

    return asyncio.run(waited())


def refusal(step: StepFunction, exchange: Exchange) -> tuple[int, str] | None:
    """Status and error key of a refusal; None where the step lets the exchange pass."""
    reply = outcome(step, exchange)
    return None if reply is None else (reply.status, reply.key)


def passed(step: StepFunction, exchange: Exchange) -> bool:
    """Whether the step lets the exchange pass."""
    return outcome(step, exchange) is None
