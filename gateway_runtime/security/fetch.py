"""One document over HTTP(S), in a thread: bounded in time and size, no redirects, no proxies.

A key set that moves could be anybody's; the URL is asked directly and must answer 200.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

TIMEOUT: Final = 5.0
"""Seconds for all of it, the name's look-up and the last byte of the body included."""

MAX_BYTES: Final = 1 << 20


async def fetch_document(url: str, timeout: float = TIMEOUT) -> bytes:  # noqa: ASYNC109
    """The body at an http or https URL, had within `timeout` seconds.

    Raises OSError where the server cannot be reached in time, ValueError for an answer other than 200 and
    a body over 1 MiB, http.client.HTTPException for an answer that is not HTTP.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = await asyncio.to_thread(_connection, url)
    try:
        async with asyncio.timeout(timeout):
            return await asyncio.to_thread(_get, connection, target)
    except BaseException:
        _abort(connection)
        raise


def _connection(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=context)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


def _get(connection: HTTPConnection, target: str) -> bytes:
    try:
        headers = {"accept": "application/jwk-set+json, application/json", "connection": "close"}
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as response:
            document = response.read(MAX_BYTES + 1)
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"the server answered {response.status}")
    if len(document) > MAX_BYTES:
        raise ValueError(f"the document is larger than {MAX_BYTES} bytes")
    return document


def _abort(connection: HTTPConnection) -> None:
    """End the thread that still reads: its socket gives no more."""
    held: socket.socket | None = connection.sock
    if held is not None:
        with suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)
