"""All drivers, by the names of their clients."""

from __future__ import annotations

from collections.abc import Callable

from driver_aiokafka import AioKafka
from driver_confluent import Confluent
from driver_kafka_python import KafkaPython
from driver_programs import Franz, Java
from kafka_access import Access, Driver

DRIVERS: dict[str, Callable[[Access], Driver]] = {
    one.name: one for one in (AioKafka, Confluent, KafkaPython, Java, Franz)
}
