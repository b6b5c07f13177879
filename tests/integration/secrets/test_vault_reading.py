"""What is read of a real Vault, how it is followed, and what is told where it cannot be had."""

from __future__ import annotations

import asyncio
from pathlib import Path

import hvac
import pytest
from vault_world import Asked, VaultWorld, named

from e2e.components.vault.server import VaultServer
from gateway_runtime.snapshot.providers import VaultProvider, VaultToken, VaultUserpass

TOKEN = "vault/main/kv/shop/orders:token"
OLD = "vault/main/old/shop/orders:token"
LEASED = "vault/main/leased/creds/db:password"
AUTH = VaultToken(token=named("login"))


@pytest.fixture
def ready(vault: VaultWorld, asked: Asked) -> Asked:
    """A store that has a credential."""
    asked.credentials(login=vault.token())
    return asked


@pytest.mark.parametrize(("version", "uri", "value"), [(2, TOKEN, "value-1"), (1, OLD, "value-old")])
@pytest.mark.parametrize("told", [True, False])
async def test_both_versions_are_read_whether_told_or_found_out(
    version: int, uri: str, value: str, told: bool, vault: VaultWorld, ready: Asked
) -> None:
    ready.want(vault.provider(AUTH, kv_version=version if told else 0), uri)
    await ready.value(uri, value)


async def test_a_new_version_is_seen_within_the_refresh(vault: VaultWorld, ready: Asked) -> None:
    vault.write("shop/rotating", token="one")
    uri = "vault/main/kv/shop/rotating:token"
    ready.want(vault.provider(AUTH, refresh=1.0), uri)
    await ready.value(uri, "one")
    vault.write("shop/rotating", token="two")
    await ready.value(uri, "two")


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("vault/main/kv/shop/orders:none", "kv/shop/orders of main: it has no key none"),
        ("vault/main/kv/shop/none:token", "kv/shop/none of main: it is not there"),
        ("vault/main/kv/team/orders:token", "the policies of its login do not allow it"),
        ("vault/main/nowhere/shop/orders:token", "the policies of its login do not allow it"),
        ("vault/other/kv/shop/orders:token", "the gateway has no secret provider other of type vault"),
    ],
)
async def test_what_cannot_be_had_is_told(uri: str, problem: str, vault: VaultWorld, ready: Asked) -> None:
    ready.want(vault.provider(AUTH), uri, TOKEN)
    await ready.problem(uri, problem)
    assert ready.text(uri) is None
    await ready.value(TOKEN, "value-1")


async def test_a_deleted_version_leaves_the_last_good_value(vault: VaultWorld, ready: Asked) -> None:
    vault.write("shop/deleted", token="kept")
    uri = "vault/main/kv/shop/deleted:token"
    ready.want(vault.provider(AUTH), uri)
    await ready.value(uri, "kept")
    vault.admin.secrets.kv.v2.delete_latest_version_of_secret("shop/deleted", mount_point="kv")
    await ready.until(lambda: ready.store.states()[-1].age > 0.5)
    assert ready.text(uri) == "kept"


async def test_a_vault_of_another_authority_is_not_trusted(vault: VaultWorld, ready: Asked) -> None:
    ready.want(vault.provider(AUTH, ca=vault.user.certificate), TOKEN)
    await ready.problem(TOKEN, "Vault is not reached: SSLError")


async def test_the_namespace_goes_with_each_call(vault: VaultWorld, ready: Asked, tmp_path: Path) -> None:
    """The community's Vault has but the root namespace and passes the header over; its audit has it."""
    log = tmp_path / "audit.log"
    vault.admin.write_data("sys/config/auditing/request-headers/x-vault-namespace", data={"hmac": False})
    vault.admin.sys.enable_audit_device("file", path="namespaces", options={"file_path": str(log)})
    try:
        ready.want(vault.provider(AUTH, namespace="team-a", refresh=60.0), TOKEN)
        await ready.value(TOKEN, "value-1")
    finally:
        vault.admin.sys.disable_audit_device("namespaces")
    requests = [line for line in log.read_text().splitlines() if '"type":"request"' in line]
    ours = [line for line in requests if "disable" not in line and "sys/audit" not in line]
    assert len(ours) >= 3
    assert all('"x-vault-namespace":["team-a"]' in line for line in ours)


