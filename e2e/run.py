"""`make e2e`: runs the scenarios on the provider that works here, and keeps a log with times in `results/`.

Arguments are pytest's. Each line is shown as it comes, after the seconds since the start.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from e2e.components.commands import BuildError
from e2e.providers.choose import provider

_FOLDER = Path(__file__).parent
_PYTEST = [sys.executable, "-u", "-m", "pytest", "--capture=no", "--verbose", "--durations=0", "--color=no"]


def main() -> int:
    """Pytest's exit code."""
    try:
        name, _ = provider()
    except BuildError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return 1
    results = _FOLDER / "results"
    arguments = sys.argv[1:] or [str(_FOLDER / "scenarios")]
    print(f"penstock: end-to-end on the provider `{name}`; log in {results / name}.log", flush=True)
    return _logged([*_PYTEST, *arguments], results / f"{name}.log")


def _logged(command: list[str], path: Path) -> int:
    begin = time.monotonic()
    with (
        path.open("w", encoding="utf-8") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        # Ctrl-C and SIGTERM are pytest's to handle: it stops the cluster, and its output ends then.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        for line in process.stdout or ():
            timed = f"[{time.monotonic() - begin:6.1f} s] {line}"
            print(timed, end="", flush=True)
            log.write(timed)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
