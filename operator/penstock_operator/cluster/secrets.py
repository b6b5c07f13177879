"""The Secrets that the operator makes and reads for itself: peppers of gateways, its salt, and API keys."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from gateway_runtime.cluster.client import ClusterError
from penstock_operator.cluster.kinds import SECRET, key_of
from penstock_operator.cluster.kube import Kube
from penstock_operator.cluster.store import Store
from penstock_operator.cluster.writer import NameTakenError, Write
from penstock_operator.deploy.configuration import PEPPER_KEY, pepper_secret
from penstock_operator.deploy.rights import pepper_name
from penstock_operator.graph.keys import KeyWork
from penstock_operator.graph.types import Graph, ResourceId
from penstock_operator.publish.keys import secret_of
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.gateway_secret import GatewaySecret
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.secret import SecretResource
from penstock_operator.status.observed import SecretVersion, value_version

_PEPPER_BYTES: Final = 32
_KEY_BYTES: Final = 32
SALT_SECRET: Final = "penstock-operator-salt"  # noqa: S105 - the name of a Secret
SALT_KEY: Final = "salt"


class OwnSecrets:
    """Reads them from the store, which follows all Secrets, and makes those that are missing."""

    def __init__(self, kube: Kube, store: Store, namespace: str) -> None:
        self._kube = kube
        self._store = store
        self._namespace = namespace
        self._versions: dict[str, SecretVersion] = {}
        self._values: dict[str, tuple[bytes, SecretVersion]] = {}
        self._own_salt: bytes = b""

    def peppers(self) -> dict[str, bytes]:
        """The peppers of all gateways that have one, by `namespace/name`."""
        found = {}
        for parsed in self._store.of_kind("GatewayDeployment").values():
            gateway = parsed.resource
            if isinstance(gateway, GatewayDeployment):
                pepper = self._value(gateway.metadata.namespace, pepper_name(gateway), PEPPER_KEY)
                if pepper is not None and len(pepper) == _PEPPER_BYTES:
                    found[gateway.key] = pepper
        return found

    def missing(self, graph: Graph, peppers: Mapping[str, bytes]) -> Iterator[Write]:
        """Makes the peppers of new gateways, and the salt."""
        for key, node in graph.gateways.items():
            if key not in peppers:
                made = pepper_secret(node.gateway, secrets.token_bytes(_PEPPER_BYTES))
                yield Write(str(key_of(made)), self._new_pepper(made), key)
        if self._salt() is None:
            yield Write(f"Secret {self._namespace}/{SALT_SECRET}", self._make_salt)

    def keys(self, work: Iterable[KeyWork]) -> Iterator[Write]:
        """Makes and rotates the API keys that nobody gives."""
        for one in work:
            yield self._key(one)

    def versions(self) -> dict[str, SecretVersion]:
        """Which value each GatewaySecret has."""
        salt = self._salt()
        if salt is None:
            return {}
        found: dict[str, tuple[bytes, SecretVersion]] = {}
        for parsed in self._store.of_kind("GatewaySecret").values():
            if isinstance(parsed.resource, GatewaySecret):
                source = parsed.resource.spec.source.kubernetes
                if source is None:
                    continue  # Vault's values are the pods' to read
                value = self._value(parsed.resource.metadata.namespace, source.name, source.key)
                if value is not None:
                    found[parsed.resource.key] = self._version(parsed.resource, value, salt)
        self._values = found
        return {key: version for key, (_, version) in found.items()}

    def _version(self, secret: GatewaySecret, value: bytes, salt: bytes) -> tuple[bytes, SecretVersion]:
        known = self._values.get(secret.key)
        if known is not None and known[0] == value:
            return known
        version = value_version(value, salt)
        status = secret.status or {}
        since = _moment(status.get("since")) if status.get("version") == version else None
        return value, SecretVersion(version, since or datetime.now(UTC))

    def _key(self, work: KeyWork) -> Write:
        async def write() -> None:
            made = secret_of(work, secrets.token_urlsafe(_KEY_BYTES), datetime.now(UTC))
            if work.current is None:
                await self._create(made)
            else:
                self._store.put(SECRET, await self._kube.apply(made))

        return Write(f"API key of {work.subscription.key}", write)

    def _new_pepper(self, made: KubeObject) -> Callable[[], Awaitable[None]]:
        async def create() -> None:
            if self._store.resources.get(ResourceId(*key_of(made))) is not None:
                raise NameTakenError(key_of(made))
            await self._create(made)

        return create

    async def _make_salt(self) -> None:
        """Make the salt, or read it, where it is there and in no watched namespace."""
        found = await self._kube.get(SECRET, self._namespace, SALT_SECRET)
        if found is None:
            found = await self._kube.create(self._new_salt())
        self._own_salt = base64.b64decode((found.get("data") or {}).get(SALT_KEY, ""))

    async def _create(self, made: KubeObject) -> None:
        """Create a Secret; one that somebody else made first is used, and comes as an event."""
        try:
            self._store.put(SECRET, await self._kube.create(made))
        except ClusterError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise

    def _new_salt(self) -> KubeObject:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": SALT_SECRET,
                "namespace": self._namespace,
                "labels": {"app.kubernetes.io/managed-by": "penstock"},
            },
            "data": {SALT_KEY: base64.b64encode(secrets.token_bytes(_PEPPER_BYTES)).decode()},
        }

    def _salt(self) -> bytes | None:
        return self._value(self._namespace, SALT_SECRET, SALT_KEY) or self._own_salt or None

    def _value(self, namespace: str, name: str, key: str) -> bytes | None:
        parsed = self._store.resources.get(ResourceId("Secret", namespace, name))
        resource = parsed.resource if parsed is not None else None
        return resource.values.get(key) if isinstance(resource, SecretResource) else None


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
