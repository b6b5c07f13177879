"""The kustomize base is the chart's twin, and a sync leaves no difference behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chart_release import NAMESPACE, ROOT, Object, is_hook, rendered

from e2e.components.control_plane import ControlPlane
from e2e.components.helm import Helm

BASE = ROOT / "config" / "operator" / "operator.yaml"
KINDS = {
    "Deployment",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Secret",
    "Service",
    "ValidatingWebhookConfiguration",
}
HELMS = ("app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart")
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
HEAD = """\
# The operator but for its rights, as the Helm chart makes it with its defaults. Written from the chart by
# `pytest tests/integration/chart --rewrite`; do not edit.
"""


def base(helm: Helm, folder: Path) -> str:
    """The kustomize base, made of the chart."""
    objects = [one for one in rendered(helm, folder) if one["kind"] in KINDS]
    for one in objects:
        labels = one["metadata"]["labels"]
        one["metadata"]["labels"] = {name: value for name, value in labels.items() if name not in HELMS}
    return HEAD + yaml.safe_dump_all(objects, sort_keys=False, width=110)


def test_the_base_of_kustomize_is_what_the_chart_makes(helm: Helm, tmp_path: Path, rewrite: bool) -> None:
    wanted = base(helm, tmp_path)
    if rewrite:
        BASE.write_text(wanted, encoding="utf-8")
    assert BASE.read_text(encoding="utf-8") == wanted


def test_the_kustomize_base_has_all_but_a_gateway(
    control_plane: ControlPlane, helm: Helm, tmp_path: Path
) -> None:
    def names(objects: list[Object]) -> set[tuple[str, str]]:
        return {(one["kind"], one["metadata"]["name"]) for one in objects}

    text = control_plane.kubectl_output("kustomize", str(ROOT / "config" / "default"))
    made = list(yaml.safe_load_all(text))
    without_gateway = rendered(helm, tmp_path, {"gateway": {"enabled": False}})
    chart = [one for one in without_gateway if not is_hook(one)]
    definitions = {one for one in names(made) if one[0] == "CustomResourceDefinition"}
    assert len(definitions) == 5
    assert names(made) - definitions == names(chart) | {("Namespace", NAMESPACE)}


@pytest.fixture(scope="module")
def place(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace for what is synced."""
    control_plane.kubectl_output("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    control_plane.apply_crds(ROOT / "crds")
    control_plane.kubectl("create", "namespace", NAMESPACE)
    control_plane.kubectl("create", "serviceaccount", "default", "-n", NAMESPACE)
    yield NAMESPACE
    cluster = ("validatingwebhookconfiguration/penstock", "clusterrole/penstock-operator")
    control_plane.kubectl_output("delete", "--ignore-not-found", *cluster)
    kinds = (
        "penstock,deployments,services,secrets,poddisruptionbudgets,networkpolicies,serviceaccounts,pods,jobs"
    )
    control_plane.kubectl_output("delete", kinds, "--all", "-n", NAMESPACE, "--wait=false")


def assert_no_difference(plane: ControlPlane, namespace: str, text: str, *options: str) -> None:
    """What is applied is found as it was written: neither defaults nor the operator's fields show."""
    arguments = ("-n", namespace, *options, "-f", "-")
    plane.kubectl_output("apply", *arguments, input=text)
    found = plane.kubectl("diff", *arguments, input=text)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr


MODES = pytest.mark.parametrize(
    "options", [(), ("--server-side", "--force-conflicts")], ids=["client side", "server side"]
)


@MODES
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_example_that_was_applied_shows_no_difference(
    control_plane: ControlPlane, place: str, path: Path, options: tuple[str, ...]
) -> None:
    assert_no_difference(control_plane, place, path.read_text(encoding="utf-8"), *options)


@MODES
def test_the_chart_that_was_applied_shows_no_difference(
    control_plane: ControlPlane, helm: Helm, place: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    gateway = {"spec": {"listeners": [{"name": "http", "port": 80}], "podTemplate": {"drainDelay": "5s"}}}
    objects = rendered(helm, tmp_path, {"gateway": gateway})
    assert_no_difference(control_plane, place, yaml.safe_dump_all(objects), *options)


def test_the_kustomize_base_that_was_applied_shows_no_difference(
    control_plane: ControlPlane, place: str
) -> None:
    folder = str(ROOT / "config" / "default")
    control_plane.kubectl_output("apply", "--server-side", "--force-conflicts", "-k", folder)
    found = control_plane.kubectl("diff", "--server-side", "-k", folder)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
    assert place == NAMESPACE


def test_what_the_operator_writes_is_no_difference(control_plane: ControlPlane, place: str) -> None:
    path = next(path for path in EXAMPLES if path.name == "orders.yaml")
    text = path.read_text(encoding="utf-8")
    control_plane.kubectl_output("apply", "-n", place, "-f", "-", input=text)
    ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "observedGeneration": 1}
    condition = {**ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "ApiDefinition",
        "metadata": {"name": "orders"},
        "status": {"observedGeneration": 1, "conditions": [condition]},
    }
    options = ("--server-side", "--subresource=status", "--field-manager=penstock-status")
    control_plane.kubectl_output("apply", "-n", place, *options, "-f", "-", input=yaml.safe_dump(status))
    stored = control_plane.kubectl_output(
        "get", "apidefinition", "orders", "-n", place, "-o", "jsonpath={.status.conditions[0].type}"
    )
    assert stored == "Ready"
    found = control_plane.kubectl("diff", "-n", place, "-f", "-", input=text)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
