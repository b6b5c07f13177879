"""From earlier definitions and another image to those of the chart, while clients call the gateway."""

import json
from typing import Any

from e2e.components.waiting import wait_until
from e2e.installed.release import IMAGE, Release
from e2e.installed.shop import Orders, Shop, penstock
from e2e.installed.traffic import traffic

NEXT = f"{IMAGE}-next"
PLANS = "plans.penstock.dev"


def test_an_upgrade_of_chart_and_definitions_fails_no_request(
    gateway: Release, orders: Orders, shop: Shop
) -> None:
    before = gateway.pods() | gateway.operators()
    make_old(gateway)
    wait_until("the earlier definitions", lambda: not is_taken(shop))
    name_image_anew(gateway)
    with traffic(orders.url, orders.headers) as load:
        told = gateway.upgrade(NEXT)
        wait_until(
            "the end of the pods before",
            lambda: not before & (gateway.pods() | gateway.operators()),
            seconds=150,
        )
        gateway.wait_for_pods(2)
    assert load.failures == []
    assert "STATUS: deployed" in told
    assert images(gateway) == {NEXT}
    assert is_taken(shop)
    # The new operator works.
    shop.plan("hello")
    shop.api("hello", "hello")
    shop.wait_for(shop.path("hello"), "hello")


def make_old(release: Release) -> None:
    """Puts an earlier definition of plans in place, which lacks a field."""
    old = json.loads(release.cluster.kubectl_output("get", "crd", PLANS, "-o", "json"))
    fields = old["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del fields["approval"]
    release.cluster.kubectl_output("replace", "-f", "-", input=json.dumps(old))


def is_taken(shop: Shop) -> bool:
    """Whether the API server knows the field."""
    key: dict[str, Any] = {"apiKey": {}}
    plan = penstock("Plan", "orders", apiRef={"name": "orders"}, security=key, approval="Manual")
    command = ["apply", "--dry-run=server", "-n", shop.namespace, "-f", "-"]
    return shop.cluster.kubectl(*command, input=json.dumps(plan)).returncode == 0


def name_image_anew(release: Release) -> None:
    """Gives the node the image by another name, as a later version would have."""
    names = [f"docker.io/library/{image}" for image in (IMAGE, NEXT)]
    release.cluster.on_node("ctr", "--namespace", "k8s.io", "images", "tag", "--force", *names)


def images(release: Release) -> set[str]:
    """What all containers of the release run."""
    pods = release.get("pods", "--field-selector=status.phase=Running")["items"]
    return {container["image"] for pod in pods for container in pod["spec"]["containers"]}
