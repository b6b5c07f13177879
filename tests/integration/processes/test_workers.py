"""Workers that die are replaced; what they counted and what they limit is not lost."""

import asyncio
import os
import signal

from running import Backend, Load, Start, fetch, gateway, open_api

LIMITED = """  flows:
  - request: [{rateLimit: {limit: 100, period: 1m}}, {mock: {status: 200}}]
"""


async def test_a_killed_worker_is_replaced_and_nobody_is_refused(
    start: Start, backend: Backend, port: int
) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port)).ready()
    before = running.workers()
    load = Load(port, "/a").start(kept=8, fresh=8)
    await load.more(200)
    os.kill(before[0], signal.SIGKILL)
    await asyncio.to_thread(running.err.wait, "has died")
    await asyncio.to_thread(running.ready)
    await load.more(200)
    await load.stop()
    after = running.workers()
    assert load.refused == 0
    assert load.statuses().keys() == {200}
    # Each client had one request at most in the worker that was killed.
    assert len(load.lost) <= 16
    assert len(after) == 2
    assert before[0] not in after
    assert before[1] in after
    assert running.metric("penstock_worker_restarts_total") == 1


async def test_what_a_killed_worker_had_counted_stays_counted(
    start: Start, backend: Backend, port: int
) -> None:
    running = start("--workers", "1", gateway=gateway(port), api=open_api("a", backend.port)).ready()
    for _ in range(20):
        assert (await fetch(port, "/a")).status == 200
    # Workers say their counters each second, and nobody outside sees when; asking would be another test.
    await asyncio.sleep(1.2)
    os.kill(running.workers()[0], signal.SIGKILL)
    await asyncio.to_thread(running.err.wait, "has died")
    await asyncio.to_thread(running.ready)
    assert running.metric("penstock_http_requests_total", api="default/a") == 20
    assert (await fetch(port, "/a")).status == 200
    assert running.metric("penstock_http_requests_total", api="default/a") == 21


async def test_a_limit_is_exact_across_workers(start: Start, port: int) -> None:
    running = start("--workers", "3", gateway=gateway(port), api=open_api("a", 1, LIMITED)).ready()
    answers = await asyncio.gather(*(fetch(port, "/a") for _ in range(300)))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (100, 200)
    assert running.metric("penstock_http_errors_total", key="RATE_LIMIT_TOO_MANY_REQUESTS") == 200


async def test_a_limit_outlives_the_worker_that_counted(start: Start, port: int) -> None:
    running = start(gateway=gateway(port), api=open_api("a", 1, LIMITED)).ready()
    statuses = [(await fetch(port, "/a")).status for _ in range(60)]
    for pid in running.workers():
        os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(running.err.wait, "has died", 2)
    await asyncio.to_thread(running.ready)
    statuses += [(await fetch(port, "/a")).status for _ in range(60)]
    assert statuses.count(200) == 100


async def test_the_metrics_of_the_others_are_told_while_a_worker_hangs(
    start: Start, backend: Backend, port: int
) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port)).ready()
    hung = running.workers()[0]
    os.kill(hung, signal.SIGSTOP)
    try:
        status, text = await asyncio.to_thread(running.page, "/metrics")
    finally:
        os.kill(hung, signal.SIGCONT)
    assert status == 200
    assert "penstock_workers 2" in text
