"""The ValidatingWebhookConfiguration by which an API server asks the webhook."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import urlsplit

from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import GROUP, VERSION

NAME = "penstock"
PATH = "/validate"
SERVICE = "penstock-webhook"

_TIMEOUT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API server finds the webhook: its Service in a namespace, or a URL such as https://HOST:PORT."""

    namespace: str
    url: str | None = None

    @property
    def host(self) -> str:
        """The name (or IP address) that the certificate must have."""
        if self.url is None:
            return f"{SERVICE}.{self.namespace}.svc"
        return urlsplit(self.url).hostname or ""


def configuration(address: Address, ca: bytes) -> KubeObject:
    """The object to apply; with the webhook away all is let through, as conditions tell the same later."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        # No labels: whoever installs this operator may have made it, with labels of their own.
        "metadata": {"name": NAME},
        "webhooks": [
            {
                "name": f"validate.{GROUP}",
                "admissionReviewVersions": ["v1"],
                "clientConfig": _client_config(address, ca),
                "failurePolicy": "Ignore",
                "matchPolicy": "Equivalent",
                "rules": [_rule()],
                "sideEffects": "None",
                "timeoutSeconds": _TIMEOUT_SECONDS,
            }
        ],
    }


def _client_config(address: Address, ca: bytes) -> KubeObject:
    bundle = base64.b64encode(ca).decode()
    if address.url is not None:
        return {"url": address.url.rstrip("/") + PATH, "caBundle": bundle}
    service = {"namespace": address.namespace, "name": SERVICE, "path": PATH, "port": 443}
    return {"service": service, "caBundle": bundle}


def _rule() -> KubeObject:
    return {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": ["CREATE", "UPDATE"],
        "resources": sorted(model.names.plural for model in KINDS.values()),
        "scope": "Namespaced",
    }
