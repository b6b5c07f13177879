"""PEM texts to the TLS contexts of Kafka connections, towards clients and towards clusters.

A server shows the first certificate that is for the name that its client asks for, by the DNS names of the
certificate alone (RFC 9525); where none is, the first of all, which the client then judges.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

from cryptography import x509

from gateway_runtime.security.pem import load_chain
from gateway_runtime.snapshot.kafka import KafkaTls

_SAFE: Final = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


class ServerSide(ssl.SSLObject):
    """The server's end of one TLS connection (`transport.get_extra_info("ssl_object")`)."""

    asked_name: str = ""
    """The name that the client asked for (RFC 6066 section 3), in lower case; empty without one."""


def server_context(certificates: list[tuple[str, str]], client_ca: str | None) -> ssl.SSLContext:
    """The context of a listener with these certificates, each a chain and its key in PEM.

    With `client_ca` a client may show a certificate, which then must be of it. Raises ValueError for PEM that
    cannot be used.
    """
    shown = [(_dns_names(chain), _server(chain, key, client_ca)) for chain, key in certificates]
    if not shown:
        raise ValueError("a listener with TLS needs a certificate")
    first = shown[0][1]
    first.sni_callback = _picker(shown)
    return first


def client_context(tls: KafkaTls) -> ssl.SSLContext:
    """The context of connections to a cluster, whose texts are PEM by now.

    Raises ValueError for PEM that cannot be used.
    """
    try:
        context = _client(tls)
        if tls.certificate is not None:
            load_chain(context, tls.certificate.encode(), (tls.key or "").encode())
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise _unusable("the cluster's TLS", error) from None
    return context


def _client(tls: KafkaTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= _SAFE
    if tls.ca is not None:
        context.load_verify_locations(cadata=tls.ca)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca is None:
        context.load_default_certs()
    return context


def _server(chain: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= _SAFE | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.sslobject_class = ServerSide
    try:
        load_chain(context, chain.encode(), key.encode())
        if client_ca is not None:
            context.load_verify_locations(cadata=client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise _unusable("the listener's TLS", error) from None
    return context


def _unusable(what: str, error: Exception) -> ValueError:
    """Says why by OpenSSL's word for it: its text may quote what it was given."""
    reason = getattr(error, "reason", None) or type(error).__name__
    return ValueError(f"the PEM of {what} cannot be used: {reason}")


def _picker(
    shown: list[tuple[frozenset[str], ssl.SSLContext]],
) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    def pick(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        asked = (name or "").lower()
        if isinstance(connection, ServerSide):
            connection.asked_name = asked
        wildcard = "*." + asked.partition(".")[2]
        for names, context in shown:
            if asked in names or wildcard in names:
                connection.context = context
                return

    return pick


def _dns_names(chain: str) -> frozenset[str]:
    """The names that a certificate is for; `*` stands for the whole first label (RFC 9525 section 6.3)."""
    try:
        certificate = x509.load_pem_x509_certificate(chain.encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    except ValueError as error:
        raise _unusable("the listener's TLS", error) from None
    return frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName))
