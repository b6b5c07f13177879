"""A listening socket in the clear to connections by `PlainTransport`."""

from __future__ import annotations

import logging
import socket
from typing import Final, cast

from gateway_runtime.connections.listeners import Listening
from gateway_runtime.connections.plain_transport import PlainTransport, Reading

_LOG: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 64
"""Connections that are accepted before anything else is done."""
_PAUSE: Final = 1.0
"""Seconds until it is tried again where the system gives no more sockets."""


class PlainListening(Listening):
    """One socket at which a worker accepts clients without TLS."""

    async def open(self) -> None:
        """Begin to accept."""
        self.socket.setblocking(False)
        self._begin()

    def _begin(self) -> None:
        if self.socket.fileno() >= 0:
            self._loop.add_reader(self.socket.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, _address = self.socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                _LOG.warning("no connection can be accepted for %g s: %s", _PAUSE, error)
                self._loop.remove_reader(self.socket.fileno())
                self._loop.call_later(_PAUSE, self._begin)
                return
            self._start(client)

    def _start(self, client: socket.socket) -> None:
        PlainTransport(self._loop, client, cast("Reading", self._make())).start()

    async def close(self) -> None:
        """Take what waits in the queue, and close."""
        self._loop.remove_reader(self.socket.fileno())
        for client in self._waiting():
            self._start(client)
        self.socket.close()
