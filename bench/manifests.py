"""Writes the manifests of a work for Penstock: one file for each API, with its plan, subscription and key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from bench.works import KEY_HEADER, REQUEST_HEADER, RESPONSE_HEADER, Work, api_key, api_name
from penstock_operator.resources.kinds import KINDS

_VERSION = "penstock.dev/v1alpha1"
_Json = dict[str, Any]


def write_manifests(work: Work, port: int, backend: int, folder: Path) -> None:
    """The folder for a work, with one worker that listens at `port`."""
    folder.mkdir(parents=True)
    write_file(folder / "gateway.yaml", [_gateway(port)])
    for index in range(max(work.apis, 1)):
        write_file(folder / f"{api_name(index)}.yaml", api_manifests(work, backend, index))


def write_file(path: Path, documents: list[_Json]) -> None:
    """Replaces a file in one step, as editors and synchronisers of folders do."""
    _check(documents)
    new = path.with_suffix(".new")
    new.write_text(yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False))
    os.replace(new, path)  # noqa: PTH105 - the atomic rename is the point


def api_manifests(work: Work, backend: int, index: int, marker: str = RESPONSE_HEADER[1]) -> list[_Json]:
    """The manifests of one API; `marker` is the value of the response header."""
    name = api_name(index)
    plan = _resource("Plan", name, {"apiRef": {"name": name}, "security": {"keyless": {}}})
    if not work.policies:
        return [_api(work, backend, name, []), plan]
    plan["spec"]["security"] = {"apiKey": {"header": KEY_HEADER}}
    plan["spec"]["flows"] = [{"request": [{"rateLimit": {"limit": work.limit, "period": "1s"}}]}]
    subscription = {
        "planRef": {"name": name},
        "application": {"name": name},
        "apiKey": {"secretRef": {"name": name, "key": "key"}},
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {"key": api_key(index)},
    }
    api = _api(work, backend, name, [_header_flow(marker)])
    return [api, plan, _resource("Subscription", name, subscription), secret]


def _api(work: Work, backend: int, name: str, flows: list[_Json]) -> _Json:
    endpoint = {"name": "backend", "url": f"http://127.0.0.1:{backend}"}
    spec = {
        "listeners": [{"http": {"path": f"/{name}" if work.apis else "/"}}],
        "endpointGroups": [{"name": "default", "endpoints": [endpoint]}],
        "flows": flows,
        "accessLog": {"enabled": False},
    }
    return _resource("ApiDefinition", name, spec)


def _header_flow(marker: str) -> _Json:
    def step(name: str, value: str) -> list[_Json]:
        return [{"transformHeaders": {"set": {name: value}}}]

    return {"request": step(*REQUEST_HEADER), "response": step(RESPONSE_HEADER[0], marker)}


def _gateway(port: int) -> _Json:
    spec = {
        "workers": 1,
        "listeners": [{"name": "http", "protocol": "HTTP", "port": port, "address": "127.0.0.1"}],
        "accessLog": {"enabled": False},
    }
    return _resource("GatewayDeployment", "bench", spec)


def _resource(kind: str, name: str, spec: _Json) -> _Json:
    return {"apiVersion": _VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _check(documents: list[_Json]) -> None:
    """Raises pydantic's ValidationError where a manifest is not what the CRDs say."""
    for document in documents:
        if document["apiVersion"] == _VERSION:
            KINDS[document["kind"]].model_validate(document, context={"manifest": True})
