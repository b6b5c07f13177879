"""`penstock history`, `diff`, `rollback` and `subscriptions` as processes, against a real Kubernetes API."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.components.control_plane import ControlPlane
from e2e.components.ports import free_port
from penstock_operator.history.revisions import revisions_of, to_write

ROOT = Path(__file__).resolve().parents[3]

RESOURCES = """
apiVersion: penstock.dev/v1alpha1
kind: ApiDefinition
metadata: {name: orders}
spec:
  version: "1"
  listeners: [{http: {path: /orders}}]
  endpointGroups: [{name: default, endpoints: [{name: primary, url: "http://orders:8080"}]}]
---
apiVersion: penstock.dev/v1alpha1
kind: Plan
metadata: {name: gold}
spec: {apiRef: {name: orders}, security: {apiKey: {}}}
"""
SUBSCRIPTION = """
apiVersion: penstock.dev/v1alpha1
kind: Subscription
metadata: {name: mobile}
spec: {planRef: {name: PLAN}, application: {name: app}}
"""
OPEN_PLAN = RESOURCES.split("---")[1].replace("gold", "open").replace("apiKey", "keyless")

Apply = Callable[[Any], None]
Done = subprocess.CompletedProcess[str]


class Shop:
    """A namespace, the command in it, and what an operator would do about its history."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane, self.namespace = plane, namespace

    def penstock(self, *arguments: str, **environment: str) -> Done:
        settings = {**os.environ, "KUBECONFIG": str(self.plane.kubeconfig), **environment}
        command = (sys.executable, "-m", "penstock_operator.cli.main", *arguments, "-n", self.namespace)
        return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)

    def output(self, *arguments: str) -> str:
        done = self.penstock(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *what: str) -> Any:
        return json.loads(self.plane.kubectl_output("get", *what, "-n", self.namespace, "-o", "json"))

    def names(self, kind: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.get(kind)["items"]]

    def delete(self, *what: str) -> None:
        self.plane.kubectl_output("delete", *what, "-n", self.namespace)

    def record(self) -> None:
        """Keep what is there now as a revision."""
        api = self.get("apidefinition", "orders")
        existing = revisions_of(api, self.get("controllerrevisions")["items"])
        write = to_write(api, self.get("plans")["items"], existing, datetime.now(UTC))
        assert write is not None
        options = ("--server-side", "--field-manager=penstock", "-f", "-")
        self.plane.kubectl_output("apply", *options, input=json.dumps(write.revision))


@pytest.fixture
def shop(control_plane: ControlPlane, namespace: str, apply: Apply) -> Shop:
    """An API with two revisions: the second has another version, another backend and no other plan."""
    shop = Shop(control_plane, namespace)
    apply(RESOURCES)
    shop.record()
    apply(RESOURCES.replace('"1"', '"2"').replace("orders:8080", "orders:9090"))
    shop.record()
    return shop


def test_history_lists_revisions_with_what_changed_and_marks_the_current_one(shop: Shop) -> None:
    heading, first, second = shop.output("history", "orders").splitlines()
    assert heading.split() == ["REVISION", "RECORDED", "CHANGE"]
    assert first.split()[0] == "1"
    assert first.endswith("first revision; plans: gold")
    assert second.split()[:2] == ["*", "2"]
    assert second.endswith("spec.endpointGroups[0].endpoints[0].url, spec.version")


def test_history_tells_of_an_edit_that_is_no_revision(shop: Shop, apply: Apply) -> None:
    apply(RESOURCES.replace('"1"', '"3"'))
    done = shop.penstock("history", "orders")
    assert "*" not in done.stdout
    assert "the operator has not accepted it" in done.stderr


def test_diff_shows_what_is_there_now_against_the_revision_before(shop: Shop) -> None:
    lines = shop.output("diff", "orders").splitlines()
    assert lines[:2] == ["--- orders revision 1", "+++ orders now"]
    assert "-  version: '1'" in lines
    assert "+  version: '2'" in lines


def test_diff_compares_two_revisions(shop: Shop, apply: Apply) -> None:
    apply(RESOURCES.replace('"1"', '"3"'))
    shop.record()
    lines = shop.output("diff", "orders", "--revision", "2", "--to", "1").splitlines()
    assert lines[:2] == ["--- orders revision 2", "+++ orders revision 1"]
    assert "+  version: '1'" in lines


def test_rollback_makes_a_new_generation_with_the_old_spec(shop: Shop) -> None:
    before = shop.get("apidefinition", "orders")
    told = shop.output("rollback", "orders")
    after = shop.get("apidefinition", "orders")
    assert told == f"ApiDefinition {shop.namespace}/orders rolled back\n"
    assert after["spec"]["version"] == "1"
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
    shop.record()
    last = shop.output("history", "orders").splitlines()[-1].split()
    assert last[:2] == ["*", "3"]
    assert len(shop.names("controllerrevisions")) == 2


def test_rollback_brings_plans_back_and_removes_those_that_came_later(shop: Shop, apply: Apply) -> None:
    shop.delete("plan", "gold")
    apply(OPEN_PLAN)
    told = shop.output("rollback", "orders", "--to-revision", "2").splitlines()
    assert told == [f"Plan {shop.namespace}/open deleted", f"Plan {shop.namespace}/gold created"]
    assert shop.names("plans") == ["gold"]


