"""SIGTERM under load: no request is lost, open responses are finished, the exit code is 0."""

import asyncio
import os
import select
import signal
import time

from running import PATIENCE, Backend, Connect, Load, Start, fetch, gateway, open_api


async def test_sigterm_under_load_loses_no_request(start: Start, backend: Backend, port: int) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port)).ready()
    load = Load(port, "/a").start(kept=8, fresh=24)
    await load.more(500)
    running.signal(signal.SIGTERM)
    await load.ended()
    assert await asyncio.to_thread(running.exit_code) == 0
    assert load.lost == []
    assert load.statuses().keys() == {200}
    assert load.refused == 32


async def test_a_response_that_has_not_begun_is_finished(start: Start, backend: Backend, port: int) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port)).ready()
    asked = asyncio.create_task(fetch(port, "/a/held"))
    await asyncio.to_thread(backend.holds)
    running.signal(signal.SIGTERM)
    await asyncio.to_thread(running.err.wait, "draining")
    backend.release()
    assert (await asked).body == b"ok"
    assert await asyncio.to_thread(running.exit_code) == 0


async def test_a_kept_connection_ends_with_the_response_that_was_under_way(
    start: Start, backend: Backend, connect: Connect, port: int
) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port)).ready()
    client = await connect(port)
    client.send("/a/half")
    await asyncio.to_thread(backend.holds)
    running.signal(signal.SIGTERM)
    await asyncio.to_thread(running.err.wait, "draining")
    begun = time.monotonic()
    backend.release()
    assert (await client.answer()).body == b"ok"
    assert await asyncio.to_thread(running.exit_code) == 0
    assert time.monotonic() - begun < 3.0


async def test_what_is_not_answered_within_the_drain_time_is_cut(
    start: Start, backend: Backend, connect: Connect, port: int
) -> None:
    timeouts = "  timeouts: {drain: 500ms}\n"
    running = start(gateway=gateway(port, more=timeouts), api=open_api("a", backend.port)).ready()
    client = await connect(port)
    client.send("/a/held")
    await asyncio.to_thread(backend.holds)
    running.signal(signal.SIGTERM)
    assert await asyncio.to_thread(running.exit_code) == 0
    assert await client.reader.read() == b""


async def test_a_second_sigterm_ends_at_once(
    start: Start, backend: Backend, connect: Connect, port: int
) -> None:
    running = start(gateway=gateway(port), api=open_api("a", backend.port)).ready()
    client = await connect(port)
    client.send("/a/held")
    await asyncio.to_thread(backend.holds)
    running.signal(signal.SIGTERM)
    await asyncio.to_thread(running.err.wait, "draining")
    running.signal(signal.SIGTERM)
    assert await asyncio.to_thread(running.exit_code) == 0


async def test_readiness_fails_before_the_listeners_close(start: Start, backend: Backend, port: int) -> None:
    running = start("--drain-delay", "0.5", gateway=gateway(port), api=open_api("a", backend.port)).ready()
    running.signal(signal.SIGTERM)
    await asyncio.to_thread(running.err.wait, "draining")
    assert (await fetch(running.admin, "/readyz")).status == 503
    assert (await fetch(port, "/a")).status == 200
    assert await asyncio.to_thread(running.exit_code) == 0


async def test_workers_whose_supervisor_is_killed_drain_and_exit(
    start: Start, backend: Backend, port: int
) -> None:
    timeouts = "  timeouts: {drain: 1s}\n"
    running = start(gateway=gateway(port, more=timeouts), api=open_api("a", backend.port)).ready()
    workers = [os.pidfd_open(pid) for pid in running.workers()]
    answered = asyncio.create_task(fetch(port, "/a/held"))
    await asyncio.to_thread(backend.holds)
    running.signal(signal.SIGKILL)
    await asyncio.to_thread(running.err.wait, "the supervisor is gone", len(workers))
    backend.release()
    assert (await answered).body == b"ok"
    assert await asyncio.to_thread(all, map(ends, workers))


async def test_an_orphan_keeps_to_the_drain_time_of_its_configuration(
    start: Start, backend: Backend, connect: Connect, port: int
) -> None:
    timeouts = "  timeouts: {drain: 300ms}\n"
    running = start(gateway=gateway(port, more=timeouts), api=open_api("a", backend.port)).ready()
    client = await connect(port)
    client.send("/a/held")
    await asyncio.to_thread(backend.holds)
    running.signal(signal.SIGKILL)
    async with asyncio.timeout(5):
        assert await client.reader.read() == b""


def ends(process: int) -> bool:
    """Whether the process of a pidfd ends, whoever's child it is."""
    ended, _, _ = select.select([process], [], [], PATIENCE)
    os.close(process)
    return bool(ended)
