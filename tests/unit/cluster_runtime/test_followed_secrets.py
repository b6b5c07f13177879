"""What is known of one Secret, and what URIs name."""

from __future__ import annotations

import base64

import pytest

from gateway_runtime.cluster.objects import DataObject
from gateway_runtime.cluster.secrets import FollowedSecret, parse_uri


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def followed() -> FollowedSecret:
    return FollowedSecret(("shop", "backend"), lambda: None)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("kubernetes/shop/backend:token", (("shop", "backend"), "token")),
        ("base64:kubernetes/shop/backend:pepper", (("shop", "backend"), "pepper")),
        ("kubernetes/shop/backend:with:colon", (("shop", "backend"), "with:colon")),
        ("vault/kv/path:key", None),
        ("kubernetes/shop/backend", None),
        ("kubernetes/shop/backend:", None),
        ("kubernetes/shop/a/b:key", None),
        ("kubernetes//backend:key", None),
        ("kubernetes/shop/:key", None),
        ("", None),
    ],
)
def test_uris_name_a_secret_and_its_key(uri: str, expected: object) -> None:
    assert parse_uri(uri) == expected


def test_a_secret_is_first_being_read_then_not_there_then_there(followed: FollowedSecret) -> None:
    assert followed.problem("token") == "Secret shop/backend: it is being read"
    followed.keep(set())
    assert followed.problem("token") == "Secret shop/backend: it is not there"
    followed.put(DataObject(data={"other": encoded("x")}))
    assert followed.problem("token") == "Secret shop/backend: it has no key token"
    followed.put(DataObject(data={"token": encoded("value")}))
    assert followed.problem("token") == ""
    assert followed.value("token") == encoded("value")


def test_why_a_secret_cannot_be_read_is_told(followed: FollowedSecret) -> None:
    followed.trouble("forbidden")
    assert followed.problem("token") == "Secret shop/backend: forbidden"


@pytest.mark.parametrize("how", ["deleted", "not listed", "forbidden", "key removed"])
def test_a_value_that_was_there_stays(followed: FollowedSecret, how: str) -> None:
    followed.put(DataObject(data={"token": encoded("value")}))
    followed.keep({"backend"})
    if how == "deleted":
        followed.remove("backend")
    elif how == "not listed":
        followed.keep(set())
    elif how == "forbidden":
        followed.trouble("forbidden")
    else:
        followed.put(DataObject(data={}))
    assert followed.value("token") == encoded("value")
    assert followed.problem("token") == ""


def test_the_newest_value_counts(followed: FollowedSecret) -> None:
    followed.put(DataObject(data={"token": encoded("old")}))
    followed.put(DataObject(data={"token": encoded("new")}))
    assert followed.value("token") == encoded("new")
