"""The committed schemas are those of the Kafka that tests run against."""

import json
from pathlib import Path

from e2e.components.kafka import VERSION, libraries
from gateway_runtime.protocols.kafka.messages import KAFKA_VERSION
from tools.kafka_schemas import TARGET, write


def test_the_schemas_are_what_the_generator_makes_of_kafkas_own(tmp_path: Path) -> None:
    made = tmp_path / "schemas.json"
    write(libraries() / f"kafka-clients-{VERSION}.jar", made)
    assert KAFKA_VERSION == VERSION
    assert made.read_text() == TARGET.read_text()
    assert len(json.loads(made.read_text())) > 140
