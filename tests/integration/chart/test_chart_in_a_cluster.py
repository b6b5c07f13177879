"""Helm installs, upgrades, tests and uninstalls the chart against a real Kubernetes API."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_release import NAMESPACE, ROOT, Object, Release, rendered, wait_for
from test_chart_rendering import ALL_ON

from e2e.components.control_plane import ControlPlane
from e2e.components.helm import Helm
from e2e.components.ports import ADDRESS, free_port
from penstock_operator.admission.registration import Address, configuration
from penstock_operator.cluster.leader import LOCK
from penstock_operator.cluster.secrets import SALT_SECRET

WEBHOOK = "validatingwebhookconfiguration"


@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize(
    "values",
    [{}, ALL_ON, {"watchNamespaces": [NAMESPACE]}, {"gateway": {"enabled": False}}],
    ids=["defaults", "all on", "one namespace", "no gateway"],
)
def test_the_api_server_takes_what_the_chart_makes(
    control_plane: ControlPlane, helm: Helm, tmp_path: Path, values: Object
) -> None:
    control_plane.kubectl("create", "namespace", NAMESPACE)
    control_plane.kubectl("create", "serviceaccount", "default", "-n", NAMESPACE)
    objects = rendered(helm, tmp_path, values)
    options = ("--server-side", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-")
    told = control_plane.kubectl("apply", *options, input=yaml.safe_dump_all(objects))
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.split()) == len(objects)
    assert "would violate PodSecurity" not in told.stderr


def test_pods_are_as_the_standard_restricted_wants_them(
    control_plane: ControlPlane, helm: Helm, tmp_path: Path
) -> None:
    name = "chart-restricted"
    control_plane.kubectl_output("create", "namespace", name)
    control_plane.kubectl_output("create", "serviceaccount", "default", "-n", name)
    label = "pod-security.kubernetes.io/enforce=restricted"
    control_plane.kubectl_output("label", "namespace", name, label)
    for one in rendered(helm, tmp_path, ALL_ON):
        if one["kind"] in ("Deployment", "Job"):
            # Pods alone are refused; their makers are taken with a warning.
            template = one["spec"]["template"]
            metadata = {"name": one["metadata"]["name"], "namespace": name}
            del template["spec"]["serviceAccountName"]
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
            control_plane.kubectl_output("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(pod))


def test_an_install_needs_nothing_before_it_and_tells_what_comes_next(first_release: Release) -> None:
    notes = first_release.install().partition("NOTES:\n")[2]

    assert re.findall(r"^(\d)\. ", notes, re.MULTILINE) == ["1", "2", "3"]
    commands = re.findall(r"^   (kubectl .*)$", notes, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["wait", "apply", "get"]
    assert first_release.get("gatewaydeployment", "edge")["spec"]["listeners"][0]["port"] == 8080
    assert [(name, code) for name, code, _ in first_release.ended] == [("penstock-crds", 0)]
    # What the notes say to apply is taken.
    text = notes.partition("<<END\n")[2].partition("END\n")[0]
    manifests = "\n".join(line.removeprefix("   ") for line in text.splitlines())
    taken = first_release.plane.kubectl_output(
        "apply", "-n", first_release.namespace, "--validate=strict", "-o", "name", "-f", "-", input=manifests
    )
    assert taken.split() == ["apidefinition.penstock.dev/hello", "plan.penstock.dev/hello"]
    first_release.plane.kubectl_output("delete", "-n", first_release.namespace, "-f", "-", input=manifests)


def test_an_upgrade_brings_old_definitions_up_to_date(release: Release) -> None:
    release.install()
    make_old(release.plane)

    release.install({"replicas": 3, "gateway": {"spec": {"replicas": 4}}})

    assert fields_of_plans(release.plane).keys() == wanted_fields_of_plans().keys()
    assert release.get("deployment", "penstock-operator")["spec"]["replicas"] == 3
    assert release.get("gatewaydeployment", "edge")["spec"]["replicas"] == 4


@pytest.mark.usefixtures("definitions")
def test_an_install_brings_definitions_up_to_date_that_another_one_left(release: Release) -> None:
    make_old(release.plane)
    release.install()
    assert fields_of_plans(release.plane).keys() == wanted_fields_of_plans().keys()


@pytest.mark.usefixtures("definitions")
def test_definitions_are_left_to_others_where_one_says_so(release: Release) -> None:
    make_old(release.plane)
    release.install({"crds": {"upgrade": False}})
    assert release.ended == []
    assert "outdated" in fields_of_plans(release.plane)


def crd_of_plans() -> Object:
    found: Object = yaml.safe_load((ROOT / "crds" / "penstock.dev_plans.yaml").read_text(encoding="utf-8"))
    return found


def fields_of(crd: Object) -> dict[str, Any]:
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    found: dict[str, Any] = schema["properties"]["spec"]["properties"]
    return found


def wanted_fields_of_plans() -> dict[str, Any]:
    return fields_of(crd_of_plans())


def fields_of_plans(plane: ControlPlane) -> dict[str, Any]:
    return fields_of(json.loads(plane.kubectl_output("get", "crd", "plans.penstock.dev", "-o", "json")))


def make_old(plane: ControlPlane) -> None:
    """Puts an earlier definition of plans in place: one field is not there yet, another one still is."""
    old = crd_of_plans()
    fields = fields_of(old)
    del fields["approval"]
    fields["outdated"] = {"type": "string"}
    plane.kubectl_output("replace", "-f", "-", input=yaml.safe_dump(old))
    assert "outdated" in fields_of_plans(plane)


def test_what_the_operator_writes_outlives_an_upgrade(release: Release) -> None:
    release.install()
    registered = configuration(Address(release.namespace), b"CA")
    options = ("--server-side", "--force-conflicts", "--field-manager=penstock", "-f", "-")
    release.plane.kubectl_output("apply", *options, input=json.dumps(registered))
    patch = json.dumps({"data": {"tls.key": base64.b64encode(b"key").decode()}})
    release.plane.kubectl_output(
        "patch", "secret", "penstock-webhook-tls", "-n", release.namespace, "--type=merge", f"--patch={patch}"
    )
    before = release.get(WEBHOOK, "penstock")

    release.install({"replicas": 3})

    after = release.get(WEBHOOK, "penstock")
    assert after["webhooks"] == before["webhooks"]
    assert after["webhooks"][0]["clientConfig"]["caBundle"] == base64.b64encode(b"CA").decode()
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert release.get("secret", "penstock-webhook-tls")["data"].keys() == {"tls.key"}


def objects_of(release: Release) -> set[str]:
    """All objects of the release's namespace, and those elsewhere that could be the chart's or operator's."""
    namespaced = release.plane.kubectl_output(
        "api-resources", "--namespaced=true", "--verbs=list", "-o", "name"
    )
    kinds = ",".join(name for name in namespaced.split() if not name.startswith("events"))
    cluster = "clusterroles,clusterrolebindings,validatingwebhookconfigurations,customresourcedefinitions"
    places = ((kinds, ("-n", release.namespace)), ("roles,rolebindings", ("-n", "default")), (cluster, ()))
    found: set[str] = set()
    for resources, where in places:
        found.update(release.plane.kubectl_output("get", resources, *where, "-o", "name").split())
    return found


