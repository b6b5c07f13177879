"""A Kafka cluster for examples/kafka, and Kafka's own tools: `kafka.py cluster`, `kafka.py TOOL ARGUMENTS`.

The cluster of three brokers serves 127.0.0.1:9092 to 9094 until Ctrl-C, and forgets everything then. TOOL is
what Kafka's scripts are called without their `.sh`. Java and Kafka are fetched where they are not there.
"""

from __future__ import annotations

import os
import signal
import sys

from e2e.components.java import java
from e2e.components.kafka import Kafka, libraries
from e2e.components.kafka_configuration import Options

FIRST_PORT = 9092
TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
}


def cluster() -> None:
    """Serve until a signal."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Kafka(Options(first_port=FIRST_PORT)) as kafka:
        print(f"Kafka serves {kafka.bootstrap()}; Ctrl-C ends it", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


def tool(name: str, arguments: list[str]) -> None:
    """Become one of Kafka's tools."""
    program = str(java())
    words = ["-Xmx256m", "-Dlog4j2.level=OFF", "-cp", f"{libraries()}/*", TOOLS[name], *arguments]
    os.execv(program, [program, *words])


if __name__ == "__main__":
    if sys.argv[1:] == ["cluster"]:
        cluster()
    elif sys.argv[1:2] and sys.argv[1] in TOOLS:
        tool(sys.argv[1], sys.argv[2:])
    else:
        sys.exit(f"usage: kafka.py cluster | {' | '.join(TOOLS)}")