async def test_a_made_credential_is_kept_by_its_lease_and_replaced_at_its_end(
    vault: VaultWorld, ready: Asked
) -> None:
    seen: list[str] = []

    def note() -> int:
        value = ready.text(LEASED)
        if value is not None and value not in seen:
            seen.append(value)
        return len(seen)

    ready.want(vault.provider(AUTH, refresh=0.2), LEASED)
    await ready.until(lambda: note() == 1, lambda: ready.store.problem(LEASED))
    begun = asyncio.get_running_loop().time()
    await ready.until(lambda: note() == 2)
    lived = asyncio.get_running_loop().time() - begun
    assert lived > 3.0, "it was read anew before its lease could be renewed once"
    assert ready.store.states()[-1].failures == 0


async def test_a_vault_that_comes_later_is_found(asked: Asked, tmp_path: Path) -> None:
    server = VaultServer()
    auth = VaultToken(token=named("login"))
    provider = VaultProvider(name="main", address=server.address, auth=auth, timeout=1.0, refresh=0.5)
    asked.credentials(login="not-known-yet")
    asked.want(provider, TOKEN)
    await asked.problem(TOKEN, "Vault is not reached")
    with server:
        asked.credentials(login=server.root_token)
        await asked.problem(TOKEN, "the policies of its login do not allow it")


async def test_an_outage_leaves_the_last_good_value_which_ages_until_it_is_dropped(asked: Asked) -> None:
    with VaultServer() as server:
        asked.credentials(login=server.root_token)
        auth = VaultToken(token=named("login"))
        provider = VaultProvider(
            name="main", address=server.address, auth=auth, timeout=0.5, refresh=0.2, max_age=4.0
        )
        admin = hvac.Client(server.address, server.root_token)
        admin.sys.enable_secrets_engine("kv", "kv", options={"version": "1"})
        admin.secrets.kv.v1.create_or_update_secret("shop/orders", {"token": "v"}, mount_point="kv")
        asked.want(provider, TOKEN)
        await asked.value(TOKEN, "v")
        server.freeze()
        frozen = asyncio.get_running_loop().time()
        await asked.until(lambda: asked.store.states()[-1].age > 2.0)
        assert asked.text(TOKEN) == "v"
        assert asked.store.states()[-1].failures > 0
        await asked.until(lambda: asked.text(TOKEN) is None)
        assert 3.0 < asyncio.get_running_loop().time() - frozen < 6.0
        assert "Vault is not reached" in asked.store.problem(TOKEN)
        server.thaw()
        await asked.value(TOKEN, "v")
        assert asked.store.states()[-1].age < 1.0


async def test_a_document_is_read_once_however_many_name_values_in_it(
    vault: VaultWorld, ready: Asked, tmp_path: Path
) -> None:
    log = tmp_path / "audit.log"
    vault.admin.sys.enable_audit_device("file", path="once", options={"file_path": str(log)})
    try:
        ready.want(vault.provider(AUTH, refresh=60.0), TOKEN, "vault/main/kv/shop/orders:other")
        await ready.value(TOKEN, "value-1")
        await ready.value("vault/main/kv/shop/orders:other", "value-o")
    finally:
        vault.admin.sys.disable_audit_device("once")
    lines = [line for line in log.read_text().splitlines() if '"type":"request"' in line]
    assert sum('"path":"kv/data/shop/orders"' in line for line in lines) == 1


async def test_another_configuration_of_a_provider_keeps_its_values(vault: VaultWorld, ready: Asked) -> None:
    ready.want(vault.provider(AUTH), TOKEN)
    await ready.value(TOKEN, "value-1")
    other = vault.provider(VaultUserpass(username="nobody", password=named("login")))
    ready.want(other, TOKEN)
    await ready.until(lambda: ready.store.states()[-1].failures > 0)
    assert ready.text(TOKEN) == "value-1"
