"""A pod whose APIs read Vault: login by its service account, rotation under load, Vault away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gateway_pod import ACCOUNT, Cluster, GatewayPod, api, load, wait_for
from vault_world import VaultWorld

from gateway_runtime.snapshot.providers import (
    OWN_TOKEN,
    VaultAuth,
    VaultKubernetes,
    VaultToken,
    VaultUserpass,
    token_path,
)
from gateway_runtime.snapshot.types import Endpoint, EndpointGroup, GatewaySection, SecretRef

StartPod = Callable[..., GatewayPod]


@pytest.fixture
def reviewed(vault: VaultWorld, cluster: Cluster) -> Iterator[str]:
    """Vault asks this API server about tokens; gives the mount of that method."""
    mount = f"kubernetes-{cluster.namespace}"
    admin = vault.admin
    admin.sys.enable_auth_method("kubernetes", path=mount)
    config = {
        "kubernetes_host": cluster.plane.url,
        "kubernetes_ca_cert": cluster.plane.authority.read_text(),
        "token_reviewer_jwt": cluster.plane.token,
        "disable_local_ca_jwt": True,
    }
    admin.write_data(f"auth/{mount}/config", data=config)
    role = {
        "bound_service_account_names": ACCOUNT,
        "bound_service_account_namespaces": cluster.namespace,
        "token_policies": ["shop"],
    }
    admin.write_data(f"auth/{mount}/role/edge", data=role)
    admin.write_data(f"auth/{mount}/role/for-vault", data={**role, "audience": "vault"})
    yield mount
    admin.sys.disable_auth_method(mount)


def with_vault(pod: GatewayPod, vault: VaultWorld, auth: VaultAuth, **more: Any) -> GatewaySection:
    """The gateway's section with the test's Vault."""
    provider = vault.provider(auth, **{"refresh": 0.3, **more})
    return msgspec.structs.replace(pod.section, secret_providers=(provider,))


def of(path: str, key: str = "token") -> SecretRef:
    return SecretRef(uri=f"vault/main/kv/{path}:{key}")


def own_token(cluster: Cluster, folder: Path, *options: str, account: str = ACCOUNT) -> Path:
    """A token of the account where Kubernetes would mount it; answers the folder of all of them."""
    path = folder / (token_path("main") if options else OWN_TOKEN)
    path.parent.mkdir(parents=True, exist_ok=True)
    token = cluster.plane.kubectl_output("create", "token", account, "-n", cluster.namespace, *options)
    path.write_text(token)
    return folder


@pytest.mark.parametrize(
    ("role", "audience", "options"),
    [
        ("edge", "", ()),
        ("for-vault", "vault", ("--audience=vault", "--audience=https://kubernetes.default.svc")),
    ],
)
def test_a_pod_logs_in_by_its_service_account(
    role: str, audience: str, options: tuple[str, ...], reviewed: str, vault: VaultWorld, cluster: Cluster,
    start_pod: StartPod, tmp_path: Path,
) -> None:  # fmt: skip
    pod = start_pod(more={"--tokens": str(own_token(cluster, tmp_path, *options))})
    auth = VaultKubernetes(role=role, mount=reviewed, audience=audience)
    cluster.publish(api("secured", "v1", secret=of("shop/orders")), gateway=with_vault(pod, vault, auth))
    wait_for(lambda: pod.get("/secured") == (200, "v1 value-1"))
    assert pod.tell("/metrics")[1].count('penstock_secret_documents{provider="vault/main"} 1') == 1


def test_another_account_is_refused_and_holds_up_no_other_api(
    reviewed: str, vault: VaultWorld, cluster: Cluster, start_pod: StartPod, tmp_path: Path
) -> None:
    stranger = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "stranger"}}
    cluster.apply("serviceaccounts/stranger", stranger)
    own_token(cluster, tmp_path, account="stranger")
    pod = start_pod(more={"--tokens": str(tmp_path)})
    gateway = with_vault(pod, vault, VaultKubernetes(role="edge", mount=reviewed))
    cluster.publish(api("secured", "v1", secret=of("shop/orders")), api("open", "v1"), gateway=gateway)
    wait_for(lambda: pod.get("/secured")[0] == 503)
    assert pod.get("/open") == (200, "v1")
    assert json.loads(pod.get("/secured")[1])["key"] == "GATEWAY_API_UNAVAILABLE"
    wait_for(lambda: "login by kubernetes is refused" in cluster.told(pod.name)[1].get("shop/secured", ""))


def test_a_rotated_value_is_served_without_a_failed_request(
    vault: VaultWorld, cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("login")
    cluster.secret("login", token=vault.token().encode())
    vault.write("shop/load", token="r-0")
    auth = VaultToken(token=cluster.reference("login"))
    section = api("secured", "v1", secret=of("shop/load"))
    cluster.publish(section, gateway=with_vault(pod, vault, auth))
    wait_for(pod.is_ready)
    with load(pod, "/secured") as answers:
        for number in range(1, 6):
            vault.write("shop/load", token=f"r-{number}")
            wait_for(lambda number=number: (200, f"v1 r-{number}") in answers)
    assert {status for status, _ in answers} == {200}


def test_a_backend_gets_the_new_value_over_the_connections_that_it_has(
    vault: VaultWorld, cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod(workers=1)
    cluster.grant("login")
    cluster.secret("login", token=vault.token().encode())
    vault.write("shop/backend", token="b-0")
    with backend() as (port, seen, connections):
        header = {"authorization": "Bearer {#secrets.get('token')}"}
        endpoint = Endpoint(name="e", url=f"http://127.0.0.1:{port}", headers=header)
        groups = (EndpointGroup(name="g", endpoints=(endpoint,)),)
        section = api("secured", "", secret=of("shop/backend"), flows=(), endpoint_groups=groups)
        gateway = with_vault(pod, vault, VaultToken(token=cluster.reference("login")))
        cluster.publish(section, gateway=gateway)
        wait_for(pod.is_ready)
        with load(pod, "/secured") as answers:
            wait_for(lambda: "Bearer b-0" in seen)
            before = len(connections)
            vault.write("shop/backend", token="b-1")
            wait_for(lambda: "Bearer b-1" in seen)
        assert {status for status, _ in answers} == {200}
        assert set(seen) == {"Bearer b-0", "Bearer b-1"}
        assert len(connections) <= max(before, 4)


@contextmanager
def backend() -> Iterator[tuple[int, list[str], set[int]]]:
    """A server that notes what comes as authorization, and from which ports."""
    seen: list[str] = []
    connections: set[int] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.headers["authorization"])
            connections.add(self.client_address[1])
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], seen, connections
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_pod_that_starts_without_vault_serves_all_else_and_the_rest_once_it_is_there(
    vault: VaultWorld, cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("login")
    cluster.secret("login", token=vault.token().encode())
    auth = VaultToken(token=cluster.reference("login"))
    vault.server.freeze()
    try:
        gateway = with_vault(pod, vault, auth, timeout=0.5)
        both = {"token": of("shop/orders"), "other": of("shop/orders", "other")}
        secured = api("secured", "v1", secret=both["token"], secrets=both)
        cluster.publish(secured, api("open", "v1"), gateway=gateway)
        wait_for(lambda: pod.get("/open") == (200, "v1"))
        wait_for(lambda: pod.get("/secured")[0] == 503)
        wait_for(lambda: "Vault is not reached" in cluster.told(pod.name)[1].get("shop/secured", ""))
        assert cluster.told(pod.name)[1]["shop/secured"].count("Vault is not reached") == 1
    finally:
        vault.server.thaw()
    wait_for(lambda: pod.get("/secured") == (200, "v1 value-1"))
    wait_for(lambda: cluster.told(pod.name)[1] == {})


def test_while_vault_is_away_the_last_good_value_serves_and_its_age_is_told(
    vault: VaultWorld, cluster: Cluster, start_pod: StartPod
) -> None:
    pod = start_pod()
    cluster.grant("login")
    cluster.secret("login", password=b"pass-word-1")
    auth = VaultUserpass(username="edge", password=cluster.reference("login", "password"))
    section = api("secured", "v1", secret=of("shop/orders"))
    cluster.publish(section, gateway=with_vault(pod, vault, auth, timeout=0.5))
    wait_for(pod.is_ready)
    vault.server.freeze()
    try:
        wait_for(lambda: age(pod) > 2.0)
        assert pod.get("/secured") == (200, "v1 value-1")
        assert pod.get("/secured") == (200, "v1 value-1")
    finally:
        vault.server.thaw()
    wait_for(lambda: age(pod) < 1.0)


def age(pod: GatewayPod) -> float:
    """What the metric tells of the age."""
    prefix = 'penstock_secret_age_seconds{provider="vault/main"} '
    lines = pod.tell("/metrics")[1].splitlines()
    return next(float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix))
