"""A wrapped value shows itself nowhere but where it is asked for."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest

from gateway_runtime.processes.messages import Configure, frame
from gateway_runtime.secrets.hidden import SecretBytes, SecretText
from gateway_runtime.snapshot.types import Snapshot

CANARY = "canary-4f1b"
HIDDEN = [SecretText(CANARY), SecretBytes(CANARY.encode())]
URI = "kubernetes/a/b:c"


def raised(value: object) -> str:
    try:
        raise ValueError(value)
    except ValueError:
        return traceback.format_exc()


SHOWN: list[Callable[[object], str]] = [
    repr,
    str,
    ascii,
    lambda value: f"{value}{value!r}{value!s:>20}{value:>40}",
    lambda value: "%s %r" % (value, value),  # noqa: UP031 - as logging does
    lambda value: repr({"key": [value]}),
    lambda value: repr(Configure(1, Snapshot(), None, {URI: value})),
    lambda value: logging.makeLogRecord({"msg": "%s", "args": (value,)}).getMessage(),
    raised,
]


@pytest.mark.parametrize("value", HIDDEN, ids=["text", "bytes"])
@pytest.mark.parametrize("show", SHOWN)
def test_no_text_of_a_secret_shows_its_value(show: Callable[[object], str], value: object) -> None:
    assert CANARY not in show(value)


@pytest.mark.parametrize("value", HIDDEN, ids=["text", "bytes"])
@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, json.dumps, msgspec.json.encode])
def test_a_secret_is_written_by_nobody(write: Callable[[object], object], value: object) -> None:
    with pytest.raises((TypeError, NotImplementedError)):
        write(value)


def test_a_secret_goes_to_workers_by_their_channel_alone() -> None:
    order = Configure(1, Snapshot(), None, {URI: SecretText(CANARY)})
    assert CANARY.encode() in frame(order)


def test_secrets_are_equal_by_value() -> None:
    assert SecretText("a") == SecretText("a") != SecretText("b")
    assert SecretBytes(b"a").decoded() == SecretText("a")
    assert SecretBytes(b"\xff").decoded() is None
    assert SecretBytes(b"\xff").base64() == SecretText("/w==")
