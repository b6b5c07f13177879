"""What a name in `secrets.get` stands for, and what it can never reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.graph.providers import is_allowed
from penstock_operator.graph.secret_names import ProviderEntry, SecretEntry, SecretNameError, read_name
from penstock_operator.resources.secret_provider import SecretProvider


def provider(*paths: str, namespaces: tuple[str, ...] = ("shop",)) -> SecretProvider:
    allow = [{"namespaces": list(namespaces), "paths": list(paths)}] if paths else []
    return SecretProvider.model_validate({"name": "file", "file": {"folder": "/run"}, "allow": allow})


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("/kubernetes/store:token", SecretEntry("store", "token")),
        ("/vault/kv/a/b:c", ProviderEntry("vault", "kv/a/b", "c")),
        ("/env/TOKEN", ProviderEntry("env", "TOKEN")),
        ("/file/a/b.json:c.d", ProviderEntry("file", "a/b.json", "c.d")),
        ("/eu-vault/kv/a_b@c+d=e~f:g", ProviderEntry("eu-vault", "kv/a_b@c+d=e~f", "g")),
    ],
)
def test_names_are_read(name: str, entry: SecretEntry | ProviderEntry) -> None:
    assert read_name(name) == entry


@pytest.mark.parametrize(
    "name",
    [
        "/", "/vault", "/vault/", "//kv/a:b", "/Vault/kv/a:b", "/vault/kv:b", "/vault/kv/a:", "/vault/kv/a",
        "/vault/kv/a:b:c", "/vault/kv/./a:b", "/vault/kv/../a:b", "/vault/kv/.hidden/a:b", "/vault/kv//a:b",
        "/vault/kv/a/:b", "/vault/kv/%2e%2e/a:b", "/vault/kv/a%2fb:c", "/vault/kv/a\\b:c", "/vault/kv/a b:c",
        "/vault/kv/a?b:c", "/vault/kv/a#b:c", "/vault/kv/a\n:b", "/vault/kv/a:b\n", "/vault/kv/ä:b",
        "/vault/kv/a:b/c", "/kubernetes/a/b:c", "/kubernetes/a:b:c", "/kubernetes/A:b", "/kubernetes/a",
        "/env/A:b", "/env/1A", "/env/A-B", "/file/:a", f"/vault/kv/{'a' * 1500}:b",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SecretNameError, match="names no secret; write /"):
        read_name(name)


@given(st.text(alphabet="a./%:\\~2ef", max_size=20))
def test_no_path_that_is_read_leads_upwards_or_is_encoded(text: str) -> None:
    try:
        entry = read_name(f"/file/{text}")
    except SecretNameError:
        return
    assert isinstance(entry, ProviderEntry)
    assert not any(segment in ("", ".", "..") or "%" in segment for segment in entry.path.split("/"))
    assert "\\" not in entry.path and ":" not in entry.path


@pytest.mark.parametrize(
    ("allowed", "path", "is_let"),
    [
        ("kv/shop/*", "kv/shop/a", True),
        ("kv/shop/*", "kv/shop/a/b", True),
        ("kv/shop/*", "kv/shop", False),
        ("kv/shop/*", "kv/shop-eu/a", False),
        ("kv/shop/*", "kv/shopping", False),
        ("kv/shop", "kv/shop", True),
        ("kv/shop", "kv/shop/a", False),
        ("kv/shop", "kv/sho", False),
        ("*", "kv/any/thing", True),
    ],
)
def test_whole_segments_of_a_path_are_compared(allowed: str, path: str, is_let: bool) -> None:
    assert is_allowed(provider(allowed), "shop", path) is is_let


def test_nothing_is_allowed_that_is_not_said() -> None:
    assert not is_allowed(provider(), "shop", "kv/a")
    assert not is_allowed(provider("*"), "bank", "kv/a")
    assert is_allowed(provider("*", namespaces=("*",)), "bank", "kv/a")
