"""A secret's value is searched wherever a gateway writes or shows anything, after all went wrong that can."""

from __future__ import annotations

import base64
import json
import os
import signal
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from gateway_pod import Cluster, GatewayPod, api, wait_for
from leak_search import BROKEN, CANARY, CLEAN, leaks, leaks_of, of_admin, of_cluster, of_files, of_processes
from vault_world import VaultWorld

from gateway_runtime.snapshot.providers import (
    VaultAppRole,
    VaultAuth,
    VaultCert,
    VaultJwt,
    VaultProvider,
    VaultToken,
    VaultUserpass,
)
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    ApiSection,
    Endpoint,
    EndpointGroup,
    Flow,
    JwtSecurity,
    Plan,
    ResponseTemplate,
    SecretRef,
    Step,
)

StartPod = Callable[..., GatewayPod]
USES = "{#secrets.get('token')}"


def everywhere(reference: SecretRef) -> list[ApiSection]:
    """An API for each place that a secret may be named at."""
    secrets = {"token": reference}
    dead = "http://127.0.0.1:9"
    in_header = Endpoint(name="e", url=dead, headers={"authorization": f"Bearer {USES}"})
    in_host = Endpoint(name="e", url=dead, headers={"host": USES})

    def step(policy: str, **configuration: object) -> tuple[Flow, ...]:
        return (Flow(request=(Step(policy=policy, configuration=configuration),)),)

    def made(name: str, **fields: object) -> ApiSection:
        return api(name, "x", **{"secrets": secrets, "flows": (), "access_log": True, **fields})

    def group(endpoint: Endpoint) -> tuple[EndpointGroup, ...]:
        return (EndpointGroup(name="g", endpoints=(endpoint,)),)

    template = {"DEFAULT": {"application/json": ResponseTemplate(body=USES, headers={"x-t": USES})}}
    return [
        made("endpoint", endpoint_groups=group(in_header)),
        made("host", endpoint_groups=group(in_host)),
        made("header", flows=step("transformHeaders", set={"x-token": USES})),
        made("mock", flows=step("mock", body=USES, headers={"x-token": USES})),
        made("condition", flows=(Flow(condition="{#request.headers['x-token'] == secrets.get('token')}"),)),
        made("template", response_templates=template),
        made("rewrite", flows=step("rewriteUrl", url=f"{dead}/{USES}")),
        made("jwt", plans=(Plan(name="p", security=JwtSecurity(algorithms=("HS256",), secret=reference)),)),
    ]


def credentials_of(cluster: Cluster) -> dict[str, VaultAuth]:
    """A login that fails with the value, by each method."""
    reference = cluster.reference("canary", "clean")
    return {
        "token": VaultToken(token=reference),
        "approle": VaultAppRole(role_id="edge", secret_id=reference),
        "userpass": VaultUserpass(username="edge", password=reference),
        "jwt": VaultJwt(role="edge", token=reference),
        "cert": VaultCert(certificate=reference, key=reference),
    }


def test_the_search_finds_what_it_searches() -> None:
    for leak in (CANARY, urllib.parse.quote_plus(CANARY), json.dumps(CANARY), CANARY.encode().hex()):
        assert leaks("x", f"before {leak} after".encode())
    for skip in range(3):
        assert leaks("x", base64.b64encode(b"y" * skip + CANARY.encode()))


@pytest.mark.parametrize("key", ["text", "broken"])
def test_no_value_leaves_a_pod_by_any_way_but_its_use(
    key: str, vault: VaultWorld, cluster: Cluster, start_pod: StartPod, debugging: dict[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    cluster.grant("canary", "login")
    cluster.secret("canary", text=CANARY.encode(), broken=BROKEN.encode(), clean=CLEAN.encode(), pepper=b"x")
    cluster.secret("login", token=vault.token().encode())
    vault.write("shop/canary", text=CANARY, broken=BROKEN, clean=CLEAN)
    pod = start_pod(environment=debugging)
    good = vault.provider(VaultToken(token=cluster.reference("login")))
    refused = [
        msgspec.structs.replace(vault.provider(auth), name=name)
        for name, auth in credentials_of(cluster).items()
    ]
    away = VaultProvider(
        name="away", address="http://127.0.0.1:9", auth=VaultToken(token=cluster.reference("canary", "clean"))
    )
    gateway = msgspec.structs.replace(
        pod.section,
        secret_providers=(good, away, *refused),
        key_pepper=cluster.reference("canary", "clean"),
    )
    apis = everywhere(SecretRef(uri=f"vault/main/kv/shop/canary:{key}"))
    unresolved = [
        api(f"no-{name}", "x", secret=SecretRef(uri=f"vault/{name}/kv/shop/orders:token"))
        for name in ("away", *(provider.name for provider in refused))
    ]
    wrong = api("forbidden", "x", secret=SecretRef(uri="vault/main/kv/team/orders:token"))
    keyed = api("keyed", "x", plans=(Plan(name="gold", security=ApiKeySecurity()),))
    cluster.publish(*apis, *unresolved, wrong, keyed, gateway=gateway)
    wait_for(lambda: len(cluster.told(pod.name)[1]) >= len(unresolved) + 1)
    wait_for(lambda: all(pod.get(f"/no-{name}")[0] == 503 for name in ("away", "token", "cert")))
    for section in (*apis, keyed):
        pod.get(f"/{section.name}", authorization="Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA", x_token="no")
        pod.get(f"/{section.name}?api_key=none", accept="text/plain")
    pids = [pod.process.pid, *pod.workers()]
    found = leaks_of([*of_processes(pids), *of_admin(pod), *of_cluster(cluster)])
    os.kill(pids[1], signal.SIGABRT)  # QUIT may be ignored, as in a job in the background
    wait_for(lambda: "has died" in pod.log())
    assert pod.stop() == 0
    found += leaks_of([*of_files(tmp_path), ("the log", pod.log().encode())])
    assert found == []
    log = pod.log()
    assert "/v1/auth/userpass/login/edge" in log, "it did not log at debug level"
    assert ("does not fit where it is used" in log) == (key == "broken")
