"""Programs -> archives of the node's own images: the pause container and CoreDNS, each FROM scratch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from e2e.components import coredns, packages
from e2e.components.cache import Recipe, cached
from e2e.components.docker import Docker
from e2e.providers.native.addresses import COREDNS_IMAGE, PAUSE_IMAGE

_DOCKERFILE = """FROM scratch
COPY program /program
USER 65532:65532
ENTRYPOINT {entry}
"""


def pause(docker: Docker) -> Path:
    """The archive of an image that only waits and reaps."""
    packages.require({"catatonit": "catatonit"})
    return _archive(docker, PAUSE_IMAGE, '["/program", "-P"]', lambda: Path(shutil.which("catatonit") or ""))


def dns(docker: Docker) -> Path:
    """The archive of CoreDNS' image."""
    return _archive(docker, COREDNS_IMAGE, '["/program"]', coredns.program)


def _archive(docker: Docker, tag: str, entry: str, program: Callable[[], Path]) -> Path:
    dockerfile = _DOCKERFILE.format(entry=entry)
    name = tag.partition("/")[2].replace(":", "-")

    def build(folder: Path) -> None:
        (folder / "Dockerfile").write_text(dockerfile, encoding="ascii")
        shutil.copy(program(), folder / "program")
        docker.build(folder, tag)
        docker.save(tag, folder / f"{name}.tar")

    recipe = Recipe(f"image-{name}", coredns.VERSION.removeprefix("v"), (tag, dockerfile), "seconds")
    return cached(recipe, build) / f"{name}.tar"
