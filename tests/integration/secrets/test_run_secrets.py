"""`penstock run` with secrets of the environment, of files and of Vault, from manifests alone."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from vault_world import VaultWorld

sys.path.append(str(Path(__file__).parents[1] / "processes"))
from running import Running, fetch, free_ports, save

GATEWAY = """
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {{name: edge}}
spec:
  workers: 1
  listeners: [{{name: http, port: {port}, address: 127.0.0.1}}]
  secretProviders:
  - {{name: own, env: {{prefix: SHOP_}}, allow: [{{namespaces: ["*"], paths: ["*"]}}]}}
  - {{name: local, file: {{folder: "{folder}"}}, allow: [{{namespaces: ["*"], paths: ["*"]}}]}}
  - name: main
    vault:
      address: "{address}"
      ca: {ca!r}
      refreshInterval: 1s
      auth: {{token: {{secretRef: {{name: login, key: token}}}}}}
    allow: [{{namespaces: ["*"], paths: ["kv/shop/*"]}}]
"""
API = """
---
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {{name: {name}}}
spec:
  listeners: [{{http: {{path: /{name}}}}}]
  endpointGroups: [{{name: d, endpoints: [{{name: e, url: "http://127.0.0.1:9"}}]}}]
  flows: [{{request: [{{mock: {{body: "{{#secrets.get('{place}')}}"}}}}]}}]
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {{name: {name}}}
spec: {{apiRef: {{name: {name}}}, security: {{keyless: {{}}}}}}
"""
LOGIN = """
---
apiVersion: v1
kind: Secret
metadata: {{name: login}}
data: {{token: {token}}}
"""


@pytest.fixture
def run(vault: VaultWorld, tmp_path: Path) -> Iterator[Callable[..., tuple[Running, int, Path]]]:
    """Runs APIs that answer with a secret each, given by name and place; gives the folder of files too."""
    running: list[Running] = []

    def start(**places: str) -> tuple[Running, int, Path]:
        manifests, files = tmp_path / "manifests", tmp_path / "files"
        manifests.mkdir()
        files.mkdir(exist_ok=True)
        (port,) = free_ports(1)
        gateway = (
            GATEWAY.format(port=port, folder=files, address=vault.server.address, ca=vault.ca.certificate)
            .replace("'-----", '"-----')
            .replace("-----\\n'", '-----\\n"')
        )
        login = LOGIN.format(token=base64.b64encode(vault.token().encode()).decode())
        apis = [API.format(name=name, place=place) for name, place in places.items()]
        save(manifests / "all.yaml", gateway + login + "".join(apis))
        running.append(Running(manifests))
        return running[-1].ready(), port, files

    yield start
    for one in running:
        one.stop()


async def body(port: int, name: str) -> tuple[int, str]:
    answer = await fetch(port, f"/{name}")
    return answer.status, answer.body.decode()


async def until(port: int, name: str, expected: tuple[int, str]) -> None:
    for _ in range(1000):
        if await body(port, name) == expected:
            return
    raise AssertionError(await body(port, name))


async def test_each_provider_gives_its_values_from_the_first_request_on(
    run: Callable[..., tuple[Running, int, Path]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "of-the-environment")
    (tmp_path / "files" / "team").mkdir(parents=True)
    (tmp_path / "files" / "team" / "plain.txt").write_text("of-a-file\n")
    (tmp_path / "files" / "team" / "db.json").write_text('{"password": "of-a-member", "port": 5432}')
    _, port, _ = run(
        a="/own/TOKEN",
        b="/local/team/plain.txt",
        c="/local/team/db.json:password",
        d="/main/kv/shop/orders:token",
    )
    assert await body(port, "a") == (200, "of-the-environment")
    assert await body(port, "b") == (200, "of-a-file")
    assert await body(port, "c") == (200, "of-a-member")
    assert await body(port, "d") == (200, "value-1")


async def test_a_file_that_changes_is_followed(
    run: Callable[..., tuple[Running, int, Path]], tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "token").write_text("one")
    _, port, files = run(a="/local/token")
    assert await body(port, "a") == (200, "one")
    save(files / "token", "two")
    await until(port, "a", (200, "two"))


async def test_what_is_missing_takes_its_api_alone_out_and_is_told(
    run: Callable[..., tuple[Running, int, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "of-the-environment")
    process, port, _ = run(a="/own/TOKEN", b="/own/NONE", c="/local/none.txt")
    assert await body(port, "a") == (200, "of-the-environment")
    assert (await body(port, "b"))[0] == (await body(port, "c"))[0] == 503
    process.err.wait("default/b: environment variable SHOP_NONE: it is not there")
    process.err.wait("default/c: file none.txt of local: it is not there")
