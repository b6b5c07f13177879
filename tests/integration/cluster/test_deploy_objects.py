"""A gateway's objects in the real Kubernetes API: taken, found unchanged, repaired, and with few rights."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.components import kubernetes
from e2e.components.control_plane import ControlPlane
from penstock_operator.deploy.build import gateway_objects
from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.differences import covers
from penstock_operator.deploy.handover import HANDOVER_MANAGER, handover
from penstock_operator.deploy.rights import secret_rights
from penstock_operator.deploy.workload import deployment
from penstock_operator.resources.gateway_deployment import GatewayDeployment

ROOT = Path(__file__).resolve().parents[3]
SITUATIONS = sorted((ROOT / "tests/unit/deploy/golden").iterdir())
CONTEXT = DeployContext(image="penstock:test")
Object = dict[str, Any]
Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """kubectl as the administrator, in the test's namespace."""

    def run(*arguments: str, objects: list[Object] | None = None) -> str:
        text = None if objects is None else yaml.safe_dump_all(objects)
        return control_plane.kubectl_output(*arguments, "--namespace", namespace, input=text)

    return run


def applied(kubectl: Kubectl, objects: list[Object]) -> list[Object]:
    """The objects as the API server holds them once they are applied as the operator applies them."""
    options = ("--server-side", "--force-conflicts", "--field-manager=penstock")
    kubectl("apply", *options, "-f", "-", objects=objects)
    found: list[Object] = json.loads(kubectl("get", "-o", "json", "-f", "-", objects=objects))["items"]
    return found


def gateway(path: Path, namespace: str) -> GatewayDeployment:
    manifest = yaml.safe_load((path / "in.yaml").read_text())
    manifest["metadata"]["namespace"] = namespace
    return GatewayDeployment.model_validate(manifest, context={"manifest": True})


@pytest.mark.parametrize("path", SITUATIONS, ids=lambda path: path.name)
def test_what_was_applied_is_found_unchanged(kubectl: Kubectl, namespace: str, path: Path) -> None:
    edge = gateway(path, namespace)
    objects = [*gateway_objects(edge, CONTEXT), *secret_rights(edge, [(namespace, "tls")])]

    observed = applied(kubectl, objects)

    uncovered = [one["kind"] for one, found in zip(objects, observed, strict=True) if not covers(one, found)]
    assert uncovered == []


@pytest.mark.parametrize("path", SITUATIONS, ids=lambda path: path.name)
def test_the_kind_takes_the_gateway_deployment_of_a_situation(
    control_plane: ControlPlane, namespace: str, path: Path
) -> None:
    manifest = yaml.safe_load((path / "in.yaml").read_text())
    manifest["metadata"] = {"name": manifest["metadata"]["name"], "namespace": namespace}
    stored = control_plane.kubectl_output(
        "apply", "--server-side", "-o", "json", "-f", "-", input=yaml.safe_dump(manifest)
    )
    loaded = GatewayDeployment.model_validate(
        {key: value for key, value in json.loads(stored).items() if key != "status"},
        context={"manifest": True},
    )
    assert loaded.spec == gateway(path, namespace).spec


DRIFT = {
    "Deployment": [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "other:1"}],
    "Service": [{"op": "add", "path": "/spec/selector/mine", "value": "too"}],
    "Role": [{"op": "add", "path": "/rules/0/verbs/-", "value": "delete"}],
    "RoleBinding": [{"op": "remove", "path": "/subjects"}],
    "NetworkPolicy": [{"op": "remove", "path": "/spec/ingress/0/ports"}],
    "PodDisruptionBudget": [{"op": "replace", "path": "/spec/maxUnavailable", "value": 2}],
    "ServiceAccount": [{"op": "replace", "path": "/automountServiceAccountToken", "value": True}],
}


def test_what_was_changed_by_hand_is_seen_and_repaired(kubectl: Kubectl, namespace: str) -> None:
    edge = gateway(ROOT / "tests/unit/deploy/golden/a-gateway-of-defaults", namespace)
    objects = list(gateway_objects(edge, CONTEXT))
    applied(kubectl, objects)

    for one in objects:
        patch = ("--type=json", f"--patch={json.dumps(DRIFT[one['kind']])}")
        changed = json.loads(kubectl("patch", one["kind"], "edge", *patch, "-o", "json"))
        assert not covers(one, changed), one["kind"]

    assert all(covers(one, found) for one, found in zip(objects, applied(kubectl, objects), strict=True))


