"""`penstock secrets check`, run as a command on real folders."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock_operator.cli.secrets import secrets

GOLDEN = Path(__file__).parents[2] / "golden"
CANARY = "canary-3f9b1c"
API = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {{name: orders, namespace: shop}}
spec:
  listeners: [{{http: {{path: /orders}}}}]
  endpointGroups:
  - name: default
    endpoints:
    - {{name: main, url: "http://orders", headers: {{x-a: "{{#secrets.get('{0}')}}"}}}}
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {{name: open, namespace: shop}}
spec: {{apiRef: {{name: orders}}, security: {{keyless: {{}}}}}}
---
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {{name: edge, namespace: gateways}}
spec:
  secretProviders:
  - {{name: env, env: {{prefix: PENSTOCK_}}, allow: [{{namespaces: [shop], paths: [TOKEN, ABSENT]}}]}}
  - {{name: file, file: {{folder: "{1}"}}, allow: [{{namespaces: [shop], paths: ["tokens/*"]}}]}}
  - name: vault
    vault:
      address: "http://127.0.0.1:{2}"
      timeout: 1s
      auth: {{token: {{secretRef: {{name: vault, key: token}}}}}}
    allow: [{{namespaces: [shop], paths: ["kv/shop/*"]}}]
"""
LOGIN = f"""
---
apiVersion: v1
kind: Secret
metadata: {{name: vault, namespace: gateways}}
stringData: {{token: {CANARY}}}
"""


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(secrets, ["check", "-f", str(folder), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert CANARY not in result.output
    return result.exit_code, result.output


def states(output: str) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["state"], one["problem"]) for one in json.loads(output)["references"]}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("/env/TOKEN", ("Resolved", "")),
        ("/file/tokens/plain", ("Resolved", "")),
        ("/file/tokens/members.json:token", ("Resolved", "")),
        ("/env/ABSENT", ("Missing", "PENSTOCK_ABSENT")),
        ("/file/tokens/absent", ("Missing", "absent")),
    ],
)
def test_references_are_followed_to_their_provider(
    name: str, state: tuple[str, str], tmp_path: Path, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_TOKEN", CANARY)
    folder, files = tmp_path / "manifests", tmp_path / "tokens"
    folder.mkdir(), files.mkdir()
    (files / "plain").write_text(CANARY)
    (files / "members.json").write_text(json.dumps({"token": CANARY}))
    (folder / "all.yaml").write_text(API.format(name, tmp_path, unused_port) + LOGIN)

    code, output = run(folder, "-o", "json")
    found, problem = states(output)[name]

    assert (found, code) == (state[0], 0 if state[0] == "Resolved" else 1)
    assert state[1] in problem
    assert run(folder)[0] == code


def test_a_vault_that_is_away_is_told_with_the_reference(tmp_path: Path, unused_port: int) -> None:
    (tmp_path / "all.yaml").write_text(API.format("/vault/kv/shop/a:b", tmp_path, unused_port) + LOGIN)

    code, output = run(tmp_path)

    assert code == 1
    assert "vault/vault/kv/shop/a:b" in output
    assert "error: shop/orders: /vault/kv/shop/a:b: " in output


def test_offline_nothing_is_asked_and_secrets_may_be_elsewhere(tmp_path: Path, unused_port: int) -> None:
    (tmp_path / "all.yaml").write_text(API.format("/kubernetes/elsewhere:b", tmp_path, unused_port))

    code, output = run(tmp_path, "--offline", "-o", "json")

    assert code == 0
    assert states(output) == {
        "provider vault": ("NotAsked", ""),
        "/kubernetes/elsewhere:b": ("NotAsked", ""),
    }
    assert run(tmp_path)[0] == 1


def test_offline_a_path_that_is_not_allowed_fails(tmp_path: Path, unused_port: int) -> None:
    (tmp_path / "all.yaml").write_text(API.format("/vault/kv/bank/a:b", tmp_path, unused_port))

    code, output = run(tmp_path, "--offline")

    assert code == 1
    assert "does not allow `kv/bank/a` to APIs of the namespace shop" in output


def test_no_reference_and_no_problem_is_good() -> None:
    assert run(GOLDEN / "an-api-key-plan-with-a-subscription" / "in")[0] == 0


def test_certificates_of_listeners_are_followed() -> None:
    code, output = run(GOLDEN / "certificates-that-are-not-there" / "in", "-o", "json")
    states = {one["uri"].rpartition("/")[2]: one["state"] for one in json.loads(output)["references"]}
    assert code == 1
    assert states == {
        "edge-tls:tls.crt": "Missing",
        "edge-tls:tls.key": "Missing",
        "half:tls.crt": "Resolved",
        "half:tls.key": "Missing",
        "clients:ca.crt": "Missing",
    }


def test_a_folder_without_its_certificates_is_checked_offline() -> None:
    code, output = run(GOLDEN / "certificates-that-are-not-there" / "in", "--offline", "-o", "json")
    document = json.loads(output)
    assert (code, [one["message"] for one in document["problems"]]) == (
        1,
        ["the Secret half has no key `tls.key`"],
    )
    references = document["references"]
    assert {(one["name"], one["state"]) for one in references} == {("listener kafka", "NotAsked")}
