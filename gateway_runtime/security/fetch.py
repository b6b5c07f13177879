"""One document over HTTP(S), in a thread: bounded in time and size, no redirects, no proxies.

A key set that moves could be anybody's; the URL is asked directly and must answer 200. With a form it is
asked by POST, as the endpoints of OAuth 2.0 are.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

TIMEOUT: Final = 5.0
"""Seconds for all of it, the name's look-up and the last byte of the body included."""

MAX_BYTES: Final = 1 << 20


class StatusError(ValueError):
    """The server answered with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class ClientForm:
    """What a client that authenticates by its secret posts (RFC 6749 section 2.3.1)."""

    client_id: str
    client_secret: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)

    @property
    def body(self) -> bytes:
        """The form as it is sent."""
        return urlencode(self.fields).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The fields that go with it."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return {
            "authorization": f"Basic {b64encode(pair.encode()).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        }


async def fetch_document(
    url: str,
    timeout: float = TIMEOUT,  # noqa: ASYNC109
    form: ClientForm | None = None,
    authorization: str | None = None,
) -> bytes:
    """The body at an http or https URL, had within `timeout` seconds; the answer to a form that is posted.

    Raises OSError where the server cannot be reached in time, ValueError for an answer other than 200
    (StatusError) and a body over 1 MiB, http.client.HTTPException for an answer that is not HTTP.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = await asyncio.to_thread(_connection, url)
    try:
        async with asyncio.timeout(timeout):
            return await asyncio.to_thread(_ask, connection, target, form, authorization)
    except BaseException:
        _abort(connection)
        raise


def _connection(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=context)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


def _ask(
    connection: HTTPConnection, target: str, form: ClientForm | None, authorization: str | None
) -> bytes:
    headers = {"accept": "application/jwk-set+json, application/json", "connection": "close"}
    if authorization is not None:
        headers["authorization"] = authorization
    try:
        if form is None:
            connection.request("GET", target, headers=headers)
        else:
            connection.request("POST", target, form.body, {**headers, **form.headers})
        with connection.getresponse() as response:
            document = response.read(MAX_BYTES + 1)
    finally:
        connection.close()
    if response.status != 200:
        raise StatusError(response.status)
    if len(document) > MAX_BYTES:
        raise ValueError(f"the document is larger than {MAX_BYTES} bytes")
    return document


def _abort(connection: HTTPConnection) -> None:
    """End the thread that still reads: its socket gives no more."""
    held: socket.socket | None = connection.sock
    if held is not None:
        with suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)