def right(release: Release, gateway: str) -> Object:
    """What a gateway of the release's namespace has in another one."""
    labels = {
        "app.kubernetes.io/managed-by": "penstock",
        "penstock.dev/gateway": gateway,
        "penstock.dev/gateway-namespace": release.namespace,
    }
    metadata = {"name": f"{release.namespace}-{gateway}", "namespace": "default", "labels": labels}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": []}


def operators_own(release: Release) -> list[Object]:
    """What the operator makes for itself."""
    metadata = {"namespace": release.namespace}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SALT_SECRET, **metadata}},
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LOCK, **metadata}},
    ]


@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize("values", [{}, {"watchNamespaces": ["default"]}], ids=["cluster", "one namespace"])
def test_an_uninstall_leaves_nothing_but_the_definitions(release: Release, values: Object) -> None:
    before = objects_of(release)
    release.install({**values, "dashboards": {"enabled": True}})
    left = [right(release, "edge"), *operators_own(release)]
    release.plane.kubectl_output("apply", "-f", "-", input=yaml.safe_dump_all(left))
    assert objects_of(release) > before

    release.uninstall()

    assert objects_of(release) == before


@pytest.mark.usefixtures("definitions")
def test_an_uninstall_leaves_the_rights_of_gateways_that_stay(release: Release) -> None:
    release.install()
    other = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "GatewayDeployment",
        "metadata": {"name": "other"},
    }
    release.plane.kubectl_output("apply", "-n", release.namespace, "-f", "-", input=json.dumps(other))
    given = [right(release, "edge"), right(release, "other")]
    release.plane.kubectl_output("apply", "-f", "-", input=yaml.safe_dump_all(given))

    release.uninstall()

    told = release.plane.kubectl_output("get", "roles", "-n", "default", "-o", "name")
    assert [name for name in told.split() if release.namespace in name] == [
        f"role.rbac.authorization.k8s.io/{release.namespace}-other"
    ]
    release.plane.kubectl_output("delete", "-f", "-", input=yaml.safe_dump(given[1]))


def test_the_operator_serves_a_request_with_the_rights_of_the_chart(release: Release) -> None:
    """From `helm install` to `helm test`; only nodes and the names of Services are missing."""
    port = free_port()
    listener = {"name": "http", "port": port, "address": ADDRESS}
    values = {"gateway": {"spec": {"listeners": [listener], "workers": 1}}}
    release.install(values)
    operator = release.get("deployment", "penstock-operator")
    options = ("--health", f"{ADDRESS}:{free_port()}", "--webhook-port", str(free_port()))
    release.serve(operator, {"PENSTOCK_IMAGE": "penstock:test"}, *options)
    plane, namespace = release.plane, release.namespace
    wait_for(
        lambda: plane.kubectl("get", "deployment", "edge", "-n", namespace).returncode == 0,
        "the Deployment of the gateway",
    )
    gateway = release.get("deployment", "edge")
    release.serve(gateway, {"POD_NAME": "edge-0", "POD_UID": ""}, "--admin", f"{ADDRESS}:{free_port()}")

    release.run("test", "penstock")

    name, code, output = release.ended[-1]
    assert (name, code) == ("penstock-test-penstock", 0), output
    assert f":{port}/penstock-test-penstock answers: penstock-test-penstock" in output
    left = plane.kubectl_output("get", "apidefinitions,plans,pods", "-n", namespace, "-o", "name")
    assert left == ""
    ca = release.get(WEBHOOK, "penstock")["webhooks"][0]["clientConfig"]["caBundle"]
    assert base64.b64decode(release.get("secret", "penstock-webhook-tls")["data"]["ca.crt"]) == (
        base64.b64decode(ca)
    )


def test_a_second_upgrade_with_the_same_values_changes_nothing(release: Release) -> None:
    release.install()
    kinds = (
        "deployments,services,secrets,networkpolicies,poddisruptionbudgets,serviceaccounts,gatewaydeployments"
    )

    def versions() -> dict[str, str]:
        found = release.get(kinds)["items"]
        return {
            f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["resourceVersion"]
            for one in found
            if not one["metadata"]["name"].startswith("sh.helm.release")
        }

    before = versions()
    release.install()
    assert versions() == before