def test_rollback_stops_before_a_plan_with_subscriptions(shop: Shop, apply: Apply) -> None:
    apply(OPEN_PLAN)
    apply(SUBSCRIPTION.replace("PLAN", "open"))
    refused = shop.penstock("rollback", "orders", "--to-revision", "1")
    assert refused.returncode == 1
    assert "the Plan open came after that revision and has subscriptions (mobile)" in refused.stderr
    assert shop.get("apidefinition", "orders")["spec"]["version"] == "2"
    shop.output("rollback", "orders", "--to-revision", "1", "--later-plans=keep")
    assert shop.names("plans") == ["gold", "open"]
    assert shop.get("apidefinition", "orders")["spec"]["version"] == "1"


def test_dry_run_writes_nothing_and_prints_what_gitops_commits(shop: Shop, apply: Apply) -> None:
    apply(OPEN_PLAN)
    text = shop.output("rollback", "orders", "--to-revision", "1", "--dry-run", "-o", "yaml")
    assert text.startswith(f"# delete: Plan {shop.namespace}/open\n")
    api, plan = yaml.safe_load_all(text)
    assert (api["kind"], api["spec"]["version"], plan["metadata"]["name"]) == ("ApiDefinition", "1", "gold")
    assert set(api["metadata"]) == {"name", "namespace"}
    assert shop.get("apidefinition", "orders")["spec"]["version"] == "2"
    assert shop.names("plans") == ["gold", "open"]
    apply(text)
    assert shop.get("apidefinition", "orders")["spec"]["version"] == "1"


def test_rollback_writes_nothing_where_one_of_its_writes_is_refused(shop: Shop, apply: Apply) -> None:
    """The service account may delete plans, which comes first, but not write APIs."""
    apply(OPEN_PLAN)
    in_namespace = ("-n", shop.namespace)
    kinds = ",".join(f"{kind}.penstock.dev" for kind in ("apidefinitions", "plans", "subscriptions"))
    create = ("create", "role", *in_namespace)
    shop.plane.kubectl_output(
        *create, "reader", "--verb=get,list", f"--resource={kinds},controllerrevisions.apps"
    )
    shop.plane.kubectl_output(*create, "deleter", "--verb=delete", "--resource=plans.penstock.dev")
    shop.plane.kubectl_output("create", "serviceaccount", "editor", *in_namespace)
    for role in ("reader", "deleter"):
        subject = f"--serviceaccount={shop.namespace}:editor"
        shop.plane.kubectl_output("create", "rolebinding", role, f"--role={role}", subject, *in_namespace)
    kubeconfig = shop.plane.kubeconfig_for_service_account(shop.namespace, "editor")
    done = shop.penstock("rollback", "orders", "--to-revision", "1", KUBECONFIG=str(kubeconfig))
    assert done.returncode == 1
    assert "cannot replace ApiDefinition orders" in done.stderr
    assert "forbidden" in done.stderr
    assert shop.names("plans") == ["gold", "open"]


def test_names_the_nearest_api_where_there_is_none_of_that_name(shop: Shop) -> None:
    done = shop.penstock("history", "order")
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: there is no ApiDefinition order in the namespace {shop.namespace}, did you mean `orders`?\n"
    )


def test_tells_where_the_cluster_is_away(shop: Shop, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    away = f"https://127.0.0.1:{free_port()}"
    kubeconfig.write_text(shop.plane.kubeconfig.read_text().replace(shop.plane.url, away))
    done = shop.penstock("diff", "orders", "--kubeconfig", str(kubeconfig))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: the cluster {away} cannot be reached: ")
    assert done.stderr.count("\n") == 1


def test_tells_where_the_kubeconfig_is_not_there_or_lacks_the_context(shop: Shop) -> None:
    missing = shop.penstock("history", "orders", "--kubeconfig", "/nowhere")
    assert missing.stderr.startswith("Error: no cluster to reach: ")
    context = shop.penstock("history", "orders", "--context", "penstock-tes")
    assert context.stderr == (
        "Error: the kubeconfig has no context penstock-tes, did you mean `penstock-test`?\n"
    )


def test_approves_and_rejects_subscriptions_by_annotation(shop: Shop, apply: Apply) -> None:
    apply(SUBSCRIPTION.replace("PLAN", "gold"))
    for command, value in (("approve", "Approved"), ("reject", "Rejected")):
        shop.output("subscriptions", command, "mobile")
        annotations = shop.get("subscription", "mobile")["metadata"]["annotations"]
        assert annotations["penstock.dev/approval"] == value
    heading, row = shop.output("subscriptions", "list").splitlines()
    assert heading.split()[0] == "NAME"
    assert row.split()[:5] == ["mobile", "gold", "app", "Active", "Rejected"]


def test_asks_for_a_new_key_unless_the_key_is_the_users_own(shop: Shop, apply: Apply) -> None:
    apply(SUBSCRIPTION.replace("PLAN", "gold"))
    shop.output("subscriptions", "rotate", "mobile")
    asked = shop.get("subscription", "mobile")["metadata"]["annotations"]["penstock.dev/rotate-key"]
    assert datetime.fromisoformat(asked) <= datetime.now(UTC)
    own_key = SUBSCRIPTION.replace("PLAN", "gold").replace(
        "app}", "app}, apiKey: {secretRef: {name: a, key: b}}"
    )
    apply(own_key.replace("mobile", "desktop"))
    refused = shop.penstock("subscriptions", "rotate", "desktop")
    assert refused.returncode == 1
    assert "spec.apiKey.secretRef" in refused.stderr


def test_validate_does_not_load_the_client_of_clusters() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from penstock_operator.cli.main import main\n"
        "done = CliRunner().invoke(main, ['validate', '-f', 'examples/quickstart'])\n"
        "assert done.exit_code == 0, done.output\n"
        "assert not {'kubernetes', 'kopf', 'aiohttp'} & set(sys.modules)"
    )
    subprocess.run((sys.executable, "-c", script), check=True, timeout=60, cwd=ROOT)
