"""Secrets of Vault in a cluster: what the API server takes, what pods get, and what statuses say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import hvac
import pytest
from gateway_pod import GatewayPod
from operator_process import PENSTOCK, RBAC, Operator, Shop, answers, wait_for

from e2e.components.vault.server import VaultServer

StartPod = Callable[..., GatewayPod]
CANARY = "canary-of-vault-5b1d"


@pytest.fixture(autouse=True)
def _running(operator: Operator) -> None:
    """All tests here are of one operator."""


@pytest.fixture(scope="module")
def vault() -> Iterator[VaultServer]:
    with VaultServer() as server:
        client = hvac.Client(server.address, server.root_token)
        client.sys.enable_secrets_engine("kv", path="team", options={"version": "2"})
        yield server


def write(vault: VaultServer, path: str, **values: str) -> None:
    client = hvac.Client(vault.address, vault.root_token)
    client.secrets.kv.v2.create_or_update_secret(path, values, mount_point="team")


def serve(shop: Shop, vault: VaultServer, *allowed: str) -> None:
    """A gateway that logs in by the Secret `login`, and an API that answers with a GatewaySecret."""
    shop.cluster.secret("login", token=vault.root_token.encode())
    auth = {"token": {"secretRef": {"name": "login", "key": "token"}}}
    allow = [{"namespaces": [shop.namespace], "paths": list(allowed)}] if allowed else []
    provider = {"name": "vault", "vault": {"address": vault.address, "auth": auth}, "allow": allow}
    shop.gateway(secretProviders=[provider])
    source = {"vault": {"path": f"team/{shop.namespace}", "key": "token"}}
    shop.apply("GatewaySecret", "token", {"source": source, "refreshInterval": "1s"})
    shop.api("orders", "{#secrets.get('token')}")
    shop.plan("orders", {"keyless": {}})


def test_pods_serve_what_vault_has_and_follow_it(
    shop: Shop, vault: VaultServer, shop_pod: StartPod, operator: Operator
) -> None:
    write(vault, shop.namespace, token=f"{CANARY}-1")
    serve(shop, vault, "team/*")
    pod = shop_pod()

    wait_for(answers(pod, "/orders", (200, f"{CANARY}-1")))
    wait_for(lambda: shop.condition("GatewaySecret", "token") == ("True", "Resolved"))
    assert shop.status("GatewaySecret", "token")["pods"] == "1/1"
    maps = shop.get("configmaps")
    write(vault, shop.namespace, token=f"{CANARY}-2")
    wait_for(answers(pod, "/orders", (200, f"{CANARY}-2")))

    rules = (shop.get(f"{RBAC}:roles/edge") or {})["rules"]
    (named,) = [rule["resourceNames"] for rule in rules if rule["resources"] == ["secrets"]]
    assert named == ["edge-pepper", "login"]
    assert maps is not None
    assert shop.get("configmaps")["items"] == maps["items"]  # type: ignore[index]
    told = (str(maps), str(shop.status("ApiDefinition", "orders")), operator.log(), pod.log())
    assert not any(CANARY in text for text in told)


def test_a_key_that_vault_has_not_is_told_by_the_pod(
    shop: Shop, vault: VaultServer, shop_pod: StartPod
) -> None:
    write(vault, shop.namespace, other="x")
    serve(shop, vault, "team/*")
    pod = shop_pod()

    wait_for(lambda: shop.condition("GatewaySecret", "token") == ("False", "NotResolved"))
    assert pod.get("/orders")[0] == 503
    write(vault, shop.namespace, token=CANARY)
    wait_for(answers(pod, "/orders", (200, CANARY)))
    wait_for(lambda: shop.condition("GatewaySecret", "token") == ("True", "Resolved"))


@pytest.mark.parametrize("allowed", [(), ("team/other",), ("team/other/*",)])
def test_a_path_that_is_not_allowed_is_not_published(
    shop: Shop, vault: VaultServer, allowed: tuple[str, ...]
) -> None:
    serve(shop, vault, *allowed)

    wait_for(
        lambda: shop.condition("ApiDefinition", "orders", "ResolvedRefs") == ("False", "RefNotPermitted")
    )
    assert not [name for name in shop.names("configmaps") if "-api-" in name]


def test_the_webhook_refuses_providers_that_are_for_penstock_run(shop: Shop) -> None:
    path = f"{PENSTOCK}:gatewaydeployments/edge"

    def refusal() -> str:
        found = shop.cluster.call("PATCH", path, gateway({"name": "env", "env": {}}), dryRun="All")
        return str(found[1].get("message", ""))

    wait_for(lambda: "env is for `penstock run` alone; in a cluster name Secrets" in refusal())


LOGIN = {"address": "https://vault:8200", "auth": {"kubernetes": {"role": "edge", "audience": "vault"}}}


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ({"name": "kubernetes", "env": {}}, "the name `kubernetes` is that of the Secrets of Kubernetes"),
        ({"name": "vault", "env": {}}, "the names `vault`, `env` and `file` are for providers of that type"),
        ({"name": "a"}, "exactly one of `vault`, `env`, `file` is needed"),
        ({"name": "a", "vault": {**LOGIN, "auth": {}}}, "exactly one of `kubernetes`, `approle`"),
        ({"name": "a", "vault": {**LOGIN, "address": "vault:8200"}}, "should match"),
        ({"name": "a", "vault": LOGIN, "allow": [{"namespaces": ["a"], "paths": ["../a"]}]}, "should match"),
        (
            {"name": "a", "vault": LOGIN, "allow": [{"namespaces": ["a"], "paths": ["kv/%2e/a"]}]},
            "should match",
        ),
    ],
)
def test_the_api_server_refuses_providers_that_do_not_fit(
    shop: Shop, provider: dict[str, Any], message: str
) -> None:
    path = f"{PENSTOCK}:gatewaydeployments/edge"
    status, answer = shop.cluster.call("PATCH", path, gateway(provider), dryRun="All")
    assert (status, message in answer["message"]) == (422, True), answer


def test_the_api_server_refuses_a_refresh_of_what_is_watched(shop: Shop) -> None:
    spec = {"source": {"kubernetes": {"name": "a", "key": "b"}}, "refreshInterval": "1m"}
    manifest = {"apiVersion": PENSTOCK, "kind": "GatewaySecret", "metadata": {"name": "a"}, "spec": spec}
    status, answer = shop.cluster.call("PATCH", f"{PENSTOCK}:gatewaysecrets/a", manifest)
    assert (status, "refreshInterval goes with source.vault" in answer["message"]) == (422, True), answer


def gateway(provider: dict[str, Any]) -> dict[str, Any]:
    spec = {"secretProviders": [provider]}
    return {"apiVersion": PENSTOCK, "kind": "GatewayDeployment", "metadata": {"name": "edge"}, "spec": spec}