def test_a_hole_in_a_policy_that_lets_nobody_in_is_closed(kubectl: Kubectl, namespace: str) -> None:
    path = ROOT / "tests/unit/deploy/golden/listeners-that-cannot-be-reached-have-no-service"
    policy = next(
        one for one in gateway_objects(gateway(path, namespace), CONTEXT) if one["kind"] == "NetworkPolicy"
    )
    kubectl("apply", "--server-side", "--field-manager=penstock", "-f", "-", objects=[policy])
    patch = ("--type=merge", '--patch={"spec": {"ingress": [{}]}}')
    opened = json.loads(kubectl("patch", "networkpolicy", "edge", *patch, "-o", "json"))

    assert not covers(policy, opened)
    options = ("--server-side", "--force-conflicts", "--field-manager=penstock", "-o", "json")
    assert "ingress" not in json.loads(kubectl("apply", *options, "-f", "-", objects=[policy]))["spec"]


REFUSED = [
    ({"replicas": 2, "autoscaling": {"maxReplicas": 4}}, "only one of `replicas` and `autoscaling` is used"),
    ({"autoscaling": {"minReplicas": 5, "maxReplicas": 4}}, "minReplicas must be at most maxReplicas"),
    (
        {"autoscaling": {"maxReplicas": 4}, "podTemplate": {"resources": {"requests": {"memory": "1Gi"}}}},
        "autoscaling needs podTemplate.resources.requests.cpu",
    ),
    ({"apis": {"namespaces": {"from": "Selector"}}}, "`selector` goes with from: Selector"),
    ({"service": {"loadBalancerClass": "a/b"}}, "need the type LoadBalancer"),
    ({"service": {"nodePorts": {"http": 30080}}}, "need the type NodePort or LoadBalancer"),
    (
        {"service": {"type": "NodePort", "nodePorts": {"https": 30080}}},
        "the names in service.nodePorts are those of listeners",
    ),
    ({"networkPolicy": {"adminFrom": [{}]}}, "`namespaceSelector` or `podSelector` is needed"),
    ({"podTemplate": {"tolerations": [{"effect": "NoExecute"}]}}, "Equal needs a `key`"),
    ({"podTemplate": {"tolerations": [{"key": "a", "tolerationSeconds": 5}]}}, "tolerationSeconds needs"),
]


