"""Kubeconfigs of several forms -> how kopf connects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kopf
import yaml

from penstock_operator.cluster.credentials import login


def connection(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> kopf.ConnectionInfo:
    others = {"server": "https://other.example"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [
            {"name": "there", "context": {"cluster": "other", "user": "other"}},
            {"name": "here", "context": {"cluster": "mine", "user": "me"}},
        ],
        "clusters": [{"name": "other", "cluster": others}, {"name": "mine", "cluster": cluster}],
        "users": [{"name": "other", "user": {"token": "wrong"}}, {"name": "me", "user": user}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    found = login(path)()
    assert found is not None
    return found


def test_a_token_and_a_certificate_authority_as_data(tmp_path: Path) -> None:
    cluster = {"server": "https://api.example:6443", "certificate-authority-data": "Q0E="}
    found = connection(tmp_path, cluster, {"token": "t"})
    assert (found.server, found.ca_data, found.token) == ("https://api.example:6443", "Q0E=", "t")
    assert not found.insecure


def test_certificates_as_files(tmp_path: Path) -> None:
    cluster = {"server": "https://api.example", "certificate-authority": "/ca.crt"}
    found = connection(tmp_path, cluster, {"client-certificate": "/me.crt", "client-key": "/me.key"})
    assert (found.ca_path, found.certificate_path, found.private_key_path, found.token) == (
        "/ca.crt",
        "/me.crt",
        "/me.key",
        None,
    )


def test_certificates_as_data(tmp_path: Path) -> None:
    user = {"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}
    found = connection(tmp_path, {"server": "https://api.example"}, user)
    assert (found.certificate_data, found.private_key_data) == ("Q0VSVA==", "S0VZ")


def test_a_server_whose_certificate_is_not_checked(tmp_path: Path) -> None:
    cluster = {"server": "https://api.example", "insecure-skip-tls-verify": True}
    assert connection(tmp_path, cluster, {"token": "t"}).insecure is True


def test_a_token_that_was_renewed_is_read_at_the_next_login(tmp_path: Path) -> None:
    connection(tmp_path, {"server": "https://api.example"}, {"token": "old"})
    log_in = login(tmp_path / "kubeconfig")
    connection(tmp_path, {"server": "https://api.example"}, {"token": "new"})
    found = log_in()
    assert found is not None
    assert found.token == "new"


def test_without_a_kubeconfig_it_is_the_service_account_of_the_pod() -> None:
    assert login(None) is kopf.login_with_service_account


def test_a_token_in_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    found = connection(tmp_path, {"server": "https://api.example"}, {"tokenFile": str(tmp_path / "token")})
    assert found.token == "from-file"
