"""Kafka's jars and a Java runtime -> an image of brokers and of Kafka's own clients, for pods."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from e2e.components import base_image
from e2e.components.docker import Docker
from e2e.components.java import runtime
from e2e.components.kafka import LOG_SETTINGS, VERSION, libraries

TAG = f"penstock.invalid/kafka:{VERSION}"
_JAVA = "-cp /opt/kafka/* -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties -XX:-UsePerfData"
_SMALL = "-Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
# Of the base only the C library is used, and a shell.
_DOCKERFILE = f"""FROM {base_image.TAG}
COPY java /opt/java
COPY kafka /opt/kafka
ENV PATH=/opt/java/bin:/usr/bin:/bin JDK_JAVA_OPTIONS="{_JAVA} {_SMALL}"
USER 65532:65532
"""


def build(docker: Docker) -> str:
    """The tag of the image; what did not change since the last time is Docker's to reuse."""
    with tempfile.TemporaryDirectory(prefix="penstock-image-") as name:
        folder = Path(name)
        shutil.copytree(runtime(), folder / "java")
        shutil.copytree(libraries(), folder / "kafka")
        shutil.copy(LOG_SETTINGS, folder / "kafka" / "log4j2.properties")
        (folder / "Dockerfile").write_text(_DOCKERFILE, encoding="ascii")
        docker.build(folder, TAG)
    return TAG
