"""A folder of manifests becomes updates; broken edits leave the last good version in service."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from penstock_operator.standalone import folder as folder_module
from penstock_operator.standalone.folder import Folder
from penstock_operator.standalone.source import FolderSource, Update

API = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {{name: {name}}}
spec:
  listeners: [{{http: {{path: {path}}}}}]
  endpointGroups: [{{name: default, endpoints: [{{name: main, url: "http://{name}"}}]}}]
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {{name: {name}}}
spec: {{apiRef: {{name: {name}}}, security: {{keyless: {{}}}}}}
"""
GATEWAY = """
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {name: edge}
spec: {listeners: [{name: http, port: 9000}]}
"""


def api(name: str, path: str) -> str:
    return API.format(name=name, path=path)


def paths(update: Update) -> dict[str, str]:
    return {key: entry.section.routes[0].path for key, entry in update.snapshot.apis.items()}


def reasons(update: Update) -> set[str]:
    return {problem.reason for problem in update.problems}


@asynccontextmanager
async def watching(source: FolderSource) -> AsyncIterator[AsyncIterator[Update]]:
    source.load()
    updates = source.watch()
    try:
        yield updates
    finally:
        await updates.aclose()  # type: ignore[attr-defined]


async def following(updates: AsyncIterator[Update], path: Path, text: str) -> Update:
    """The update that follows when a file is replaced, as editors and deploy tools do."""
    waiting = asyncio.ensure_future(anext(updates))
    await asyncio.sleep(0)
    replacement = path.with_name(".replacement")
    replacement.write_text(text)
    replacement.rename(path)
    return await asyncio.wait_for(waiting, 10)


def test_a_folder_without_gateway_runs_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a"))
    update = FolderSource(tmp_path).load()
    assert [listener.port for listener in update.snapshot.gateway.listeners] == [8080]
    assert paths(update) == {"default/a": "/a"}
    assert update.problems == ()


def test_a_broken_gateway_is_not_replaced_by_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a"))
    for broken in ("{unknown: 1}", "{flows: [}", "{listeners: []}"):
        (tmp_path / "gateway.yaml").write_text(
            GATEWAY.replace("{listeners: [{name: http, port: 9000}]}", broken)
        )
        update = FolderSource(tmp_path).load()
        assert update.snapshot.apis == {}
        assert "GatewayBroken" in reasons(update)


def test_an_update_tells_how_many_workers_the_gateway_asks_for(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GATEWAY.replace("{listeners:", "{workers: 3, listeners:"))
    assert FolderSource(tmp_path).load().workers == 3


def test_one_of_several_gateways_must_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GATEWAY)
    (tmp_path / "b.yaml").write_text(GATEWAY.replace("edge", "other").replace("9000", "9001"))
    update = FolderSource(tmp_path).load()
    assert reasons(update) == {"GatewayAmbiguous"}
    assert "default/edge, default/other" in update.problems[0].message
    assert FolderSource(tmp_path, "other").load().snapshot.gateway.listeners[0].port == 9001
    assert FolderSource(tmp_path, "default/edge").load().snapshot.gateway.listeners[0].port == 9000
    assert reasons(FolderSource(tmp_path, "none").load()) == {"GatewayNotFound"}


