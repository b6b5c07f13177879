"""A namespace with two backend pods and an API in front of them that only a subscriber's key opens."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.components.waiting import wait_until
from e2e.installed.traffic import Answer, ask
from e2e.providers.cluster import Cluster

_SCENARIOS = Path(__file__).parents[1] / "scenarios"


class Shop:
    """The namespace of an API's team, and what clients of the gateway at `url` get of it."""

    def __init__(self, cluster: Cluster, namespace: str, url: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.url = url

    def apply(self, *manifests: Mapping[str, Any] | str) -> None:
        """`kubectl apply` of texts and objects."""
        texts = (one if isinstance(one, str) else json.dumps(one) for one in manifests)
        self.cluster.kubectl_output("apply", "-n", self.namespace, "-f", "-", input="\n---\n".join(texts))

    def apply_file(self, name: str, **values: str) -> None:
        """`kubectl apply` of a file beside the scenarios, with values in place of $NAMES."""
        text = (_SCENARIOS / name).read_text(encoding="utf-8")
        for variable, value in values.items():
            text = text.replace(f"${variable}", value)
        self.apply(text)

    def api(self, name: str, body: str) -> None:
        """An API for everybody at `/NAME-of-the-namespace/NAME` that the gateway answers itself."""
        mock = {"request": [{"mock": {"status": 200, "body": body}}]}
        endpoint = {"name": "unused", "url": "http://127.0.0.1:9"}
        self.apply(
            penstock(
                "ApiDefinition",
                name,
                listeners=[{"http": {"path": self.path(name)}}],
                endpointGroups=[{"name": "default", "endpoints": [endpoint]}],
                flows=[mock],
            )
        )

    def plan(self, name: str) -> None:
        """Lets everybody into an API."""
        self.apply(penstock("Plan", name, apiRef={"name": name}, security={"keyless": {}}))

    def path(self, name: str) -> str:
        """Where the API is that `api` makes."""
        return f"/{self.namespace}/{name}"

    def ask(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request through the gateway."""
        return ask(self.url + path, headers)

    def wait_for(self, path: str, text: str) -> None:
        """Returns when ten requests in a row are answered by this text: each pod will have been asked."""
        wait_until(f"{text} at {path}", lambda: all(self.ask(path).text == text for _ in range(10)))

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` finds."""
        return json.loads(self.cluster.kubectl_output("get", "-n", self.namespace, "-o", "json", *arguments))

    def names(self, kind: str) -> set[str]:
        """The names of the objects of a kind."""
        return {one["metadata"]["name"] for one in self.get(kind)["items"]}

    def key(self, subscription: str) -> str:
        """The API key that the operator made."""
        command = [
            "get",
            "secret",
            f"{subscription}-api-key",
            "-n",
            self.namespace,
            "-o",
            "jsonpath={.data.apiKey}",
        ]
        wait_until("the API key", lambda: bool(self.cluster.kubectl(*command).stdout))
        return base64.b64decode(self.cluster.kubectl_output(*command)).decode()


def penstock(kind: str, name: str, **spec: object) -> dict[str, Any]:
    """An object of a kind of Penstock."""
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


@dataclass(frozen=True, slots=True)
class Orders:
    """How a subscriber calls the API `orders`."""

    url: str
    headers: Mapping[str, str]
