"""What is known of one document of secrets, and what URIs name."""

from __future__ import annotations

import pytest

from gateway_runtime.secrets.document import Document
from gateway_runtime.secrets.hidden import SecretBytes
from gateway_runtime.secrets.locator import Locator, locate

KUBERNETES = ("kubernetes", "")


class Time:
    now = 100.0


@pytest.fixture
def document(changes: list[None]) -> Document:
    return Document("Secret shop/backend", lambda: changes.append(None), lambda: Time.now)


@pytest.fixture
def changes() -> list[None]:
    return []


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Time, "now", 100.0)


def values(**given: str) -> dict[str, SecretBytes]:
    return {key: SecretBytes(value.encode()) for key, value in given.items()}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("kubernetes/shop/backend:token", Locator(KUBERNETES, "shop/backend", "token")),
        ("base64:kubernetes/shop/backend:pepper", Locator(KUBERNETES, "shop/backend", "pepper")),
        ("kubernetes/shop/backend:with:colon", Locator(KUBERNETES, "shop/backend", "with:colon")),
        ("vault/main/kv/team/a:key", Locator(("vault", "main"), "kv/team/a", "key")),
        ("env/own/TOKEN", Locator(("env", "own"), "TOKEN", "")),
        ("file/own/a/b.txt", Locator(("file", "own"), "a/b.txt", "")),
        ("file/own/a/b.json:key", Locator(("file", "own"), "a/b.json", "key")),
        ("vault/main/kv/team/a", None),
        ("vault/main/kv:key", None),
        ("vault/main/kv//a:key", None),
        ("env/own/", None),
        ("env//TOKEN", None),
        ("other/a/b/c:d", None),
        ("kubernetes/shop/backend", None),
        ("kubernetes/shop/backend:", None),
        ("kubernetes/shop/a/b:key", None),
        ("kubernetes//backend:key", None),
        ("kubernetes/shop/:key", None),
        ("", None),
    ],
)
def test_uris_name_a_document_and_a_key(uri: str, expected: object) -> None:
    assert locate(uri) == expected


def test_a_document_is_first_being_read_then_not_there_then_there(document: Document) -> None:
    assert document.problem("token") == "Secret shop/backend: it is being read"
    document.gone()
    assert document.problem("token") == "Secret shop/backend: it is not there"
    document.put(values(other="x"))
    assert document.problem("token") == "Secret shop/backend: it has no key token"
    document.put(values(token="value"))
    assert document.problem("token") == ""
    assert document.value("token") == SecretBytes(b"value")


def test_why_a_document_cannot_be_read_is_told_and_counted(document: Document) -> None:
    document.trouble("forbidden")
    document.trouble("forbidden")
    assert document.problem("token") == "Secret shop/backend: forbidden"
    assert document.failures == 2


@pytest.mark.parametrize("how", ["deleted", "forbidden", "key removed"])
def test_a_value_that_was_there_stays(document: Document, how: str) -> None:
    document.put(values(token="value"))
    if how == "deleted":
        document.gone()
    elif how == "forbidden":
        document.trouble("forbidden")
    else:
        document.put({})
    assert document.value("token") == SecretBytes(b"value")
    assert document.problem("token") == ""


def test_the_newest_value_counts(document: Document, changes: list[None]) -> None:
    document.put(values(token="old"))
    document.put(values(token="new"))
    told = len(changes)
    document.put(values(token="new"))
    assert document.value("token") == SecretBytes(b"new")
    assert len(changes) == told


def test_what_is_watched_does_not_age_until_the_watch_breaks(document: Document) -> None:
    document.put(values(token="value"))
    document.live()
    Time.now = 200.0
    assert document.age() == 0.0
    document.trouble("away")
    Time.now = 230.0
    assert document.age() == 30.0
    document.live()
    assert document.age() == 0.0


def test_what_is_read_ages_from_the_last_time_it_was_seen(document: Document) -> None:
    document.put(values(token="value"))
    Time.now = 160.0
    document.trouble("away")
    assert document.age() == 60.0
    document.confirm()
    assert document.age() == 0.0


def test_values_are_dropped_at_their_greatest_age_and_not_before(document: Document) -> None:
    document.put(values(token="value"))
    document.trouble("Vault is not reached")
    Time.now = 159.0
    document.expire(60.0)
    assert document.value("token") is not None
    Time.now = 160.0
    document.expire(60.0)
    assert document.value("token") is None
    assert document.problem("token") == "Secret shop/backend: Vault is not reached"
