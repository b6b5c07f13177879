"""One script of operations that a client runs; what became of each, in one word of Kafka's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sized

from kafka_access import PATIENCE, ClientError, Driver

Outcome = str | list[str]
_FAILED = re.compile(r"([A-Za-z_]+?)_?authorization_?failed", re.IGNORECASE)


def outcomes(driver: Driver) -> dict[str, Outcome]:
    """What becomes of each operation, in their order: `ok`, the name of an error, or what is seen."""
    return {name: _outcome(call) for name, call in _script(driver)}


def _script(driver: Driver) -> list[tuple[str, Callable[[], Iterable[str] | None]]]:
    return [
        ("write", lambda: _ok(driver.produce("free", ["one"]))),
        ("write with acks=1", lambda: _ok(driver.produce("free", ["two"], acks="1"))),
        ("write where only reading is allowed", lambda: _ok(driver.produce("readable", ["x"]))),
        ("write what is hidden", lambda: _ok(driver.produce("hidden", ["x"]))),
        ("read", lambda: _ok(driver.consume("free", 2))),
        ("read what may be seen alone", lambda: _ok(driver.consume("seen", 1))),
        ("read in a group", lambda: _joined(driver, "free", "own-readers")),
        ("read in a group of others", lambda: _joined(driver, "free", "hidden-group")),
        ("read in a group that may be seen alone", lambda: _joined(driver, "free", "shown")),
        ("describe", lambda: _ok(driver.leaders("seen"))),
        ("describe what is hidden", lambda: _ok(driver.leaders("hidden"))),
        ("describe what is not there", lambda: _ok(driver.leaders("absent"))),
        ("create", lambda: driver.create_topic("made-here")),
        ("create what is denied", lambda: driver.create_topic("made-denied")),
        ("create without a rule", lambda: driver.create_topic("other")),
        ("list", driver.topics),
        ("describe settings", lambda: _ok(driver.configs("configured"))),
        ("describe settings of what may be seen alone", lambda: _ok(driver.configs("seen"))),
        ("alter settings", lambda: driver.alter_config("configured", "retention.ms", "86400000")),
        ("alter settings without a rule", lambda: driver.alter_config("free", "retention.ms", "86400000")),
        ("delete", lambda: driver.delete_topic("made-here")),
        ("delete without a rule", lambda: driver.delete_topic("free")),
        ("transact", lambda: driver.transact("free", ["t"], "own-tx", commit=True)),
        ("transact by an id of others", lambda: driver.transact("free", ["t"], "tx", commit=True)),
        (
            "transact on what is not its own",
            lambda: driver.transact("readable", ["t"], "own-tx", commit=True),
        ),
        ("list groups", driver.groups),
        ("describe a group", lambda: [driver.group_state("shown")]),
        ("describe a group of others", lambda: [driver.group_state("hidden-group")]),
    ]


def _ok(found: Sized) -> list[str] | None:
    """What is found depends on the moment, but that something is: kafka-python tells of no error there."""
    return None if found else []


def _outcome(call: Callable[[], Iterable[str] | None]) -> Outcome:
    try:
        seen = call()
    except ClientError as error:
        return word(str(error))
    return "ok" if seen is None else sorted(seen)


def _joined(driver: Driver, topic: str, group: str) -> None:
    """A member gets partitions, or is told why not."""
    with driver.member(topic, group) as seen, seen.changed:
        assert seen.changed.wait_for(lambda: bool(seen.failure or seen.partitions), PATIENCE)
    if seen.failure:
        raise ClientError(seen.failure)


def word(text: str) -> str:
    """An error's name as the protocol has it, of how a client puts it (`TopicAuthorizationFailedError`)."""
    found = _FAILED.search(text)
    if found is None:
        return text.split(maxsplit=1)[0]
    return f"{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', found[1]).upper()}_AUTHORIZATION_FAILED"
