"""The certificates of a Kafka listener, as its secrets are now, to the context that its sockets have.

The context holds no certificate of its own: each handshake is handed to that of the moment, so that a new
certificate needs no new socket and ends no connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from gateway_runtime.connections.kafka_tls import ServerSide, server_context
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.kafka import Certificate, ListenerTls
from gateway_runtime.snapshot.wire import SecretRef

_Pair = tuple[SecretText, SecretText]
_Secrets = Mapping[str, SecretText]


class ListenerCertificates:
    """Of one listener. What was good serves on while what replaces it is missing or broken."""

    def __init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self.context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        # A session that is resumed would skip the check by certificate authorities that came since.
        self.context.options |= ssl.OP_NO_TICKET
        self.context.num_tickets = 0
        self.context.sslobject_class = ServerSide
        self.context.sni_callback = self._hand_over
        self._good: dict[Certificate, _Pair] = {}
        self._used: object = None
        self._current: ssl.SSLContext | None = None
        self._problems: list[str] = []

    def update(self, tls: ListenerTls, secrets: _Secrets) -> list[str]:
        """Show these certificates from now on; answers what is wrong with them, without their values."""
        wanted = (tls, {uri: secrets.get(uri) for uri in _uris(tls)})
        if wanted != self._used:
            self._used = wanted
            self._problems = []
            self._rebuild(tls, secrets)
        return self._problems

    def _rebuild(self, tls: ListenerTls, secrets: _Secrets) -> None:
        self._good = {one: pair for one in tls.certificates if (pair := self._pair(one, secrets))}
        pairs = [(chain.reveal(), key.reveal()) for chain, key in self._good.values()]
        try:
            client_ca = None if tls.client_ca is None else _value(tls.client_ca, secrets).reveal()
            current = server_context(pairs, client_ca) if pairs else self._current
        except ValueError as error:
            self._problems.append(f"client certificate authority: {error}")
            return
        if current is not None:
            self._current = current
            # OpenSSL takes all but this from the context that is handed over to.
            self.context.verify_mode = current.verify_mode

    def _pair(self, certificate: Certificate, secrets: _Secrets) -> _Pair | None:
        try:
            chain, key = _value(certificate.chain, secrets), _value(certificate.key, secrets)
            server_context([(chain.reveal(), key.reveal())], None)
        except ValueError as error:
            self._problems.append(f"certificate {certificate.chain.uri}: {error}")
            return self._good.get(certificate)
        return chain, key

    def _hand_over(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        current = self._current
        if current is None:
            return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)
        connection.context = current
        pick = current.sni_callback
        return None if pick is None else pick(connection, name or "", current)


def _uris(tls: ListenerTls) -> list[str]:
    references = [one for pair in tls.certificates for one in (pair.chain, pair.key)]
    return [one.uri for one in (*references, *filter(None, [tls.client_ca]))]


def _value(reference: SecretRef, secrets: _Secrets) -> SecretText:
    value = secrets.get(reference.uri)
    if value is None:
        raise ValueError(f"{reference.uri} is missing")
    return value
