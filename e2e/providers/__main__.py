"""`python -m e2e.providers`: a cluster to try things by hand; prints its kubeconfig, serves until Ctrl-C."""

from __future__ import annotations

import signal
import sys

from e2e.components.docker import Docker
from e2e.components.progress import say
from e2e.providers.choose import provider


def main() -> None:
    """Serves until Ctrl-C or SIGTERM."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # SIGINT is ignored where a shell began it in the background
        signal.signal(number, signal.default_int_handler)
    name, make = provider()
    try:
        with Docker() as docker, make(docker) as cluster:
            docker.close()
            print(cluster.kubeconfig, flush=True)
            say(f"a cluster of the provider {name}; export KUBECONFIG as printed; Ctrl-C ends it")
            signal.pause()
    except KeyboardInterrupt:
        print("penstock: cluster stopped", file=sys.stderr)


if __name__ == "__main__":
    main()
