"""How kopf reaches the API server: as the rest of the operator does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kopf
import yaml

Login = Callable[..., kopf.ConnectionInfo | None]


def login(kubeconfig: Path | None) -> Login:
    """A login handler: by a kubeconfig, else by the pod's service account."""
    if kubeconfig is None:
        return kopf.login_with_service_account

    def log_in(**_: Any) -> kopf.ConnectionInfo | None:
        return _from_kubeconfig(yaml.safe_load(kubeconfig.read_text(encoding="utf-8")))

    return log_in


def _from_kubeconfig(config: dict[str, Any]) -> kopf.ConnectionInfo:
    context = _named(config, "contexts", config["current-context"])["context"]
    cluster = _named(config, "clusters", context["cluster"])["cluster"]
    user = _named(config, "users", context["user"])["user"]
    return kopf.ConnectionInfo(
        server=cluster["server"],
        ca_path=cluster.get("certificate-authority"),
        ca_data=cluster.get("certificate-authority-data"),
        insecure=cluster.get("insecure-skip-tls-verify"),
        certificate_path=user.get("client-certificate"),
        certificate_data=user.get("client-certificate-data"),
        private_key_path=user.get("client-key"),
        private_key_data=user.get("client-key-data"),
        token=user.get("token") or _token_of(user.get("tokenFile")),
    )


def _token_of(path: str | None) -> str | None:
    return Path(path).read_text(encoding="utf-8").strip() if path else None


def _named(config: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in config[part] if one["name"] == name)
    return found
