"""The demo: serves examples/quickstart before a small backend and shows each curl line with its answer.

On a terminal it then goes on serving until Ctrl-C; elsewhere it stops. It exits 1 where an answer is not
the one that the quick start promises.
"""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from examples.backend import Backend

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "examples/quickstart"
GATEWAY = "http://127.0.0.1:8080"
ADMIN = "http://127.0.0.1:9900"
BACKEND = "http://127.0.0.1:8090"
KEY = "X-Api-Key: demo-key-of-mobile"
START_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """One curl line, the status that it must get and what it shows."""

    shows: str
    url: str
    status: int
    headers: tuple[str, ...] = ()
    method: str = "GET"

    def command(self) -> list[str]:
        """The curl command."""
        method = [] if self.method == "GET" else ["-X", self.method]
        headers = [part for header in self.headers for part in ("-H", header)]
        return ["curl", "-i", *method, *headers, self.url]


CALLS = (
    Call("an API for everybody, answered by the gateway itself", f"{GATEWAY}/status", 200),
    Call("no key, no entry, and the API's own words for it", f"{GATEWAY}/orders/items/42", 401),
    Call(
        "with a key: the backend learns who calls, the key stays here",
        f"{GATEWAY}/orders/items/42",
        200,
        (KEY,),
    ),
    Call(
        "a browser's preflight (CORS)",
        f"{GATEWAY}/orders",
        204,
        ("Origin: https://shop.example.com", "Access-Control-Request-Method: GET"),
        "OPTIONS",
    ),
    Call("nothing is served there", f"{GATEWAY}/nowhere", 404),
)
LIMITED = Call(
    "the plan allows five calls in ten seconds, over all workers", f"{GATEWAY}/orders", 429, (KEY,)
)


def fetch(call: Call) -> tuple[int, str]:
    """The answer's status, and its text as `curl -i` prints it."""
    if shutil.which("curl"):
        command = [*call.command(), "--silent", "--show-error", "--max-time", "10"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return int(text.split()[1]), text
    return _fetch_without_curl(call)


def _fetch_without_curl(call: Call) -> tuple[int, str]:
    url = urlsplit(call.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    connection.request(call.method, url.path, headers=dict(line.split(": ", 1) for line in call.headers))
    response = connection.getresponse()
    head = "\n".join(f"{name}: {value}" for name, value in response.getheaders())
    body = response.read().decode()
    connection.close()
    return response.status, f"HTTP/1.1 {response.status} {response.reason}\n{head}\n\n{body}"


def show(call: Call) -> bool:
    """Print a call and its answer; answers whether the status is the promised one."""
    status, text = fetch(call)
    print(f"\n# {call.shows}\n$ {shlex.join(call.command())}")
    print("\n".join(f"  {line}" for line in text.strip().splitlines()), flush=True)
    if status != call.status:
        print(f"demo: this answer should have had status {call.status}", file=sys.stderr)
    return status == call.status


def show_limit() -> bool:
    """Use up the plan's rate limit, then show the refusal."""
    for _ in range(20):
        if fetch(LIMITED)[0] == LIMITED.status:
            break
    return show(LIMITED)


def require_free(url: str) -> None:
    """Raises SystemExit where another program listens."""
    port = urlsplit(url).port or 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(
                f"demo: port {port} of 127.0.0.1 cannot be used ({error.strerror}).\n"
                f"demo: stop the program there (ss -ltnp 'sport = :{port}' names it) and try again."
            ) from error


@contextmanager
def backend() -> Iterator[None]:
    """The demo's backend while the block runs."""
    with Backend(urlsplit(BACKEND).port or 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program while the block runs; stopped by SIGTERM after it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for /readyz. Raises SystemExit with the gateway's log where it does not come up."""
    end = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            if _fetch_without_curl(Call("", f"{ADMIN}/readyz", 200))[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"demo: the gateway did not start. Its log, {log}:\n{log.read_text(errors='replace')}")


def present(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Show every call; answers whether all went as promised."""
    begin = time.monotonic()
    wait_until_ready(process, log)
    print(f"penstock: serves {FOLDER} on {GATEWAY} (ready after {time.monotonic() - begin:.1f} s)")
    results = [show(call) for call in CALLS]
    return all([*results, show_limit()])


def stay(process: subprocess.Popen[bytes], log: Path) -> None:
    """Serve until Ctrl-C."""
    print(f"\nTry it yourself: the gateway serves until Ctrl-C. Edit a file in {FOLDER} and call again.")
    print(f"Admin: {ADMIN}/metrics and {ADMIN}/snapshot. Access log: {os.path.relpath(log)}", flush=True)
    try:
        process.wait()
    except KeyboardInterrupt:
        print("\npenstock: draining")


def main() -> int:
    """Run the demo; answers the exit code."""
    for url in (GATEWAY, ADMIN, BACKEND):
        require_free(url)
    log = ROOT / ".venv" / "demo-gateway.log"
    penstock = Path(sys.executable).with_name("penstock")
    print(f"$ penstock run -f {FOLDER}", flush=True)
    with backend(), running([str(penstock), "run", "-f", FOLDER], log) as gateway:
        good = present(gateway, log)
        if good and sys.stdout.isatty() and sys.stdin.isatty():
            stay(gateway, log)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
