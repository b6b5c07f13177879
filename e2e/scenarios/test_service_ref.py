"""An endpoint that refers to a Service: its pods are called directly, and followed as they come and go."""

from functools import partial

from e2e.components.waiting import wait_until
from e2e.installed.shop import Shop, penstock
from e2e.installed.traffic import Traffic, traffic


def test_traffic_follows_the_pods_of_a_service(shop: Shop, python_image: str) -> None:
    shop.apply_file("web.yaml", IMAGE=python_image)
    shop.plan("web")
    endpoint = {"name": "web", "serviceRef": {"name": "web", "port": 80}}
    shop.apply(
        penstock(
            "ApiDefinition",
            "web",
            listeners=[{"http": {"path": shop.path("web")}}],
            endpointGroups=[{"name": "default", "endpoints": [endpoint]}],
        )
    )
    path = f"{shop.path('web')}/hostname"
    wait_until("an answer", lambda: shop.ask(path).status == 200)
    with traffic(shop.url + path) as load:
        for count in (2, 3, 1):
            scale(shop, count)
            wait_until(f"answers of {count} pods", partial(answering, shop, load, count))
    assert load.failures == []


def scale(shop: Shop, count: int) -> None:
    shop.cluster.kubectl_output("scale", "-n", shop.namespace, "deployment/web", f"--replicas={count}")


def answering(shop: Shop, load: Traffic, count: int) -> bool:
    """Whether all of so many pods, and no others, answer."""
    answered = {answer.text for answer in load.wait_for(60)}
    return len(answered) == count and answered == shop.names("pods")
