"""What the chart makes of its values, without a cluster."""

import json
import re
from pathlib import Path

import pytest
import yaml
from chart_release import CHART, NAMESPACE, ROOT, Object, is_hook, of_kind, one_of, rendered
from prometheus_client import generate_latest

from e2e.components.helm import Helm
from gateway_runtime.admin.metrics import GatewayState, render
from gateway_runtime.stats import ApiStats
from penstock_operator.admission.registration import Address, configuration
from penstock_operator.cluster.metrics import Metrics
from penstock_operator.resources.kinds import KINDS

ALL_ON: Object = {
    "imagePullSecrets": [{"name": "registry"}],
    "metrics": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "dashboards": {"enabled": True},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "podAnnotations": {"a": "b"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "system-cluster-critical",
}
MONITORING = ("--api-versions", "monitoring.coreos.com/v1")


@pytest.fixture
def defaults(helm: Helm, tmp_path: Path) -> list[Object]:
    """The chart with no value set."""
    return rendered(helm, tmp_path)


def rules(path: str, kind: str) -> list[Object]:
    documents = yaml.safe_load_all((ROOT / "config" / "rbac" / path).read_text(encoding="utf-8"))
    found: list[Object] = next(one for one in documents if one["kind"] == kind)["rules"]
    return found


@pytest.mark.parametrize(
    "values",
    [{}, ALL_ON, {"watchNamespaces": ["shop"]}, {"gateway": {"enabled": False}, "replicas": 1}],
    ids=["defaults", "all on", "one namespace", "no gateway"],
)
def test_helm_finds_nothing_to_say(helm: Helm, tmp_path: Path, values: Object) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    done = helm.run("lint", "--strict", str(CHART), "-f", str(path))
    assert (done.returncode, "[WARNING]" in done.stdout) == (0, False), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"replica": 2}, "replica"),
        ({"gateway": {"enable": False}}, "enable"),
        ({"image": {"tag": 1.2}}, "tag"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"gateway": {"name": "Edge"}}, "name"),
        ({"watchNamespaces": "shop"}, "watchNamespaces"),
        ({"metrics": {"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}}, "ipBlock"),
        ({"resources": {"request": {"cpu": 1}}}, "request"),
    ],
)
def test_a_value_that_is_not_known_is_refused_by_name(
    helm: Helm, tmp_path: Path, values: Object, told: str
) -> None:
    with pytest.raises(RuntimeError, match=f"(?s)values don't meet the specifications.*{told}"):
        rendered(helm, tmp_path, values)


def test_the_schema_knows_every_value_there_is() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert schema["properties"].keys() - {"global"} == values.keys()


def test_the_definitions_are_those_of_the_folder_crds() -> None:
    copies, wanted = (
        {path.name: path.read_text(encoding="utf-8") for path in folder.glob("penstock*.yaml")}
        for folder in (CHART / "crds", ROOT / "crds")
    )
    assert copies == wanted
    listed = yaml.safe_load((CHART / "crds" / "kustomization.yaml").read_text(encoding="utf-8"))
    assert sorted(listed["resources"]) == sorted(copies)


def test_the_upgrade_of_definitions_may_touch_just_ours(defaults: list[Object]) -> None:
    [rule] = one_of(defaults, "ClusterRole", f"penstock-crds-{NAMESPACE}")["rules"]
    names = [f"{model.names.plural}.penstock.dev" for model in KINDS.values()]
    assert (sorted(rule["resourceNames"]), rule["verbs"]) == (sorted(names), ["create", "patch"])


def test_rights_are_those_of_the_rbac_in_config(helm: Helm, tmp_path: Path, defaults: list[Object]) -> None:
    role = one_of(defaults, "ClusterRole", "penstock-operator")
    assert role["rules"] == rules("operator.yaml", "ClusterRole")
    assert of_kind(defaults, "Role") == []

    some = rendered(helm, tmp_path, {"watchNamespaces": ["shop", "bank"]})
    assert [one for one in of_kind(some, "ClusterRole") if not is_hook(one)] == []
    roles = {one["metadata"]["namespace"]: one["rules"] for one in of_kind(some, "Role") if not is_hook(one)}
    wanted = rules("operator-namespaced.yaml", "Role")
    assert roles == {"shop": wanted, "bank": wanted, NAMESPACE: wanted}
    bindings = [one for one in of_kind(some, "RoleBinding") if not is_hook(one)]
    bound = {one["metadata"]["namespace"]: one["subjects"] for one in bindings}
    account = {"kind": "ServiceAccount", "name": "penstock-operator", "namespace": NAMESPACE}
    assert bound == {namespace: [account] for namespace in roles}


def test_an_operator_of_given_namespaces_looks_at_them_and_has_no_webhook(helm: Helm, tmp_path: Path) -> None:
    objects = rendered(helm, tmp_path, {"watchNamespaces": ["shop"]})
    arguments = operator_container(objects)["args"]
    assert {"--watch-namespace=shop", f"--watch-namespace={NAMESPACE}", "--webhook-port=0"} <= set(arguments)
    assert of_kind(objects, "ValidatingWebhookConfiguration") == []

    alone = rendered(helm, tmp_path, {"watchNamespaces": ["shop"], "gateway": {"enabled": False}})
    assert f"--watch-namespace={NAMESPACE}" not in operator_container(alone)["args"]


def operator_container(objects: list[Object]) -> Object:
    [container] = one_of(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_the_webhook_is_registered_as_the_operator_does_it(defaults: list[Object]) -> None:
    wanted = configuration(Address(NAMESPACE), b"CA")
    for webhook in wanted["webhooks"]:
        del webhook["clientConfig"]["caBundle"]
    found = one_of(defaults, "ValidatingWebhookConfiguration")
    assert (found["metadata"]["name"], found["webhooks"]) == (wanted["metadata"]["name"], wanted["webhooks"])
    # Labels that both set would change hands with each upgrade.
    assert "labels" not in wanted["metadata"]


def test_the_webhook_has_a_way_to_the_operator(defaults: list[Object]) -> None:
    service = one_of(defaults, "Service", "penstock-webhook")["spec"]
    pod = one_of(defaults, "Deployment")["spec"]["template"]
    ports = {port["name"]: port["containerPort"] for port in operator_container(defaults)["ports"]}
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    assert [(port["port"], ports[port["targetPort"]]) for port in service["ports"]] == [(443, 9443)]
    assert "--webhook-port=9443" in operator_container(defaults)["args"]
    ingress = one_of(defaults, "NetworkPolicy")["spec"]["ingress"]
    assert [rule["ports"][0]["port"] for rule in ingress] == [9443]


def test_the_operator_survives_the_loss_of_a_node(defaults: list[Object]) -> None:
    spec = one_of(defaults, "Deployment")["spec"]
    budget = one_of(defaults, "PodDisruptionBudget")["spec"]
    spread = spec["template"]["spec"]["topologySpreadConstraints"]
    assert (spec["replicas"], budget["maxUnavailable"]) == (2, 1)
    selectors = [budget["selector"], *(one["labelSelector"] for one in spread)]
    assert selectors == [spec["selector"]] * 3
    assert [one["topologyKey"] for one in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]


def test_one_replica_has_no_budget_that_binds_it_to_its_node(helm: Helm, tmp_path: Path) -> None:
    assert of_kind(rendered(helm, tmp_path, {"replicas": 1}), "PodDisruptionBudget") == []


@pytest.mark.parametrize("values", [{}, ALL_ON], ids=["defaults", "all on"])
def test_every_pod_is_restricted(helm: Helm, tmp_path: Path, values: Object) -> None:
    pods = pod_specs(rendered(helm, tmp_path, values))
    assert len(pods) == 4
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def pod_specs(objects: list[Object]) -> list[Object]:
    pods = [one["spec"] for one in of_kind(objects, "Pod")]
    return pods + [one["spec"]["template"]["spec"] for one in objects if one["kind"] in ("Deployment", "Job")]


def test_operator_and_gateways_run_the_same_image(helm: Helm, tmp_path: Path) -> None:
    digest = f"sha256:{'a' * 64}"
    values = {"image": {"repository": "registry.test/penstock", "tag": "2", "digest": digest}}
    objects = rendered(helm, tmp_path, values)
    images = {container["image"] for pod in pod_specs(objects) for container in pod["containers"]}
    assert images == {f"registry.test/penstock@{digest}"}
    environment = {one["name"]: one.get("value") for one in operator_container(objects)["env"]}
    assert environment["PENSTOCK_IMAGE"] == f"registry.test/penstock@{digest}"


def test_values_of_the_operator_reach_the_default_gateway_too(helm: Helm, tmp_path: Path) -> None:
    gateway = {"spec": {"replicas": 3, "podTemplate": {"drainDelay": "5s"}}}
    spec = one_of(rendered(helm, tmp_path, {**ALL_ON, "gateway": gateway}), "GatewayDeployment")["spec"]
    assert spec == {
        "replicas": 3,
        "podTemplate": {"drainDelay": "5s", "imagePullSecrets": [{"name": "registry"}]},
        "networkPolicy": {"adminFrom": ALL_ON["metrics"]["from"]},
    }


def test_without_a_gateway_there_is_no_test_of_it(helm: Helm, tmp_path: Path) -> None:
    objects = rendered(helm, tmp_path, {"gateway": {"enabled": False}})
    assert [one for one in objects if one["apiVersion"].startswith("penstock.dev")] == []
    assert of_kind(objects, "Pod") == []


def test_monitors_are_there_where_the_cluster_knows_them(helm: Helm, tmp_path: Path) -> None:
    known = rendered(helm, tmp_path, ALL_ON, *MONITORING)
    monitor, pods = one_of(known, "ServiceMonitor"), one_of(known, "PodMonitor")
    service = one_of(known, "Service", "penstock-operator")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    assert pods["spec"]["podMetricsEndpoints"][0]["port"] == "admin"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert of_kind(rendered(helm, tmp_path, ALL_ON), "ServiceMonitor") == []
    assert of_kind(rendered(helm, tmp_path, {}, *MONITORING), "ServiceMonitor") == []


def served_metrics() -> set[str]:
    """The names of all metrics of gateways and operator, as they are scraped."""
    stats = ApiStats()
    stats.count(200, 0.1)
    stats.count_error("API_KEY_MISSING")
    page = render({"apis": {"shop/orders": stats.dump()}}, GatewayState(1, 0, 1, True))
    metrics = Metrics()
    metrics.call("get", "Secret", 200)
    metrics.failure("x")
    metrics.review("Plan", True)
    metrics.rounds.labels("graph").observe(0.1)
    metrics.queue.labels("dirty").set(0)
    metrics.resources.labels("Plan").set(0)
    page += generate_latest(metrics.registry).decode()
    return set(re.findall(r"^(penstock_\w+)", page, re.MULTILINE))


@pytest.mark.parametrize("name", ["gateway", "operator"])
def test_dashboards_show_metrics_that_exist(helm: Helm, tmp_path: Path, name: str) -> None:
    maps = of_kind(rendered(helm, tmp_path, {"dashboards": {"enabled": True}}), "ConfigMap")
    [found] = [one for one in maps if one["metadata"]["name"] == f"penstock-dashboard-{name}"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    dashboard = json.loads(found["data"][f"penstock-{name}.json"])
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    shown += [one.get("definition", "") for one in dashboard["templating"]["list"]]
    names = set(re.findall(r"\bpenstock_(?!dev_)\w+", " ".join(shown)))
    assert names
    assert names - served_metrics() == set()
