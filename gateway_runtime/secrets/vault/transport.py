"""What a provider says of TLS -> an hvac client that trusts just that, and reads nothing of its surroundings.

No environment variable, no `.netrc`, no `~/.vault-token`, no proxy; no redirect is followed, since
the token's header would go along.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any, Final

import hvac
import requests
from requests.adapters import HTTPAdapter

from gateway_runtime.secrets.provider import ProviderError
from gateway_runtime.security.pem import load_chain
from gateway_runtime.snapshot.providers import VaultProvider

CONCURRENCY: Final = 4
"""Calls of one provider that are under way at most, each in a thread and on a connection of its own."""


@dataclass(frozen=True, slots=True)
class ClientPair:
    """A client's certificate and key, PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


class _Adapter(HTTPAdapter):
    """Connections by a TLS context of our own: `requests` would add the authorities that it brings."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=CONCURRENCY)

    def init_poolmanager(self, *given: Any, **options: Any) -> None:
        super().init_poolmanager(*given, ssl_context=self._context, **options)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host, {"ssl_context": self._context}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """The context says it all."""


def connect(provider: VaultProvider, pair: ClientPair | None) -> hvac.Client:
    """A client that is not logged in. Raises ProviderError for certificates that are none."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Adapter(_context(provider.ca, pair)))
    return hvac.Client(
        url=provider.address,
        token="",
        verify=True,
        timeout=provider.timeout,
        allow_redirects=False,
        session=session,
        namespace=provider.namespace or None,
    )


def _context(authorities: str, pair: ClientPair | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=authorities or None)
        if pair is not None:
            load_chain(context, pair.certificate, pair.key)
    except (ssl.SSLError, ValueError) as error:
        raise ProviderError(f"its certificates cannot be used: {type(error).__name__}") from None
    return context
