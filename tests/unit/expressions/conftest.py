"""One exchange with everything that expressions can read."""

from __future__ import annotations

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from gateway_runtime.exchange import (
    ApiInfo,
    ApplicationInfo,
    Exchange,
    Headers,
    Request,
    Response,
    SubscriptionInfo,
)
from gateway_runtime.kafka.record_message import RecordMessage
from gateway_runtime.protocols.kafka.records import RecordBatch


def request_headers() -> Headers:
    headers = Headers([], [])
    for name, value in (("X-Tenant", "north"), ("Accept", "text/html"), ("Accept", "text/plain")):
        headers.add(name, value)
    return headers


def record() -> RecordMessage:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 16,
    )  # fmt: skip
    value = b'{"total": 5, "lines": [{"sku": "a"}]}'
    builder.append(0, 1_700_000_000_000, b"k", value, [("region", b"eu")])
    batch = RecordBatch(memoryview(bytes(builder.build())))
    message = RecordMessage("orders", 3, batch, is_published=False)
    message.turn_to(batch.records()[0])
    return message


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
    found.message = record()
    return found


@pytest.fixture
def bare() -> Exchange:
    """An exchange in which every optional thing is missing."""
    return Exchange(Request("GET", "/", "", "HTTP/1.1", Headers([], [])), ApiInfo("a", "b", "", {}))
