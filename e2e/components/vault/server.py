"""The program -> a running Vault with a root token, plain or by TLS; its data go with it."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from pathlib import Path
from types import TracebackType

from e2e.components.ports import ADDRESS, free_port
from e2e.components.processes import Server, start
from e2e.components.vault import build

_PATIENCE = 60.0
_POLL = 0.05


class VaultServer:
    """One server; `with VaultServer() as vault:` starts and stops it. With a PEM pair it serves by TLS."""

    def __init__(self, certificate: Path | None = None, key: Path | None = None) -> None:
        self._program = build.program()
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-vault-"))
        self._port = free_port()
        self._server: Server | None = None
        self._options = [f"-address={ADDRESS}:{self._port}"]
        if certificate and key:
            self._options += [f"-certificate={certificate}", f"-key={key}"]
        self.address = f"{'https' if certificate else 'http'}://{ADDRESS}:{self._port}"
        self.root_token = ""

    def __enter__(self) -> VaultServer:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it; returns when it serves, unsealed and empty."""
        log = self._folder / "vault.log"
        log.unlink(missing_ok=True)
        self._server = start(self._program, self._options, log)
        deadline = time.monotonic() + _PATIENCE
        while not (tokens := [line for line in _lines(log) if line.startswith("hvs.")]):
            self._server.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"vault does not serve after {_PATIENCE:g} s:\n{self._server.output()}")
            time.sleep(_POLL)
        self.root_token = tokens[0]

    def freeze(self) -> None:
        """Have it answer nothing, as where the network is gone; its data stay."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it answer again."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it."""
        if self._server:
            self.thaw()
            self._server.kill()
            self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: int) -> None:
        assert self._server
        self._server.signal(number)


def _lines(log: Path) -> list[str]:
    whole, _, _ = log.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    return whole.splitlines()
