"""Penstock's kinds in the real Kubernetes API: what it takes, what it refuses and in which words."""

import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from e2e.components.control_plane import ControlPlane

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"

SUBSCRIPTION = """
apiVersion: penstock.dev/v1alpha1
kind: Subscription
metadata: {name: mobile}
spec:
  planRef: {name: gold}
  application: {name: mobile}
"""
API = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {name: orders}
spec:
  listeners:
  - http: {path: /orders}
  endpointGroups:
  - name: default
    endpoints: [{name: primary, url: "http://orders.shop.svc:8080"}]
"""

Apply = Callable[[str], None]


def test_serves_every_shipped_kind_in_the_category_penstock(control_plane: ControlPlane) -> None:
    kinds = control_plane.kubectl_output("api-resources", "--categories=penstock", "-o", "name").split()
    assert kinds == [
        "apidefinitions.penstock.dev",
        "gatewaydeployments.penstock.dev",
        "gatewaysecrets.penstock.dev",
        "plans.penstock.dev",
        "subscriptions.penstock.dev",
    ]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_takes_every_example(control_plane: ControlPlane, namespace: str, path: Path) -> None:
    options = ("--server-side", "--dry-run=server", "--namespace", namespace, "-o", "name")
    stored = control_plane.kubectl_output("apply", *options, "-f", str(path)).split()
    written = [manifest for manifest in yaml.safe_load_all(path.read_text()) if manifest]
    assert [name.partition("/")[2] for name in stored] == [item["metadata"]["name"] for item in written]


def test_stores_the_defaults_of_the_schema(control_plane: ControlPlane, namespace: str, apply: Apply) -> None:
    apply(API)
    stored = control_plane.kubectl_output("get", "apidefinition", "orders", "-n", namespace, "-o", "yaml")
    spec = yaml.safe_load(stored)["spec"]
    assert (spec["type"], spec["state"]) == ("Proxy", "Started")
    assert spec["endpointGroups"][0]["timeouts"] == {"connect": "3s", "response": "30s"}


def test_refuses_a_field_that_no_kind_has_and_names_it(apply: Apply) -> None:
    with pytest.raises(RuntimeError, match=r"\.spec\.applicaton: field not declared in schema"):
        apply(SUBSCRIPTION.replace("application:", "applicaton:"))


def test_refuses_a_value_of_the_wrong_type_and_names_its_field(apply: Apply) -> None:
    with pytest.raises(RuntimeError, match=r"spec\.listeners"):
        apply(API.replace("- http: {path: /orders}", "- http: {path: 7}"))


def test_refuses_a_subscription_that_ends_before_it_starts(apply: Apply) -> None:
    dates = '  startsAt: "2027-06-01T00:00:00Z"\n  endsAt: "2027-01-01T00:00:00Z"\n'
    with pytest.raises(RuntimeError, match="spec: Invalid value: startsAt must be before endsAt"):
        apply(SUBSCRIPTION + dates)


def test_refuses_a_step_with_two_policies_and_names_the_step(apply: Apply) -> None:
    flows = "  flows:\n  - request:\n    - {mock: {status: 200}, quota: {limit: 1, period: 1d}}\n"
    with pytest.raises(RuntimeError, match=r"spec\.flows\[0\]\.request\[0\]"):
        apply(API + flows)


def test_explains_the_options_of_a_policy(control_plane: ControlPlane) -> None:
    text = control_plane.kubectl_output("explain", "apidefinition.spec.flows.request.rateLimit")
    assert "At most `limit` requests in each `period`" in text
    assert "limit\t<integer> -required-" in text


def test_lists_resources_of_all_kinds_by_one_word(
    control_plane: ControlPlane, namespace: str, apply: Apply
) -> None:
    apply(API + "---" + SUBSCRIPTION)
    listed = control_plane.kubectl_output("get", "penstock", "-A", "--no-headers")
    rows = {tuple(line.split()[:2]) for line in listed.splitlines() if line.startswith(namespace)}
    assert rows == {
        (namespace, "apidefinition.penstock.dev/orders"),
        (namespace, "subscription.penstock.dev/mobile"),
    }


def test_gives_a_service_account_the_rights_of_its_roles_and_no_others(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl_output("create", "serviceaccount", "reader", "-n", namespace)
    control_plane.kubectl_output(
        "create", "role", "reader", "--verb=list", "--resource=plans.penstock.dev", "-n", namespace
    )
    control_plane.kubectl_output(
        "create",
        "rolebinding",
        "reader",
        "--role=reader",
        f"--serviceaccount={namespace}:reader",
        "-n",
        namespace,
    )
    kubeconfig = control_plane.kubeconfig_for_service_account(namespace, "reader")
    as_reader = ("-n", namespace, f"--kubeconfig={kubeconfig}")
    assert control_plane.kubectl("get", "plans", *as_reader).returncode == 0
    refused = control_plane.kubectl("get", "secrets", *as_reader)
    assert f"{namespace}:reader" in refused.stderr
    assert "forbidden" in refused.stderr


def test_refuses_a_request_without_credentials(control_plane: ControlPlane) -> None:
    address = urlsplit(control_plane.url)
    context = ssl.create_default_context(cafile=control_plane.authority)
    with closing(HTTPSConnection(address.netloc, context=context)) as connection:
        connection.request("GET", "/version")
        assert connection.getresponse().status == HTTPStatus.UNAUTHORIZED


@pytest.fixture
def own_control_plane(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """One that a test may break; the shared one has built what it needs."""
    with ControlPlane() as plane:
        yield plane


def test_keeps_its_data_while_the_api_server_is_away(own_control_plane: ControlPlane) -> None:
    own_control_plane.kubectl_output("create", "configmap", "kept")
    own_control_plane.stop_api_server()
    assert "refused" in own_control_plane.kubectl("get", "configmap", "kept").stderr
    own_control_plane.start_api_server()
    assert own_control_plane.kubectl_output("get", "configmap", "kept", "-o", "name") == "configmap/kept\n"


def test_one_for_developers_goes_with_its_data_on_ctrl_c(control_plane: ControlPlane) -> None:
    command = [sys.executable, "-m", "e2e.components.control_plane"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        kubeconfig = Path(process.stdout.readline().decode().strip())
        try:
            listed = control_plane.kubectl_output("get", "namespaces", f"--kubeconfig={kubeconfig}")
            assert "kube-system" in listed
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
    assert process.returncode == 0
    assert not kubeconfig.parent.exists()
