"""An API's Secret: read by pods by its exact name, put in place under load, and out of reach after."""

from e2e.components.waiting import wait_until
from e2e.installed.shop import Shop
from e2e.installed.traffic import traffic


def test_a_secret_is_rotated_under_load_and_no_longer_readable_without_a_reference(shop: Shop) -> None:
    path = shop.path("hello")
    shop.apply(secret("one"))
    shop.plan("hello")
    shop.api("hello", "{#secrets.get('/kubernetes/backend:token')}")
    shop.wait_for(path, "one")
    [role] = shop.get("roles")["items"]
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["backend"],
            "verbs": ["get", "list", "watch"],
        }
    ]

    with traffic(shop.url + path) as load:
        shop.apply(secret("two"))
        wait_until("the new value", lambda: {one.text for one in load.wait_for(40)} == {"two"})
    assert load.failures == []
    assert {answer.text for answer in load.answers} == {"one", "two"}

    shop.api("hello", "no secret")
    shop.wait_for(path, "no secret")
    wait_until("the end of the right", lambda: not shop.names("roles") and not shop.names("rolebindings"))


def secret(token: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "backend"},
        "stringData": {"token": token},
    }
