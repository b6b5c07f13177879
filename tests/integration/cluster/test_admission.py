"""`kubectl apply` through the webhook of a real Kubernetes API."""

import asyncio
import base64
import io
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from kubernetes.aio import client, config

from e2e.components.control_plane import ControlPlane
from e2e.components.ports import free_port
from penstock_operator.admission.certificates import renewed
from penstock_operator.admission.neighbours import NeighbourIndex, id_of
from penstock_operator.admission.registration import Address
from penstock_operator.cli.validate import find_problems
from penstock_operator.cluster.webhook import SECRET, Webhook, WebhookSettings
from penstock_operator.graph.routes import Claim
from penstock_operator.graph.types import ResourceId
from penstock_operator.manifests.reader import Manifest
from penstock_operator.resources.parse import Parsed, parse

GATEWAY = """
apiVersion: penstock.dev/v1alpha1
kind: GatewayDeployment
metadata: {name: edge, namespace: NAMESPACE}
spec: {}
"""
API = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {name: a-orders, namespace: NAMESPACE}
spec:
  listeners: [{http: {path: /orders}}]
  endpointGroups: [{name: default, endpoints: [{name: primary, url: "http://orders:8080"}]}]
"""
PLAN = """
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {name: open, namespace: NAMESPACE}
spec: {apiRef: {name: nobody}, security: {keyless: {}}}
"""
SAME_PATH = API.replace("a-orders", "b-orders")
UNKNOWN_POLICY = API.replace("/orders", "/x") + "  flows: [{request: [{custom: {name: nothing}}]}]\n"
BROKEN_EXPRESSION = (
    API.replace("/orders", "/x") + "  flows: [{request: [{mock: {body: '{#request.pth}'}}]}]\n"
)
BAD_CONFIGURATION = API.replace("/orders", "/x") + (
    "  flows: [{request: [{transformHeaders: {set: {'content-length': '1'}}}]}]\n"
)


class Index(NeighbourIndex):
    """An index that can be told what to learn right after it was asked for what it has not."""

    when_missed: Callable[[], None] | None = None

    def get(self, resource: ResourceId) -> Parsed | None:
        found = super().get(resource)
        if found is None and self.when_missed is not None:
            self.when_missed()
            self.when_missed = None
        return found


@dataclass
class Cluster:
    """A namespace of the real API server, and webhooks that it asks."""

    plane: ControlPlane
    namespace: str
    client: client.ApiClient
    neighbours: Index = field(default_factory=Index)
    reviews: list[tuple[str, bool]] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    def webhook(self, port: int | None = None) -> Webhook:
        port = port or self.port
        address = Address(self.namespace, f"https://127.0.0.1:{port}")
        settings = WebhookSettings(address, "127.0.0.1", port)
        return Webhook(self.neighbours, settings, self.client, lambda *seen: self.reviews.append(seen))

    async def kubectl(self, *arguments: str, text: str = "") -> tuple[int, str]:
        done = await asyncio.to_thread(self.plane.kubectl, *arguments, input=text)
        return done.returncode, done.stdout + done.stderr

    async def apply(self, text: str) -> tuple[int, str]:
        return await self.kubectl("apply", "-f", "-", text=text.replace("NAMESPACE", self.namespace))

    async def store(self, text: str) -> None:
        """Apply, and let the index have what the server made of it, as the operator's events do."""
        code, told = await self.apply(text)
        assert code == 0, told
        kind, _, name = told.split()[0].partition("/")
        _, stored = await self.kubectl("get", kind, name, "-n", self.namespace, "-o", "json")
        outcome = parse(Manifest("", 0, 0, json.loads(stored)))
        assert isinstance(outcome, Parsed)
        self.neighbours.upsert(outcome)

    async def secret(self) -> dict[str, bytes]:
        found = await client.CoreV1Api(self.client).read_namespaced_secret(SECRET, self.namespace)
        return {key: base64.b64decode(value) for key, value in (found.data or {}).items()}

    async def write_secret(self, data: dict[str, bytes]) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": self.namespace},
            "type": "kubernetes.io/tls",
            "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        }
        options = ("--server-side", "--force-conflicts", "-f", "-")
        code, told = await self.kubectl("apply", *options, text=json.dumps(body))
        assert code == 0, told

    async def post(self, body: bytes) -> int:
        context = ssl.create_default_context(cadata=(await self.secret())["ca.crt"].decode())
        url = f"https://127.0.0.1:{self.port}/validate"
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
            session.post(url, data=io.BytesIO(body)) as response,
        ):
            return response.status

    async def served_certificate(self, port: int | None = None) -> str:
        address = ("127.0.0.1", port or self.port)
        return await asyncio.to_thread(ssl.get_server_certificate, address, timeout=10)