@pytest.mark.parametrize(("spec", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_the_kind_refuses_fields_that_do_not_fit(
    apply: Callable[[Object], None], spec: Object, message: str
) -> None:
    metadata = {"name": "edge"}
    with pytest.raises(RuntimeError, match=message):
        apply(
            {
                "apiVersion": "penstock.dev/v1alpha1",
                "kind": "GatewayDeployment",
                "metadata": metadata,
                "spec": spec,
            }
        )


def test_what_is_no_longer_wanted_is_seen_and_goes(kubectl: Kubectl, namespace: str) -> None:
    full = gateway(ROOT / "tests/unit/deploy/golden/every-field-has-its-place", namespace)
    plain = gateway(ROOT / "tests/unit/deploy/golden/a-gateway-of-defaults", namespace)
    before = {one["kind"]: one for one in applied(kubectl, list(gateway_objects(full, CONTEXT)))}
    wanted = {one["kind"]: one for one in gateway_objects(plain, CONTEXT)}

    assert not covers(wanted["ServiceAccount"], before["ServiceAccount"])
    after = {one["kind"]: one for one in applied(kubectl, list(wanted.values()))}
    assert list(after["ServiceAccount"]["metadata"]["annotations"]) == ["penstock.dev/applied"]
    assert "nodeSelector" not in after["Deployment"]["spec"]["template"]["spec"]
    assert all(covers(one, after[kind]) for kind, one in wanted.items())


def test_the_number_of_pods_stays_when_an_autoscaler_takes_over(kubectl: Kubectl, namespace: str) -> None:
    many = gateway(ROOT / "tests/unit/deploy/golden/every-field-has-its-place", namespace)
    scaled = gateway(
        ROOT / "tests/unit/deploy/golden/the-number-of-pods-is-left-to-the-autoscaler", namespace
    )
    before, wanted = deployment(many, CONTEXT), deployment(scaled, CONTEXT)
    kubectl("apply", "--server-side", "--field-manager=penstock", "-f", "-", objects=[before])

    def observed() -> Object:
        found: Object = json.loads(
            kubectl("get", "deployment", "edge", "-o", "json", "--show-managed-fields")
        )
        return found

    first = handover(wanted, observed())
    assert first is not None
    kubectl("apply", "--server-side", f"--field-manager={HANDOVER_MANAGER}", "-f", "-", objects=[first])
    kubectl("apply", "--server-side", "--field-manager=penstock", "-f", "-", objects=[wanted])

    assert observed()["spec"]["replicas"] == 5
    assert handover(wanted, observed()) is None


@pytest.fixture
def operator(control_plane: ControlPlane, namespace: str) -> Path:
    """The kubeconfig of the operator with the rights of `config/rbac/operator.yaml`."""
    control_plane.kubectl_output("apply", "--server-side", "-f", str(ROOT / "config/rbac/operator.yaml"))
    return control_plane.kubeconfig_for_service_account("penstock-system", "penstock-operator")


def as_account(kubeconfig: Path, *arguments: str, objects: list[Object] | None = None) -> str:
    """kubectl with the rights of a service account; the output, or what was refused."""
    command = [str(kubernetes.program("kubectl")), f"--kubeconfig={kubeconfig}", *arguments]
    text = yaml.safe_dump_all(objects) if objects else ""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else f"refused: {done.stderr}"


def test_the_operators_rights_are_enough_to_make_a_gateway(operator: Path, namespace: str) -> None:
    edge = gateway(ROOT / "tests/unit/deploy/golden/the-number-of-pods-is-left-to-the-autoscaler", namespace)
    objects = [*gateway_objects(edge, CONTEXT), *secret_rights(edge, [(namespace, "tls")])]
    options = ("--server-side", "--force-conflicts", "--field-manager=penstock", "-o", "name", "-f", "-")

    done = as_account(operator, "apply", *options, objects=objects)

    assert len(done.splitlines()) == len(objects), done


def test_the_operators_rights_in_a_namespace_are_enough_to_make_a_gateway_there(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl
) -> None:
    account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "penstock-operator"}}
    rights = list(yaml.safe_load_all((ROOT / "config/rbac/operator-namespaced.yaml").read_text()))
    rights[1]["subjects"][0]["namespace"] = namespace
    kubectl("apply", "--server-side", "-f", "-", objects=[account, *rights])
    operator = control_plane.kubeconfig_for_service_account(namespace, "penstock-operator")
    edge = gateway(ROOT / "tests/unit/deploy/golden/a-gateway-of-defaults", namespace)
    objects = [*gateway_objects(edge, CONTEXT), *secret_rights(edge, [(namespace, "tls")])]

    done = as_account(operator, "apply", "--server-side", "-o", "name", "-f", "-", objects=objects)

    assert len(done.splitlines()) == len(objects), done
    assert as_account(operator, "get", "secrets", "-n", "default").startswith("refused")


def test_the_operator_registers_its_own_webhook_and_no_other(operator: Path) -> None:
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    own, other = ({**kind, "metadata": {"name": name}} for name in ("penstock", "other"))
    options = ("--server-side", "--dry-run=server", "-o", "name", "-f", "-")

    assert "penstock" in as_account(operator, "apply", *options, objects=[own])
    assert as_account(operator, "apply", *options, objects=[other]).startswith("refused")


def test_the_operator_cannot_hand_on_what_it_does_not_have(operator: Path, namespace: str) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "too-much", "namespace": namespace},
        "rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}],
    }
    done = as_account(operator, "apply", "--server-side", "-f", "-", objects=[role])

    assert "is attempting to grant RBAC permissions not currently held" in done


def test_a_gateways_pods_can_do_just_what_they_need(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl
) -> None:
    edge = gateway(ROOT / "tests/unit/deploy/golden/a-gateway-of-defaults", namespace)
    applied(kubectl, [*gateway_objects(edge, CONTEXT), *secret_rights(edge, [(namespace, "tls")])])
    pod = control_plane.kubeconfig_for_service_account(namespace, "edge")

    def may(verb: str, resource: str, *options: str) -> bool:
        answer = as_account(pod, "auth", "can-i", verb, resource, *(options or ("-n", namespace)))
        return answer.strip() == "yes"

    allowed = [("list", "configmaps"), ("watch", "configmaps"), ("create", "leases"), ("patch", "leases")]
    allowed += [("get", "secrets/tls"), ("watch", "secrets/tls"), ("get", "secrets/edge-pepper")]
    refused = [("list", "secrets"), ("get", "secrets/other"), ("patch", "secrets/tls")]
    refused += [("create", "configmaps"), ("patch", "configmaps"), ("list", "pods"), ("get", "roles")]
    assert [right for right in allowed if not may(*right)] == []
    assert [right for right in refused if may(*right)] == []
    assert not may("list", "configmaps", "-n", "default")
