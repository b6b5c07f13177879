"""An edit takes over while requests are served: none fails, none is served by two configurations."""

import asyncio
import signal
from pathlib import Path

from running import Backend, Connect, Load, Start, fetch, free_ports, gateway, open_api, save

REVISION = """  flows:
  - request: [{{mock: {{status: 200, headers: {{X-Begin: "{0}"}}, body: "{0}"}}}}]
    response: [{{transformHeaders: {{set: {{X-End: "{0}"}}}}}}]
"""


def revision(number: int, backend: int = 1) -> str:
    """An API whose every part tells its revision."""
    return open_api("a", backend, REVISION.format(number))


async def test_each_response_under_reloads_belongs_to_one_revision(
    start: Start, tmp_path: Path, port: int
) -> None:
    start(gateway=gateway(port), api=revision(0)).ready()
    load = Load(port, "/a").start(kept=6, fresh=6)
    for number in range(1, 31):
        save(tmp_path / "api.yaml", revision(number))
        await load.more(300)  # some tens of milliseconds: saves that come faster become one reload
    async with asyncio.timeout(10):
        while load.answers[-1].body != b"30":
            await load.more(1)
    await load.stop()
    assert load.lost == []
    assert load.refused == 0
    assert load.statuses().keys() == {200}
    seen = {(one.headers["x-begin"], one.headers["x-end"], one.body.decode()) for one in load.answers}
    assert all(begin == end == body for begin, end, body in seen)
    assert len(seen) > 5


async def test_a_response_under_way_keeps_its_revision(
    start: Start, backend: Backend, tmp_path: Path, port: int
) -> None:
    flow = "  flows: [{{response: [{{transformHeaders: {{set: {{X-Revision: '{0}'}}}}}}]}}]\n"
    running = start(gateway=gateway(port), api=open_api("a", backend.port, flow.format(1))).ready()
    slow = asyncio.create_task(fetch(port, "/a/held"))
    await asyncio.to_thread(backend.holds)
    save(tmp_path / "api.yaml", open_api("a", backend.port, flow.format(2)))
    await asyncio.to_thread(running.err.wait, "serving", 2)
    async with asyncio.timeout(10):
        while (await fetch(port, "/a")).headers["x-revision"] != "2":
            pass
    backend.release()
    assert (await slow).headers["x-revision"] == "1"


async def test_a_broken_edit_is_told_with_its_line_and_the_last_good_one_serves_on(
    start: Start, tmp_path: Path, port: int
) -> None:
    running = start(gateway=gateway(port), api=revision(1)).ready()
    broken = revision(2).replace("mock:", "mokc:")
    save(tmp_path / "api.yaml", broken)
    line = 1 + next(number for number, text in enumerate(broken.splitlines()) if "mokc" in text)
    said = await asyncio.to_thread(running.err.wait, f"api.yaml:{line}")
    assert "did you mean `mock`" in said
    await asyncio.to_thread(running.err.wait, "serving 1 APIs", 2)
    assert (await fetch(port, "/a")).body == b"1"
    save(tmp_path / "api.yaml", revision(3))
    await asyncio.to_thread(running.err.wait, "serving 1 APIs", 3)
    await asyncio.to_thread(running.ready)
    async with asyncio.timeout(10):
        while (await fetch(port, "/a")).body != b"3":
            pass


async def test_a_listener_that_is_added_is_served_and_a_removed_one_closed(
    start: Start, tmp_path: Path, connect: Connect, port: int
) -> None:
    running = start(gateway=gateway(port), api=revision(1)).ready()
    kept = Load(port, "/a").start(kept=2, fresh=2)
    (added,) = free_ports(1)
    save(tmp_path / "gateway.yaml", gateway(port, added))
    await asyncio.to_thread(running.err.wait, f"127.0.0.1:{added}")
    client = await connect(added)
    assert (await client.get("/a")).body == b"1"
    save(tmp_path / "gateway.yaml", gateway(port))
    await asyncio.to_thread(running.err.wait, "serving", 3)
    async with asyncio.timeout(10):
        while await accepts(added):
            pass
    assert (await client.get("/a")).body == b"1"
    await kept.stop()
    assert (kept.lost, kept.refused) == ([], 0)


async def test_removing_a_listener_under_load_loses_no_request(
    start: Start, tmp_path: Path, port: int
) -> None:
    (other,) = free_ports(1)
    start(gateway=gateway(port, other), api=revision(1)).ready()
    load = Load(other, "/a").start(kept=0, fresh=24)
    await load.more(300)
    save(tmp_path / "gateway.yaml", gateway(port))
    await load.ended()
    assert load.lost == []
    assert load.refused == 24


async def test_sighup_has_the_folder_read_again(start: Start, port: int) -> None:
    running = start(gateway=gateway(port), api=revision(1)).ready()
    running.signal(signal.SIGHUP)
    await asyncio.to_thread(running.err.wait, "serving 1 APIs", 2)
    assert (await fetch(port, "/a")).body == b"1"


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
