"""Tasks are ended, also those that miss that they are cancelled."""

import asyncio

from gateway_runtime.tasks import end_tasks


async def test_a_task_that_misses_a_cancellation_is_cancelled_again() -> None:
    missed = 0

    async def work() -> None:
        nonlocal missed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if missed == 2:
                    raise
                missed += 1

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end_tasks([task])
    assert (task.cancelled(), missed) == (True, 2)


async def test_what_a_task_raises_is_dropped() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert isinstance(task.exception(), ValueError)


async def test_no_task_is_ended_at_once() -> None:
    assert await asyncio.wait_for(end_tasks([]), 10) is None  # type: ignore[func-returns-value]
