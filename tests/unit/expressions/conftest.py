"""One exchange with everything that expressions can read."""

from __future__ import annotations

import pytest

from gateway_runtime.exchange import (
    ApiInfo,
    ApplicationInfo,
    Exchange,
    Headers,
    Request,
    Response,
    SubscriptionInfo,
)


def request_headers() -> Headers:
    headers = Headers([], [])
    for name, value in (("X-Tenant", "north"), ("Accept", "text/html"), ("Accept", "text/plain")):
        headers.add(name, value)
    return headers


@pytest.fixture
def exchange() -> Exchange:
    request = Request("GET", "/orders/items/7", "q=a%20b&empty=&q=second", "HTTP/1.1", request_headers())
    request.api_path = "/items/7"
    request.host = "api.example.com"
    request.remote_address = "192.0.2.7"
    request.path_params = {"id": "7"}
    found = Exchange(request, ApiInfo("orders", "shop", "1.2", {"region": "eu-west"}))
    found.response = Response(201, b"Created", Headers([b"x-server"], [b"x-server: one"]))
    found.plan = "gold"
    found.subscription = SubscriptionInfo("mobile-orders", "gold", ApplicationInfo("mobile", "mobile-app"))
    found.claims = {"sub": "anna", "realm": {"roles": ["reader", "writer"]}, "admin": True, "age": 40}
    found.attributes["tier"] = "first"
    return found


@pytest.fixture
def bare() -> Exchange:
    """An exchange in which every optional thing is missing."""
    return Exchange(Request("GET", "/", "", "HTTP/1.1", Headers([], [])), ApiInfo("a", "b", "", {}))
