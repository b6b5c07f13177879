"""What `helm uninstall` leaves: the kinds and the users' resources, and nothing else."""

from e2e.components.waiting import wait_until
from e2e.installed.release import NAMESPACE, Release
from e2e.installed.shop import Orders, Shop
from e2e.installed.traffic import ask

WHOLE_CLUSTER = "clusterroles,clusterrolebindings,validatingwebhookconfigurations"
OF_EACH_NAMESPACE = {"configmap/kube-root-ca.crt", "serviceaccount/default"}


def left_in_the_namespace(release: Release) -> set[str]:
    """All objects of the release's namespace but those that Kubernetes puts into each, and events."""
    kubectl = release.cluster.kubectl_output
    resources = kubectl("api-resources", "--namespaced=true", "--verbs=list", "-o", "name").split()
    kinds = ",".join(kind for kind in resources if not kind.startswith("events"))
    return set(kubectl("get", kinds, "-n", NAMESPACE, "-o", "name").split()) - OF_EACH_NAMESPACE


def left_elsewhere(release: Release) -> set[str]:
    """Penstock's objects of the whole cluster, and the gateways' rights in all namespaces."""
    kubectl = release.cluster.kubectl_output
    cluster = {name for name in kubectl("get", WHOLE_CLUSTER, "-o", "name").split() if "penstock" in name}
    ours = "app.kubernetes.io/managed-by=penstock"
    return cluster | set(kubectl("get", "roles,rolebindings", "-A", "-l", ours, "-o", "name").split())


def test_an_uninstall_leaves_nothing_but_the_kinds_and_the_users_resources(
    gateway: Release, orders: Orders, shop_namespace: str
) -> None:
    assert ask(orders.url, orders.headers).status == 200
    assert len(left_elsewhere(gateway)) > len({"a Role", "a RoleBinding"})

    gateway.uninstall()

    wait_until("the end of all", lambda: not left_in_the_namespace(gateway) and not left_elsewhere(gateway))
    shop = Shop(gateway.cluster, shop_namespace, gateway.url)
    assert shop.names("apidefinitions") == {"orders"}
    assert shop.names("subscriptions") == {"mobile"}
