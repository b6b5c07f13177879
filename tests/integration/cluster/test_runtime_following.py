"""Collections followed in the test's own process: which Secrets are read, and how where watches are few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic

import pytest
from gateway_pod import PATIENCE, Cluster

from gateway_runtime.cluster import reflector
from gateway_runtime.cluster.client import ClusterClient, ClusterError, connect, one_secret
from gateway_runtime.cluster.reflector import Budget
from gateway_runtime.cluster.secrets import KubernetesSecrets
from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes, SecretText
from gateway_runtime.secrets.store import SecretStore


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[ClusterClient]:
    """With the rights of a pod's account, which may read the Secret `backend`."""
    kubeconfig = await asyncio.to_thread(cluster.kubeconfig)
    cluster.grant("backend")
    async with connect(kubeconfig) as connected:
        yield connected


class Changes:
    """Awaits what callbacks bring about."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self._event.wait()
                self._event.clear()


async def test_a_secret_is_followed_only_while_it_is_wanted(cluster: Cluster, client: ClusterClient) -> None:
    cluster.secret("backend", token=b"value-1")
    changes = Changes()
    secrets = SecretStore(KubernetesSecrets(client), changes)
    uri = cluster.reference("backend").uri
    before = asyncio.all_tasks()
    secrets.want((), [uri], {})
    await changes.until(lambda: secrets.value(uri) == SecretText("value-1"))
    cluster.secret("backend", token=b"value-2")
    await changes.until(lambda: secrets.value(uri) == SecretText("value-2"))
    secrets.want((), [], {})
    assert secrets.value(uri) is None
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*asyncio.all_tasks() - before, return_exceptions=True)


async def test_a_value_that_is_no_text_is_told_but_for_the_pepper(
    cluster: Cluster, client: ClusterClient
) -> None:
    cluster.secret("backend", token=b"\xff\xfe")
    changes = Changes()
    secrets = SecretStore(KubernetesSecrets(client), changes)
    uri = cluster.reference("backend").uri
    secrets.want((), [uri, f"base64:{uri}"], {})
    await changes.until(lambda: secrets.value(f"base64:{uri}") == SecretText("//4="))
    assert secrets.value(uri) is None
    name = f"Secret {cluster.namespace}/backend"
    assert secrets.problem(uri) == f"{name}: the value of token is no UTF-8 text"
    await secrets.stop()


async def test_without_a_watch_left_a_secret_is_listed_again(
    cluster: Cluster, client: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reflector, "_POLL", (0.01, 0.02))
    changes = Changes()
    path = f"{cluster.namespace}/backend"
    document = Document(path, changes, monotonic)
    provider = KubernetesSecrets(client, Budget(watches=0))
    task = asyncio.create_task(provider.follow(path, 0.0, document))
    await changes.until(lambda: document.problem("token").endswith("it is not there"))
    cluster.secret("backend", token=b"value-1")
    await changes.until(lambda: document.value("token") == SecretBytes(b"value-1"))
    cluster.secret("backend", token=b"value-2")
    await changes.until(lambda: document.value("token") == SecretBytes(b"value-2"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_forbidden_says_so(cluster: Cluster, client: ClusterClient) -> None:
    with pytest.raises(ClusterError, match="forbidden") as caught:
        async for _ in client.pages(one_secret(cluster.namespace, "other")):
            pass
    assert caught.value.status == 403
