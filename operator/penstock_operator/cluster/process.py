"""The operator's process: kopf's events in, rounds of the reconciler out; a health port and a webhook."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final

import kopf
from kopf._core.engines.peering import Identity

from gateway_runtime.cluster.client import ClusterClient, ClusterError, connect
from penstock_operator.admission.registration import Address
from penstock_operator.cluster.config_maps import ConfigMapWork
from penstock_operator.cluster.credentials import login
from penstock_operator.cluster.gateways import GatewayWork
from penstock_operator.cluster.handlers import Sinks, registry, settings
from penstock_operator.cluster.history import History
from penstock_operator.cluster.infrastructure import Infrastructure
from penstock_operator.cluster.kinds import LEASE, NAMESPACE, RESOURCES, WATCHED
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.leader import LOCK, Election, Leader, standing
from penstock_operator.cluster.listing import Listing
from penstock_operator.cluster.metrics import HealthServer, Metrics
from penstock_operator.cluster.observed import Observed
from penstock_operator.cluster.reconciler import Parts, Reconciler
from penstock_operator.cluster.secrets import OwnSecrets
from penstock_operator.cluster.statuses import StatusWriter
from penstock_operator.cluster.store import Store
from penstock_operator.cluster.webhook import Webhook, WebhookSettings
from penstock_operator.cluster.writer import Writer
from penstock_operator.deploy.context import DeployContext

_LOG: Final = logging.getLogger(__name__)
_RENEWAL: Final = 3600.0
_RETRY: Final = 2.0
_GRACE: Final = 10.0


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """How to run. `watched` are the namespaces to look at (none: all); a webhook port of 0: no webhook.

    `webhook_url` is where the API server finds the webhook, where that is not its Service.
    """

    namespace: str
    image: str
    watched: tuple[str, ...] = ()
    kubeconfig: Path | None = None
    host: str = "0.0.0.0"  # noqa: S104 - probed by the kubelet
    port: int = 8081
    elects: bool = True
    webhook_port: int = 9443
    webhook_url: str | None = None


class OperatorProcess:
    """One replica of the operator."""

    def __init__(self, options: OperatorOptions, client: ClusterClient) -> None:
        self._options = options
        self._client = client
        self._identity = f"{socket.gethostname()}_{uuid.uuid4()}"
        self._metrics = Metrics()
        self._kube = Kube(client, self._metrics.call)
        self._store = Store(self._wake)
        for kind in RESOURCES:
            self._metrics.resources.labels(kind.name).set_function(partial(self._store.count, kind))
        self._observed = Observed(self._wake, monotonic)
        self._sinks = Sinks(self._store, self._observed)
        # Without a right to namespaces a replica of given namespaces knows no labels of them.
        self._kinds = tuple(kind for kind in WATCHED if kind is not NAMESPACE or not options.watched)
        self._listing = Listing(self._kube, self._sinks, options.watched, self._wake)
        self._leader = Leader(self._wake)
        self._reconciler = Reconciler(self._parts(), self._may_write)
        self._stop = asyncio.Event()

    def _parts(self) -> Parts:
        kube, store, observed = self._kube, self._store, self._observed
        infrastructure = Infrastructure(DeployContext(self._options.image))
        return Parts(
            store,
            observed,
            kube,
            OwnSecrets(kube, store, self._options.namespace),
            GatewayWork(infrastructure, kube, store, observed),
            ConfigMapWork(kube, observed),
            History(kube, observed),
            StatusWriter(kube, self._identity, monotonic),
            Writer(monotonic, self._metrics.failure),
            self._metrics,
        )

    def _wake(self) -> None:
        self._reconciler.wake()

    def _may_write(self) -> bool:
        self._metrics.leading.set(int(self._leader.is_leading))
        return self._leader.is_leading and not self._listing.missing

    def _not_ready(self) -> str:
        missing = self._listing.missing
        return f"not all is known yet: {', '.join(missing)}" if missing else ""

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        self._handle_signals()
        options = self._options
        health = HealthServer(self._metrics, self._reconciler.not_healthy, self._not_ready)
        await health.start(options.host, options.port)
        election = Election(options.namespace, self._identity) if options.elects else None
        self._listing.expect(self._kinds)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(health.stop)
            stack.push_async_callback(self._resign)
            await stack.enter_async_context(_running(self._events()))
            await stack.enter_async_context(_running(self._listing.run()))
            await stack.enter_async_context(_running(self._reconciler.run()))
            await stack.enter_async_context(_running(self._serve_webhook()))
            await stack.enter_async_context(standing(self._leader, self._client.api, election))
            await self._stop.wait()
            _LOG.info("stopping")

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)

    async def _events(self) -> None:
        """kopf, restarted should it ever fail: its events are the operator's eyes."""
        while not self._stop.is_set():
            logging.getLogger("kopf").setLevel(logging.WARNING)  # each event would be a line
            made = registry(self._kinds, self._sinks, self._listing.relisted)
            kopf.on.login(registry=made)(login(self._options.kubeconfig))
            try:
                async with _running(self._watch(made)) as watching:
                    await asyncio.wait([watching])
                    watching.result()
            except Exception:
                _LOG.exception("the watching of the cluster failed, and begins anew")
                await asyncio.sleep(_RETRY)
                self._listing.expect(self._kinds)
            else:
                self._stop.set()  # kopf ends by itself at a signal alone

    async def _watch(self, made: kopf.OperatorRegistry) -> None:
        ready = asyncio.Event()
        # kopf takes the process's signals as it starts; they are the whole operator's.
        async with _running(_after(ready, self._handle_signals)):
            await kopf.operator(
                registry=made,
                settings=settings(),
                # kopf's own would name the user, and the image's has no name.
                identity=Identity(self._identity),
                standalone=True,
                clusterwide=not self._options.watched,
                namespaces=self._options.watched,
                ready_flag=ready,
            )

    async def _serve_webhook(self) -> None:
        """Serve the webhook; while the API server is away its registration is tried again and again."""
        options = self._options
        if not options.webhook_port:
            return
        address = Address(options.namespace, options.webhook_url)
        settings_ = WebhookSettings(address, port=options.webhook_port)
        webhook = Webhook(self._store.neighbours, settings_, self._client.api, self._metrics.review)
        try:
            await _tried("the webhook", webhook.start)
            while True:
                await asyncio.sleep(_RENEWAL)
                await _tried("the webhook's certificate", webhook.renew)
        finally:
            await webhook.stop()

    async def _resign(self) -> None:
        """Leave the lead to another replica at once."""
        if not (self._options.elects and self._leader.is_leading):
            return
        with suppress(ClusterError, TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._kube.delete(LEASE, self._options.namespace, LOCK)


async def _tried(what: str, call: object) -> None:
    while True:
        try:
            await call()  # type: ignore[operator]
        except Exception as error:
            _LOG.warning("%s is not set up yet: %s", what, error)
            await asyncio.sleep(_RETRY)
        else:
            return


async def _after(event: asyncio.Event, call: Callable[[], None]) -> None:
    await event.wait()
    call()


@asynccontextmanager
async def _running(work: Awaitable[None]) -> AsyncIterator[asyncio.Future[None]]:
    """A task while the block runs."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_report_end)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=_GRACE)


def _report_end(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.error("a part of the operator has ended", exc_info=task.exception())


async def run_operator(options: OperatorOptions) -> None:
    """Run one replica until a signal. Raises ClusterError where there is no way to an API server."""
    async with connect(options.kubeconfig) as client:
        await OperatorProcess(options, client).run()
