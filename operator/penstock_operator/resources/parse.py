"""Turns a manifest into a resource of the API group, a Secret, or the problems that it has.

Pure: nothing is read but the manifest; only the line of a problem is looked up in its file. References
between resources are left to the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from penstock_operator.manifests.reader import Manifest, ManifestError, format_path, line_of
from penstock_operator.resources.explain import Finding, explain, nearest
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.meta import API_VERSION, GROUP, ObjectMeta, Resource
from penstock_operator.resources.problems import Problem
from penstock_operator.resources.secret import SecretResource, secret_resource, secret_values


@dataclass(frozen=True, slots=True)
class Parsed:
    """A resource with the manifest that it came from, so that the place of any field can be found."""

    resource: Resource | SecretResource
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Ignored:
    """A manifest of a kind that is not ours, such as a Deployment that lies in the same folder."""

    api_version: str
    kind: str
    manifest: Manifest


def parse(manifest: Manifest) -> Parsed | Ignored | tuple[Problem, ...]:
    """The resource of a manifest, or everything that is wrong with it."""
    outcome = _parse(manifest.data)
    if isinstance(outcome, Resource | SecretResource):
        return Parsed(outcome, manifest)
    if isinstance(outcome, list):
        return tuple(_problem(manifest, finding) for finding in outcome)
    return Ignored(*outcome, manifest)


def problem_of(error: ManifestError) -> Problem:
    """The problem of a file that could not be read as manifests."""
    return Problem("Error", "InvalidManifest", error.message, "", error.field, error.file, error.line)


def describe_resource(data: Mapping[str, Any]) -> str:
    """`Kind namespace/name` of a resource that may be broken."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kind, name = data.get("kind"), metadata.get("name")
    if not isinstance(name, str):
        return str(kind or "")
    namespace = metadata.get("namespace")
    return f"{kind} {namespace if isinstance(namespace, str) else 'default'}/{name}"


def _parse(data: Mapping[str, Any]) -> Resource | SecretResource | list[Finding] | tuple[str, str]:
    version, kind = data.get("apiVersion"), data.get("kind")
    for name, value in (("apiVersion", version), ("kind", kind)):
        if not isinstance(value, str) or not value:
            return [Finding((name,), f"`{name}` is needed: a string", "MissingField")]
    if version == "v1" and kind == "Secret":
        return _secret(data)
    if str(version).partition("/")[0] != GROUP:
        return str(version), str(kind)
    return _wrong_kind(str(version), str(kind)) or _resource(KINDS[str(kind)], data)


def _wrong_kind(version: str, kind: str) -> list[Finding]:
    findings = []
    if version != API_VERSION:
        findings.append(
            Finding(("apiVersion",), f"unknown version `{version}`, use `{API_VERSION}`", "UnknownVersion")
        )
    if kind not in KINDS:
        near = nearest(kind, KINDS) or f"; known: {', '.join(KINDS)}"
        findings.append(Finding(("kind",), f"unknown kind `{kind}`{near}", "UnknownKind"))
    return findings


def _resource(model: type[Resource], data: Mapping[str, Any]) -> Resource | list[Finding]:
    try:
        return model.model_validate(data, context={"manifest": True})
    except ValidationError as error:
        return explain(error, model)


def _secret(data: Mapping[str, Any]) -> SecretResource | list[Finding]:
    try:
        metadata = ObjectMeta.model_validate(data.get("metadata"))
    except ValidationError as error:
        return explain(error, ObjectMeta, ("metadata",))
    values, findings = secret_values(data)
    return findings or secret_resource(metadata, values)


def _problem(manifest: Manifest, finding: Finding) -> Problem:
    return Problem(
        "Error",
        finding.reason,
        finding.message,
        describe_resource(manifest.data),
        format_path(finding.path),
        manifest.file,
        line_of(manifest, finding.path),
    )
