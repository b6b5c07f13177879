"""What stops a start: ports that are taken, a folder that serves nothing."""

import asyncio
import socket
from pathlib import Path

from running import Start, gateway, open_api, save


def test_a_listener_port_in_use_is_told_and_ends_the_start(start: Start, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        running = start(gateway=gateway(port), api=open_api("a", 1))
        assert running.exit_code() == 1
    said = running.err.join()
    assert said == [f"listener at-{port}: cannot bind 127.0.0.1:{port}: Address already in use"]


def test_a_port_of_another_gateway_is_in_use(start: Start, port: int) -> None:
    start(gateway=gateway(port), api=open_api("a", 1)).ready()
    second = start()
    assert second.exit_code() == 1
    assert "Address already in use" in second.err.join()[0]


def test_an_admin_port_in_use_is_told_and_ends_the_start(start: Start, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin = f"127.0.0.1:{taken.getsockname()[1]}"
        running = start("--admin", admin, gateway=gateway(port), api=open_api("a", 1))
        assert running.exit_code() == 1
    (said,) = running.err.join()
    assert said.startswith(f"penstock: the admin server cannot listen on {admin}: ")
    assert "address already in use" in said


def test_a_broken_gateway_serves_nothing_and_ends_the_start(start: Start) -> None:
    running = start(
        gateway="apiVersion: penstock.dev/v1alpha1\nkind: GatewayDeployment\nmetadata: {nme: a}\n"
    )
    assert running.exit_code() == 1
    said = running.err.join()
    assert "gateway.yaml:3" in said[0]
    assert not any("serving" in line for line in said)


async def test_an_added_listener_whose_port_is_taken_is_served_once_it_is_free(
    start: Start, tmp_path: Path, port: int
) -> None:
    running = start(gateway=gateway(port), api=open_api("a", 1)).ready()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        added = taken.getsockname()[1]
        save(tmp_path / "gateway.yaml", gateway(port, added))
        await asyncio.to_thread(running.err.wait, f"cannot bind 127.0.0.1:{added}: Address already in use")
    await asyncio.to_thread(running.err.wait, f"bound to 127.0.0.1:{added}")
    _, writer = await asyncio.open_connection("127.0.0.1", added)
    writer.close()
    await writer.wait_closed()
