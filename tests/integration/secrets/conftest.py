"""One real Vault for the tests of this folder, and a fresh store for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from vault_world import Asked, VaultWorld, self_signed

from e2e.components.vault.server import VaultServer


@pytest.fixture(scope="session")
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultWorld]:
    """The Vault of the test run, by TLS; the first time on a machine it is built, and the user sees that."""
    folder = tmp_path_factory.mktemp("vault")
    ca = self_signed("vault")
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_text(ca.certificate)
    key.write_text(ca.key)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        server = VaultServer(certificate, key)
    with server:
        yield VaultWorld(server, ca, folder)


@pytest_asyncio.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    """A store with no secrets yet."""
    made = Asked(tmp_path)
    yield made
    await made.store.stop()
