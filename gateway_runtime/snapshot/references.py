"""Which secrets and Services a section names.

A value goes to the workers under the URI of its reference, as text. The pepper is no text but bytes: it goes
as base64 under a URI of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from gateway_runtime.snapshot.kafka import KafkaListener
from gateway_runtime.snapshot.providers import SecretProvider, VaultProvider
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    ApiSection,
    GatewaySection,
    JwtSecurity,
    SecretRef,
    ServicePort,
)

BINARY_PREFIX: Final = "base64:"


def binary_uri(reference: SecretRef) -> str:
    """The URI under which a value of any bytes goes to the workers, as base64."""
    return BINARY_PREFIX + reference.uri


def gateway_uris(section: GatewaySection) -> frozenset[str]:
    """The URIs of the secrets that the gateway's own section names."""
    return frozenset() if section.key_pepper is None else frozenset((binary_uri(section.key_pepper),))


def listener_references(listener: KafkaListener) -> Iterator[SecretRef]:
    """The certificates and keys of a listener, and who signs the certificates of clients."""
    if listener.tls is not None:
        for certificate in listener.tls.certificates:
            yield from (certificate.chain, certificate.key)
        if listener.tls.client_ca is not None:
            yield listener.tls.client_ca


def api_references(section: ApiSection) -> Iterator[SecretRef]:
    """The secrets that an API's section names; one may come twice, with different times of refresh."""
    yield from section.secrets.values()
    for plan in section.plans:
        if isinstance(plan.security, JwtSecurity) and plan.security.secret is not None:
            yield plan.security.secret


def api_uris(section: ApiSection) -> frozenset[str]:
    """The URIs of the secrets that an API's section names."""
    return frozenset(reference.uri for reference in api_references(section))


def credentials(provider: SecretProvider) -> tuple[SecretRef, ...]:
    """The secrets that a provider logs in with."""
    if not isinstance(provider, VaultProvider):
        return ()
    fields = msgspec.structs.asdict(provider.auth).values()
    return tuple(value for value in fields if isinstance(value, SecretRef))


def shortest_refreshes(references: Iterable[SecretRef]) -> dict[str, float]:
    """How many seconds old each secret may get, by URI, where its references say so."""
    refreshes: dict[str, float] = {}
    for reference in references:
        if reference.refresh > 0:
            refreshes[reference.uri] = min(reference.refresh, refreshes.get(reference.uri, reference.refresh))
    return refreshes


def api_services(section: ApiSection) -> frozenset[ServicePort]:
    """The ports of Services that an API's endpoints stand for."""
    endpoints = (endpoint for group in section.endpoint_groups for endpoint in group.endpoints)
    return frozenset(endpoint.service for endpoint in endpoints if endpoint.service is not None)


def has_api_keys(section: ApiSection) -> bool:
    """Whether an API lets in by keys, and so needs the gateway's pepper."""
    return any(isinstance(plan.security, ApiKeySecurity) for plan in section.plans)


def secret_uris(section: ApiSection, gateway: GatewaySection) -> frozenset[str]:
    """The URIs of all secrets that an API of a gateway needs."""
    own = api_uris(section)
    return own | gateway_uris(gateway) if has_api_keys(section) else own