def test_a_file_that_stops_parsing_keeps_its_last_good_resources(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(api("a", "/a"))
    source = FolderSource(tmp_path)
    source.load()
    for broken in ("spec: [", api("a", "/new").replace("listeners", "listener"), "kind: 1\n"):
        file.write_text(broken)
        update = source.load()
        assert paths(update) == {"default/a": "/a"}
        assert update.snapshot.apis["default/a"].section.plans
        assert update.problems
    file.write_text(api("a", "/new"))
    assert paths(source.load()) == {"default/a": "/new"}


def test_a_resource_that_breaks_in_the_graph_keeps_its_last_good_version(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a"))
    (tmp_path / "b.yaml").write_text(api("b", "/b"))
    source = FolderSource(tmp_path)
    source.load()
    (tmp_path / "b.yaml").write_text(api("b", "/a"))
    update = source.load()
    assert paths(update) == {"default/a": "/a", "default/b": "/b"}
    assert reasons(update) == {"RouteConflict"}
    (tmp_path / "b.yaml").write_text(api("b", "/c"))
    assert paths(source.load()) == {"default/a": "/a", "default/b": "/c"}


def test_a_version_that_was_never_good_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a//b"))
    source = FolderSource(tmp_path)
    assert paths(source.load()) == {}
    (tmp_path / "a.yaml").write_text(api("a", "/a/../b"))
    assert paths(source.load()) == {}


def test_a_deleted_resource_goes_away(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a"))
    (tmp_path / "b.yaml").write_text(api("b", "/b"))
    source = FolderSource(tmp_path)
    source.load()
    (tmp_path / "a.yaml").unlink()
    assert paths(source.load()) == {"default/b": "/b"}


def test_secret_values_travel_beside_the_snapshot(tmp_path: Path) -> None:
    value = "a-value-that-stays-in-memory"
    secret = (
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{k: {value}, other: x}}\n"
    )
    text = api("a", "/a").replace(
        '"http://a"', '"http://a", headers: {x: "{#secrets.get(\'/kubernetes/s:k\')}"}'
    )
    (tmp_path / "a.yaml").write_text(text + secret)
    update = FolderSource(tmp_path).load()
    assert update.problems == ()
    assert update.secrets == {"kubernetes/default/s:k": value}
    assert value not in repr(update.snapshot)


async def test_changed_new_and_deleted_files_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a"))
    async with watching(FolderSource(tmp_path)) as updates:
        assert paths(await following(updates, tmp_path / "a.yaml", api("a", "/b"))) == {"default/a": "/b"}
        (tmp_path / "deep").mkdir()
        update = await following(updates, tmp_path / "deep/c.yaml", api("c", "/c"))
        assert paths(update) == {"default/a": "/b", "default/c": "/c"}
        (tmp_path / "a.yaml").unlink()
        assert paths(await asyncio.wait_for(anext(updates), 10)) == {"default/c": "/c"}


async def test_a_change_between_load_and_watch_is_seen(tmp_path: Path) -> None:
    async with watching(FolderSource(tmp_path)) as updates:
        (tmp_path / "a.yaml").write_text(api("a", "/a"))
        assert paths(await asyncio.wait_for(anext(updates), 10)) == {"default/a": "/a"}


async def test_a_swapped_link_is_seen_as_config_map_mounts_do_it(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "a.yaml").write_text(api("a", f"/v{version}"))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    source = FolderSource(tmp_path)
    assert paths(source.load()) == {"default/a": "/v1"}
    async with watching(source) as updates:
        waiting = asyncio.ensure_future(anext(updates))
        await asyncio.sleep(0)
        (tmp_path / "..data_tmp").symlink_to("..2")
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")  # noqa: PTH105
        assert paths(await asyncio.wait_for(waiting, 10)) == {"default/a": "/v2"}


async def test_a_single_file_is_watched(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(api("a", "/a"))
    async with watching(FolderSource(file)) as updates:
        assert paths(await following(updates, file, api("a", "/b"))) == {"default/a": "/b"}


def test_a_file_that_another_replaces_is_all_that_is_looked_at(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.yaml").write_text(api("a", "/a"))
    folder = Folder(tmp_path)
    folder.scan()
    monkeypatch.setattr(folder_module, "manifest_files", None)  # nothing else is to be listed
    temporary, target = tmp_path / ".a.yaml.new", tmp_path / "a.yaml"
    temporary.write_text(target.read_text() + "# edited\n")
    temporary.replace(target)
    assert folder.refresh([temporary, target])


def test_a_folder_that_goes_takes_its_files_along(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.yaml").write_text(api("a", "/a"))
    folder = Folder(tmp_path)
    folder.scan()
    assert folder.resources()
    shutil.rmtree(tmp_path / "inner")
    assert folder.refresh([tmp_path / "inner"])
    assert not folder.resources()
