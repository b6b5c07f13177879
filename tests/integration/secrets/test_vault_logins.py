"""Each way to log in to a real Vault, and what becomes of a login."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from vault_world import Asked, VaultWorld, named, self_signed

from gateway_runtime.snapshot.providers import (
    OWN_TOKEN,
    VaultAppRole,
    VaultAuth,
    VaultCert,
    VaultJwt,
    VaultToken,
    VaultUserpass,
    token_path,
)

TOKEN = "vault/main/kv/shop/orders:token"
OTHER = "vault/main/kv/shop/orders:other"
METHODS: dict[str, VaultAuth] = {
    "approle": VaultAppRole(role_id="", secret_id=named("login")),
    "token": VaultToken(token=named("login")),
    "userpass": VaultUserpass(username="edge", password=named("login")),
    "jwt": VaultJwt(role="edge", token=named("login")),
    "cert": VaultCert(certificate=named("certificate"), key=named("login")),
}


def auth(method: str, vault: VaultWorld) -> VaultAuth:
    if method == "approle":
        return VaultAppRole(role_id=vault.role_id, secret_id=named("login"))
    return METHODS[method]


def good(method: str, vault: VaultWorld) -> dict[str, str]:
    makers: dict[str, Callable[[], str]] = {
        "approle": vault.secret_id,
        "token": vault.token,
        "userpass": lambda: "pass-word-1",
        "jwt": vault.signed,
        "cert": lambda: vault.user.key,
    }
    return {"login": makers[method](), "certificate": vault.user.certificate}


def bad(method: str, vault: VaultWorld) -> dict[str, str]:
    if method == "cert":
        other = self_signed("stranger")
        return {"login": other.key, "certificate": other.certificate}
    return {
        "login": vault.signed("elsewhere") if method == "jwt" else "no-such-credential",
        "certificate": "",
    }


@pytest.mark.parametrize("method", METHODS)
async def test_each_method_logs_in(method: str, vault: VaultWorld, asked: Asked) -> None:
    asked.credentials(**good(method, vault))
    asked.want(vault.provider(auth(method, vault)), TOKEN, OTHER)
    await asked.value(TOKEN, "value-1")
    await asked.value(OTHER, "value-o")


@pytest.mark.parametrize("method", METHODS)
async def test_a_wrong_credential_is_told_without_it_and_a_right_one_logs_in_at_once(
    method: str, vault: VaultWorld, asked: Asked
) -> None:
    wrong = bad(method, vault)
    asked.credentials(**wrong)
    asked.want(vault.provider(auth(method, vault)), TOKEN)
    await asked.problem(TOKEN, f"the login by {method} is refused")
    assert wrong["login"] not in asked.store.problem(TOKEN)
    asked.credentials(**good(method, vault))
    await asked.value(TOKEN, "value-1")


@pytest.mark.parametrize("audience", ["", "vault"])
async def test_the_pods_own_token_is_read_anew_at_each_login(
    audience: str, vault: VaultWorld, asked: Asked, tmp_path: Path
) -> None:
    asked.want(vault.provider(VaultJwt(role="edge", audience=audience)), TOKEN)
    await asked.problem(TOKEN, "there is no service account token at")
    path = tmp_path / (token_path("main") if audience else OWN_TOKEN)
    path.parent.mkdir(parents=True)
    path.write_text(vault.signed() + "\n")
    await asked.value(TOKEN, "value-1")


async def test_a_credential_that_is_missing_is_named(vault: VaultWorld, asked: Asked) -> None:
    asked.want(vault.provider(METHODS["token"]), TOKEN)
    await asked.problem(TOKEN, "its credential kubernetes/gateways/login:login is not there")


async def test_all_secrets_of_a_provider_share_one_login(vault: VaultWorld, asked: Asked) -> None:
    before = vault.logins("auth/userpass/login/edge")
    asked.credentials(login="pass-word-1")
    uris = (TOKEN, OTHER, "vault/main/old/shop/orders:token", "vault/main/kv/shop/none:key")
    asked.want(vault.provider(METHODS["userpass"]), *uris)
    await asked.value(TOKEN, "value-1")
    await asked.value("vault/main/old/shop/orders:token", "value-old")
    assert vault.logins("auth/userpass/login/edge") == before + 1
    await asked.store.stop()
    assert vault.logins("auth/userpass/login/edge") == before


async def test_a_refused_login_is_not_tried_again_for_each_document(
    vault: VaultWorld, asked: Asked, tmp_path: Path
) -> None:
    log = tmp_path / "audit.log"
    vault.admin.sys.enable_audit_device("file", path="refused", options={"file_path": str(log)})
    try:
        asked.credentials(login="wrong-one")
        uris = [f"vault/main/kv/shop/number-{number}:key" for number in range(20)]
        asked.want(vault.provider(METHODS["userpass"]), *uris)
        for uri in uris:
            await asked.problem(uri, "the login by userpass is refused")
        await asked.until(lambda: asked.store.states()[-1].failures > 40)
    finally:
        vault.admin.sys.disable_audit_device("refused")
    requests = [line for line in log.read_text().splitlines() if '"type":"request"' in line]
    assert sum('"path":"auth/userpass/login/edge"' in line for line in requests) == 1


async def test_a_revoked_token_is_replaced_by_a_new_login(vault: VaultWorld, asked: Asked) -> None:
    asked.credentials(login="pass-word-1")
    asked.want(vault.provider(METHODS["userpass"]), TOKEN)
    await asked.value(TOKEN, "value-1")
    vault.admin.write_data("sys/leases/revoke-prefix/auth/userpass", data={})
    assert vault.logins("auth/userpass/login/edge") == 0
    await asked.until(lambda: vault.logins("auth/userpass/login/edge") == 1)
    assert asked.store.problem(TOKEN) == ""


async def test_a_token_is_renewed_before_it_ends(vault: VaultWorld, asked: Asked) -> None:
    asked.credentials(login=vault.token("2s", renewable=True, explicit_max_ttl="1h"))
    asked.want(vault.provider(METHODS["token"], refresh=0.1), TOKEN)
    await asked.value(TOKEN, "value-1")
    ends = vault.admin.auth.token.lookup
    token = asked.text(named("login").uri)
    expires = ends(token)["data"]["expire_time"]
    await asked.until(lambda: ends(token)["data"]["expire_time"] > expires)
    assert asked.store.problem(TOKEN) == ""


async def test_a_token_that_ended_is_told_and_the_last_good_value_stays(
    vault: VaultWorld, asked: Asked
) -> None:
    asked.credentials(login=vault.token("1s", explicit_max_ttl="1s"))
    asked.want(vault.provider(METHODS["token"]), TOKEN)
    await asked.value(TOKEN, "value-1")
    await asked.until(lambda: asked.store.states()[-1].failures > 0)
    assert asked.text(TOKEN) == "value-1"
    asked.credentials(login=vault.token())
    vault.write("shop/orders", token="value-2", other="value-o")
    try:
        await asked.value(TOKEN, "value-2")
    finally:
        vault.write("shop/orders", token="value-1", other="value-o")
