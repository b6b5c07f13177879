"""The pod of `scenarios/kafka_client.yaml` -> what its writer had acknowledged and what its reader has read.

Both are Kafka's own programs for tests of brokers, which print a line of JSON for each record.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from e2e.components.waiting import wait_until
from e2e.providers.cluster import Cluster

_SECONDS = 120.0


class Record(NamedTuple):
    """Where a record is, and its value."""

    partition: int
    offset: int
    value: int


class KafkaClient:
    """The pod `client` of a namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def written(self) -> list[Record]:
        """What the cluster has acknowledged so far."""
        return [_record(one) for one in self._told("writer") if one["name"] == "producer_send_success"]

    def read(self) -> list[Record]:
        """What was read so far, in that order."""
        return [_record(one) for one in self._told("reader") if one["name"] == "record_data"]

    def failures(self) -> list[str]:
        """What the writer was told of records that were not written."""
        return [str(one) for one in self._told("writer") if one["name"] == "producer_send_error"]

    def wait_for(self, count: int) -> None:
        """Returns when so many records more are read."""
        before = len(self.read())
        wait_until(
            f"{count} records", lambda: len(self.read()) >= before + count, self._check, seconds=_SECONDS
        )

    def stop_writing(self) -> list[Record]:
        """All that was written; returns when that has been read."""
        self._kubectl("exec", "client", "-c", "writer", "--", "sh", "-c", "kill 1")
        wait_until("the end of the writer", lambda: self._has_ended("writer"))
        written = self.written()
        values = {one.value for one in written}
        wait_until(
            "all records", lambda: values <= {one.value for one in self.read()}, self._check, seconds=_SECONDS
        )
        return written

    def _check(self) -> None:
        if self._has_ended("reader"):
            said = self._kubectl("logs", "client", "-c", "reader", "--tail=30")
            raise RuntimeError(f"the reader has ended: {said}")

    def _has_ended(self, container: str) -> bool:
        pod = json.loads(self._kubectl("get", "pod", "client", "-o", "json"))
        statuses: list[dict[str, Any]] = pod["status"].get("containerStatuses", [])
        return any(one["name"] == container and "terminated" in one["state"] for one in statuses)

    def _told(self, container: str) -> Iterator[dict[str, Any]]:
        lines = self._kubectl("logs", "client", "-c", container).splitlines()
        return (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))

    def _kubectl(self, *arguments: str) -> str:
        return self._cluster.kubectl_output(arguments[0], "-n", self._namespace, *arguments[1:])


def by_partition(records: list[Record]) -> dict[int, list[Record]]:
    """The records of each partition, in their order."""
    found: defaultdict[int, list[Record]] = defaultdict(list)
    for record in records:
        found[record.partition].append(record)
    return found


def _record(told: dict[str, Any]) -> Record:
    return Record(told["partition"], told["offset"], int(told["value"]))
