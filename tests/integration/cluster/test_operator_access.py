"""Who is let in: generated keys, rotation, approval, expiry, and the Secrets that pods may read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway_pod import GatewayPod
from operator_process import RBAC, Shop, answers, penstock, wait_for

pytestmark = pytest.mark.usefixtures("operator")
StartPod = Callable[..., GatewayPod]


@pytest.fixture
def pod(shop: Shop, shop_pod: StartPod) -> GatewayPod:
    """A pod that serves `orders` to those with a key."""
    shop.gateway()
    shop.api("orders")
    shop.plan("gold", {"apiKey": {"rotationOverlap": "3s"}}, "orders")
    shop.plan("asked", {"apiKey": {}}, "orders", approval="Manual")
    return shop_pod()


def key_of(shop: Shop, subscription: str) -> str:
    """The generated key of a subscription, once it is in service."""
    wait_for(lambda: shop.is_ready("Subscription", subscription))
    return shop.secret(f"{subscription}-api-key")["apiKey"]


def reader(shop: Shop) -> list[dict[str, Any]]:
    """The rules of the Role for the Secrets that APIs name."""
    roles = shop.cluster.call("GET", f"{RBAC}:roles")[1]["items"]
    return [rule for role in roles if role["metadata"]["name"] != "edge" for rule in role["rules"]]


def test_the_operator_makes_a_key_that_lets_in_and_tells_where_it_is(shop: Shop, pod: GatewayPod) -> None:
    shop.subscription("mobile", "gold")
    key = key_of(shop, "mobile")
    assert answers(pod, "/orders", (200, "v1"), X_Api_Key=key)()
    assert answers(pod, "/orders", 401)()
    status = shop.status("Subscription", "mobile")
    assert (status["plan"], status["api"], status["application"]) == ("gold", "orders", "app")
    assert status["apiKey"]["secretRef"] == {"name": "mobile-api-key", "key": "apiKey"}
    assert key not in str(shop.cluster.call("GET", "configmaps")[1])


def test_a_deleted_subscription_ends_its_access(shop: Shop, pod: GatewayPod) -> None:
    shop.subscription("mobile", "gold")
    key = key_of(shop, "mobile")
    shop.delete("Subscription", "mobile")
    wait_for(answers(pod, "/orders", 401, X_Api_Key=key))


def test_both_keys_let_in_after_a_rotation_until_the_overlap_ends(shop: Shop, pod: GatewayPod) -> None:
    shop.subscription("mobile", "gold")
    old = key_of(shop, "mobile")
    shop.annotate("Subscription", "mobile", rotate_key="1")
    wait_for(lambda: shop.secret("mobile-api-key")["apiKey"] != old)
    new = shop.secret("mobile-api-key")["apiKey"]
    wait_for(answers(pod, "/orders", 200, X_Api_Key=new))
    assert answers(pod, "/orders", 200, X_Api_Key=old)()
    assert shop.status("Subscription", "mobile")["apiKey"]["previousUntil"]
    wait_for(answers(pod, "/orders", 401, X_Api_Key=old))
    assert answers(pod, "/orders", 200, X_Api_Key=new)()
    wait_for(lambda: "previousApiKey" not in shop.secret("mobile-api-key"))
    wait_for(lambda: "previousUntil" not in shop.status("Subscription", "mobile")["apiKey"])


def test_a_subscription_waits_for_approval_by_annotation_and_by_command(shop: Shop, pod: GatewayPod) -> None:
    shop.subscription("first", "asked")
    shop.subscription("second", "asked")
    wait_for(lambda: shop.condition("Subscription", "first") == ("False", "PendingApproval"))
    shop.annotate("Subscription", "first", approval="Approved")
    assert answers(pod, "/orders", 200, X_Api_Key=key_of(shop, "first"))()
    options = ("second", "-n", shop.namespace)
    assert shop.condition("Subscription", "second") == ("False", "PendingApproval")
    penstock("subscriptions", "approve", *options, kubeconfig=shop.cluster.plane.kubeconfig)
    key = key_of(shop, "second")
    assert answers(pod, "/orders", 200, X_Api_Key=key)()
    shop.annotate("Subscription", "second", approval="Rejected")
    wait_for(answers(pod, "/orders", 401, X_Api_Key=key))


def test_a_subscription_ends_at_its_time_without_an_edit(shop: Shop, pod: GatewayPod) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=4)
    shop.subscription("mobile", "gold", endsAt=ends.isoformat())
    key = key_of(shop, "mobile")
    assert answers(pod, "/orders", 200, X_Api_Key=key)()
    wait_for(answers(pod, "/orders", 403, X_Api_Key=key))
    wait_for(lambda: shop.condition("Subscription", "mobile") == ("False", "Expired"))
    assert datetime.now(UTC) >= ends


def test_pods_may_read_just_the_secrets_that_apis_name(shop: Shop, shop_pod: StartPod) -> None:
    shop.cluster.secret("backend", token=b"value-1")
    shop.cluster.secret("other", token=b"value-2")
    shop.open("orders")
    pod = shop_pod()
    assert not reader(shop)
    shop.apply("GatewaySecret", "token", {"source": {"kubernetes": {"name": "backend", "key": "token"}}})
    shop.api("orders", "{#secrets.get('token')}")
    wait_for(answers(pod, "/orders", (200, "value-1")))
    assert [rule["resourceNames"] for rule in reader(shop)] == [["backend"]]
    assert reader(shop)[0]["verbs"] == ["get", "list", "watch"]
    shop.api("orders", "open")
    wait_for(answers(pod, "/orders", (200, "open")))
    wait_for(lambda: not reader(shop))


def test_a_new_value_of_a_secret_reaches_pods_and_its_version_the_status(
    shop: Shop, shop_pod: StartPod
) -> None:
    shop.cluster.secret("backend", token=b"value-1")
    shop.open("orders")
    shop.apply("GatewaySecret", "token", {"source": {"kubernetes": {"name": "backend", "key": "token"}}})
    shop.api("orders", "{#secrets.get('token')}")
    pod = shop_pod()
    wait_for(answers(pod, "/orders", (200, "value-1")))
    wait_for(lambda: shop.is_ready("GatewaySecret", "token"))
    before = shop.status("GatewaySecret", "token")
    assert before["since"]
    shop.cluster.secret("backend", token=b"value-2")
    wait_for(answers(pod, "/orders", (200, "value-2")))
    wait_for(lambda: shop.status("GatewaySecret", "token")["version"] != before["version"])
    assert "value-" not in str(shop.cluster.call("GET", "penstock.dev/v1alpha1:gatewaysecrets")[1])
