"""What every client must be able to do, at a cluster as well as through a gateway."""

from __future__ import annotations

from kafka_access import Driver, GroupProtocol

from e2e.components.kafka import Kafka
from e2e.components.waiting import wait_until


def numbered(count: int, start: int = 0) -> list[str]:
    """Values that tell where a record is missing or doubled."""
    return [f"value-{number}" for number in range(start, start + count)]


def reads_what_it_wrote(driver: Driver, topic: str) -> None:
    """A client makes a topic, writes records and reads the same ones."""
    driver.create_topic(topic, partitions=2)
    written = driver.produce(topic, numbered(50))
    assert len(set(written)) == 50
    assert sorted(driver.consume(topic, 50)) == sorted(numbered(50))


def rebalances(driver: Driver, topic: str, protocol: GroupProtocol = "classic") -> None:
    """A second member of a group gets a share of the partitions, and gives it back; every record is read."""
    driver.create_topic(topic, partitions=3)
    driver.produce(topic, numbered(30))
    everything = frozenset(range(3))
    with driver.member(topic, f"{topic}-group", protocol) as first:
        first.wait("all partitions", lambda seen: seen.partitions == everything)
        with driver.member(topic, f"{topic}-group", protocol) as second:
            second.wait("a share", lambda seen: 0 < len(seen.partitions) < 3)
            share = second.partitions
            first.wait("the rest", lambda seen: seen.partitions == everything - share)
            driver.produce(topic, numbered(30, start=30))
        first.wait("all partitions again", lambda seen: seen.partitions == everything)
        read = {*numbered(60)}
        first.wait("all records", lambda seen: read <= {*seen.values, *second.values})
        assert {*first.values, *second.values} == read


def transacts(driver: Driver, topic: str) -> None:
    """Only the records of committed transactions are read by who reads committed ones."""
    driver.create_topic(topic)
    driver.transact(topic, numbered(5), f"{topic}-tx", commit=True)
    driver.transact(topic, numbered(5, start=100), f"{topic}-tx", commit=False)
    driver.transact(topic, numbered(5, start=5), f"{topic}-tx", commit=True)
    assert driver.consume(topic, 10, committed=True) == numbered(10)


def administers(driver: Driver, topic: str, nodes: set[str]) -> None:
    """A client makes, lists, describes and removes a topic, and sees these nodes and no others."""
    for one in (topic, f"{topic}-removed"):
        driver.create_topic(one, partitions=3)
    # Brokers hear of it one after the other.
    wait_until("the topics to come", lambda: {topic, f"{topic}-removed"} <= driver.topics())
    leaders = driver.leaders(topic)
    assert set(leaders) == {0, 1, 2}
    assert set(leaders.values()) <= nodes
    assert driver.nodes() == nodes
    assert driver.configs(topic)["cleanup.policy"] == "delete"
    with driver.member(topic, f"{topic}-group") as member:
        member.wait("all partitions", lambda seen: len(seen.partitions) == 3)
        assert f"{topic}-group" in driver.groups()
    # Not that of the group: kafka-python asks for it once more as it closes, and brokers make it anew.
    driver.delete_topic(f"{topic}-removed")
    wait_until("the topic to go", lambda: f"{topic}-removed" not in driver.topics())
    assert topic in driver.topics()


def share_from_the_start(kafka: Kafka, group: str) -> None:
    """Share groups begin at the end of topics unless their configuration says otherwise (KIP-932)."""
    kafka.tool(
        "kafka.admin.ConfigCommand",
        *("--bootstrap-server", kafka.bootstrap(), "--alter", "--entity-type", "groups"),
        *("--entity-name", group, "--add-config", "share.auto.offset.reset=earliest"),
    )