@pytest.fixture
async def cluster(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    settings = client.Configuration()
    await config.load_kube_config(  # type: ignore[no-untyped-call]
        str(control_plane.kubeconfig), client_configuration=settings, persist_config=False
    )
    async with client.ApiClient(settings) as api_client:
        found = Cluster(control_plane, namespace, api_client)
        yield found
        await found.kubectl("delete", "validatingwebhookconfiguration", "penstock", "--ignore-not-found")


@pytest.fixture
async def webhook(cluster: Cluster) -> AsyncIterator[Webhook]:
    """A webhook that the API server asks already."""
    served = cluster.webhook()
    await served.start()
    await _asked(cluster)
    yield served
    await served.stop()


async def _asked(cluster: Cluster) -> None:
    """Returns when the API server, which learns of a registration by a watch, asks the webhook."""
    before = len(cluster.reviews)
    async with asyncio.timeout(30):
        while len(cluster.reviews) == before:
            text = GATEWAY.replace("edge", "probe").replace("NAMESPACE", cluster.namespace)
            await cluster.kubectl("apply", "--dry-run=server", "-f", "-", text=text)
    cluster.reviews.clear()


@pytest.mark.usefixtures("webhook")
@pytest.mark.parametrize(
    "text",
    [SAME_PATH, UNKNOWN_POLICY, BROKEN_EXPRESSION, BAD_CONFIGURATION],
    ids=["path conflict", "unknown policy", "broken expression", "bad configuration"],
)
async def test_refuses_in_the_words_of_validate(cluster: Cluster, tmp_path: Path, text: str) -> None:
    await cluster.store(GATEWAY)
    await cluster.store(API)
    code, told = await cluster.apply(text)
    assert code == 1
    parts = [GATEWAY, text] if "a-orders" in text else [GATEWAY, API, text]
    (tmp_path / "all.yaml").write_text("---".join(parts).replace("NAMESPACE", cluster.namespace))
    problems = [problem for problem in find_problems(tmp_path)[0] if problem.severity == "Error"]
    assert problems
    for problem in problems:
        words = f"error: {problem.resource} {problem.field}: {problem.message} ({problem.reason})"
        assert words in told
    assert 'admission webhook "validate.penstock.dev" denied the request' in told
    assert ("ApiDefinition", False) in cluster.reviews


@pytest.mark.usefixtures("webhook")
async def test_lets_good_resources_through_and_their_edits(cluster: Cluster) -> None:
    await cluster.store(GATEWAY)
    await cluster.store(API)
    code, told = await cluster.apply(API.replace("/orders", "/other"))
    assert (code, "Warning" in told) == (0, False), told


@pytest.mark.usefixtures("webhook")
async def test_warns_of_what_is_not_there_yet(cluster: Cluster) -> None:
    code, told = await cluster.apply(PLAN)
    assert code == 0
    missing = f"there is no ApiDefinition {cluster.namespace}/nobody (ApiNotFound)"
    assert f"Warning: warning: Plan {cluster.namespace}/open spec.apiRef.name: {missing}" in told


@pytest.mark.usefixtures("webhook")
async def test_waits_a_moment_for_what_was_applied_just_before(cluster: Cluster) -> None:
    await cluster.store(API)
    [api] = cluster.neighbours.claimants(Claim("*", "/orders"))
    cluster.neighbours.remove(id_of(api))
    cluster.neighbours.when_missed = lambda: cluster.neighbours.upsert(api)
    _, told = await cluster.apply(PLAN.replace("nobody", "a-orders"))
    assert ("Warning" in told, cluster.neighbours.when_missed) == (False, None)


async def test_with_the_webhook_away_everything_goes_through(cluster: Cluster, webhook: Webhook) -> None:
    await cluster.store(GATEWAY)
    await cluster.store(API)
    assert (await cluster.apply(SAME_PATH))[0] == 1
    await webhook.stop()
    code, told = await cluster.apply(SAME_PATH)
    assert code == 0, told


async def test_replicas_share_one_certificate(cluster: Cluster) -> None:
    ports = (free_port(), free_port())
    replicas = [cluster.webhook(port) for port in ports]
    await asyncio.gather(*(replica.start() for replica in replicas))
    served = {await cluster.served_certificate(port) for port in ports}
    await asyncio.gather(*(replica.stop() for replica in replicas))
    assert served == {(await cluster.secret())["tls.crt"].decode()}


async def test_a_certificate_near_its_end_is_renewed_under_the_same_authority(cluster: Cluster) -> None:
    old = renewed(None, "127.0.0.1", datetime.now(UTC) - timedelta(days=70))
    await cluster.write_secret(old.as_data())
    served = cluster.webhook()
    await served.start()
    try:
        secret = await cluster.secret()
        assert secret["ca.crt"] == old.ca
        assert secret["tls.crt"] != old.certificate
        assert await cluster.served_certificate() == secret["tls.crt"].decode()
    finally:
        await served.stop()


async def test_follows_a_new_authority_while_it_serves(cluster: Cluster, webhook: Webhook) -> None:
    other = renewed(None, "127.0.0.1", datetime.now(UTC))
    await cluster.write_secret(other.as_data())
    await webhook.renew()
    assert await cluster.served_certificate() == other.certificate.decode()
    await _asked(cluster)
    code, told = await cluster.apply(UNKNOWN_POLICY)
    assert (code, "denied the request" in told) == (1, True)


async def test_mends_a_registration_that_was_edited(cluster: Cluster, webhook: Webhook) -> None:
    edit = json.dumps([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}])
    name = ("validatingwebhookconfiguration", "penstock")
    await cluster.kubectl("patch", *name, "--type=json", "-p", edit)
    await webhook.renew()
    _, policy = await cluster.kubectl("get", *name, "-o", "jsonpath={.webhooks[0].failurePolicy}")
    assert policy == "Ignore"


async def test_can_be_started_again_where_the_registration_failed(cluster: Cluster, webhook: Webhook) -> None:
    await cluster.kubectl("delete", "validatingwebhookconfiguration", "penstock")
    await webhook.start()
    await _asked(cluster)
    assert (await cluster.apply(UNKNOWN_POLICY))[0] == 1


@pytest.mark.usefixtures("webhook")
@pytest.mark.parametrize(
    ("body", "status"), [(b"nonsense", 400), (b" " * (9 * 2**20), 413)], ids=["no review", "too large"]
)
async def test_refuses_other_bodies(cluster: Cluster, body: bytes, status: int) -> None:
    assert await cluster.post(body) == status
