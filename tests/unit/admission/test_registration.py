"""How the API server is told of the webhook."""

import base64

from penstock_operator.admission.registration import Address, configuration


def webhook(address: Address) -> dict:
    [found] = configuration(address, b"CA")["webhooks"]
    return found


def test_nothing_is_lost_with_the_webhook_away() -> None:
    found = webhook(Address("penstock"))
    assert found["failurePolicy"] == "Ignore"
    assert found["timeoutSeconds"] <= 3


def test_only_our_kinds_are_asked_about_and_not_their_status() -> None:
    [rule] = webhook(Address("penstock"))["rules"]
    assert rule["apiGroups"] == ["penstock.dev"]
    assert not any("/" in resource or resource == "*" for resource in rule["resources"])
    assert "apidefinitions" in rule["resources"]


def test_in_a_cluster_it_is_found_by_its_service() -> None:
    address = Address("penstock")
    assert address.host == "penstock-webhook.penstock.svc"
    service = webhook(address)["clientConfig"]["service"]
    assert service == {"namespace": "penstock", "name": "penstock-webhook", "path": "/validate", "port": 443}


def test_in_development_it_is_found_by_a_url() -> None:
    address = Address("penstock", "https://127.0.0.1:9443/")
    assert address.host == "127.0.0.1"
    found = webhook(address)["clientConfig"]
    assert found == {"url": "https://127.0.0.1:9443/validate", "caBundle": base64.b64encode(b"CA").decode()}
