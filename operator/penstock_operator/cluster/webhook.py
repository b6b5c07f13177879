"""Serves the validating webhook: AdmissionReview in, the verdict of `admission.review` out, over its own TLS.

Certificates are in the Secret `penstock-webhook-tls`, which all replicas share, and are renewed before they
end; here they are in memory only. An API server that cannot reach the webhook lets everything through.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from aiohttp import web
from kubernetes.aio.client import (
    AdmissionregistrationV1Api,
    ApiClient,
    ApiException,
    CoreV1Api,
    V1ObjectMeta,
    V1Secret,
)

from penstock_operator.admission.certificates import Certificates, from_data, renewed
from penstock_operator.admission.neighbours import Neighbours
from penstock_operator.admission.registration import NAME, PATH, Address, configuration
from penstock_operator.admission.review import Verdict, review
from penstock_operator.admission.wire import Request, decode, encode

SECRET = "penstock-webhook-tls"  # noqa: S105 - the name of a Secret

_log = logging.getLogger(__name__)

_MOST_BYTES = 8 * 2**20
"""Two versions of an object of the largest size that etcd takes, as JSON within JSON."""

_AT_ONCE = 32
_SECONDS = 2.0
"""The API server waits no longer."""

_PAUSES = (0.03, 0.07, 0.15)
"""Seconds between looks: a folder is applied in a row, and what came just before is known soon."""

Observe = Callable[[str, bool], None]
"""Told of each review: the kind of the object, and whether it was let through."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where the webhook listens, and where API servers find it."""

    address: Address
    host: str = "0.0.0.0"  # noqa: S104 - reached by a Service
    port: int = 9443


class Webhook:
    """The webhook of one replica; `start` once, then `renew` every now and then (an hour is often enough)."""

    def __init__(
        self, neighbours: Neighbours, settings: WebhookSettings, client: ApiClient, observe: Observe
    ) -> None:
        self._neighbours = neighbours
        self._settings = settings
        self._secrets = CoreV1Api(client)
        self._registrations = AdmissionregistrationV1Api(client)
        self._observe = observe
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._loaded: Certificates | None = None
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Serve, then tell the API server where; raises what the client raises where that is away.

        Then it may be called again: what listens already is kept.
        """
        certificates = await self._load()
        if self._runner is None:
            self._runner = await self._serve()
        await self._register(certificates)

    async def renew(self) -> None:
        """Take new certificates where there are some, or the known ones end soon; repair what was edited.

        New connections are served with the new certificate, those that are open stay.
        """
        await self._register(await self._load())

    async def stop(self) -> None:
        """Answer what was asked, then listen no more; the registration stays for the other replicas."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self) -> web.AppRunner:
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_post(PATH, self._validate)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(
            runner, self._settings.host, self._settings.port, ssl_context=self._context, reuse_address=True
        )
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        return runner

    async def _validate(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_SECONDS), self._places:
                asked = decode(await request.read())
                answer = await self._answer(asked)
        except msgspec.DecodeError as error:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"not an AdmissionReview: {error}")
        except TimeoutError:
            return web.Response(status=HTTPStatus.REQUEST_TIMEOUT)
        return web.Response(body=answer, content_type="application/json")

    async def _answer(self, asked: Request) -> bytes:
        if asked.object is None:
            return encode(asked, Verdict())
        verdict = review(asked.object, asked.old_object, self._neighbours)
        for pause in _PAUSES:
            if not verdict.is_unresolved:
                break
            await asyncio.sleep(pause)
            verdict = review(asked.object, asked.old_object, self._neighbours)
        self._observe(str(asked.object.get("kind")), not verdict.refusals)
        return encode(asked, verdict)

    async def _load(self) -> Certificates:
        certificates = await self._certificates()
        if certificates != self._loaded:
            _load_chain(self._context, certificates)
            self._loaded = certificates
        return certificates

    async def _certificates(self) -> Certificates:
        """The certificates of the Secret; new ones are used only once they are in it."""
        while True:
            secret = await self._read_secret()
            known = from_data(_decoded(secret)) if secret else None
            certificates = renewed(known, self._settings.address.host, datetime.now(UTC))
            if certificates == known or await self._write_secret(secret, certificates):
                return certificates

    async def _read_secret(self) -> V1Secret | None:
        try:
            return await self._secrets.read_namespaced_secret(SECRET, self._settings.address.namespace)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _write_secret(self, before: V1Secret | None, certificates: Certificates) -> bool:
        """Whether it was written: not where another replica was quicker."""
        namespace, body = self._settings.address.namespace, _secret(before, certificates)
        try:
            if before is None:
                await self._secrets.create_namespaced_secret(namespace, body)
            else:
                await self._secrets.replace_namespaced_secret(SECRET, namespace, body)
        except ApiException as error:
            if error.status == HTTPStatus.CONFLICT:
                return False
            raise
        _log.info("new certificate of the webhook in the Secret %s/%s", namespace, SECRET)
        return True

    async def _register(self, certificates: Certificates) -> None:
        await self._registrations.patch_validating_webhook_configuration(
            NAME,
            configuration(self._settings.address, certificates.ca),
            field_manager="penstock",
            force=True,
            _content_type="application/apply-patch+yaml",
        )


def _load_chain(context: ssl.SSLContext, certificates: Certificates) -> None:
    """Load from memory: OpenSSL's way for chains takes a path, and keys are written to no disk."""
    descriptor = os.memfd_create(SECRET)
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificates.key + certificates.certificate)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")


def _decoded(secret: V1Secret) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in (secret.data or {}).items()}


def _secret(before: V1Secret | None, certificates: Certificates) -> V1Secret:
    metadata = before.metadata if before else None
    labels = {"app.kubernetes.io/managed-by": "penstock"}
    data = {key: base64.b64encode(value).decode() for key, value in certificates.as_data().items()}
    return V1Secret(
        metadata=metadata or V1ObjectMeta(name=SECRET, labels=labels),
        type="kubernetes.io/tls" if before is None else before.type,
        data=data,
    )
