"""From nothing to a request that an API key lets in, with the commands of the guide."""

import re

from e2e.components.waiting import wait_until
from e2e.installed.release import NAMESPACE, Release
from e2e.installed.shop import Shop
from e2e.installed.traffic import ask


def test_from_helm_install_to_a_request_with_an_api_key(release: Release, shop_namespace: str) -> None:
    if release.is_installed:
        release.uninstall()

    notes = release.install()
    release.wait_until_ready()
    shop = Shop(release.cluster, shop_namespace, release.url)
    shop.apply_file("orders.yaml", NAMESPACE=shop_namespace)
    path, key = "/orders/hostname", {"X-Api-Key": shop.key("mobile")}
    wait_until("an answer by a key", lambda: shop.ask(path, key).status == 200)

    assert shop.ask(path, key).text in shop.names("pods")
    assert shop.ask(path).status == 401
    assert shop.ask(path, {"X-Api-Key": "another"}).status == 401
    assert f"kubectl wait -n {NAMESPACE} gatewaydeployment/edge" in notes


def test_helm_test_sends_a_request_through_a_sample_api(gateway: Release) -> None:
    told = gateway.test()
    phases = re.findall(r"^Phase: +(\w+)$", told, re.MULTILINE)
    assert phases == ["Succeeded"] * 3  # an ApiDefinition, a Plan and the pod that asks
    assert not any("test" in name for name in gateway.names("pods"))


def test_the_api_says_that_all_pods_serve_it(gateway: Release, shop: Shop) -> None:
    shop.plan("hello")
    shop.api("hello", "hello")
    command = ["wait", "-n", shop.namespace, "apidefinition/hello", "--for=condition=Ready", "--timeout=30s"]
    gateway.cluster.kubectl_output(*command)
    [api] = shop.get("apidefinitions")["items"]
    assert api["status"]["pods"] == "2/2"
    assert {ask(gateway.url + shop.path("hello")).text for _ in range(10)} == {"hello"}
