"""A finished transaction to its line in the access log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gateway_runtime.admin.access_log import AccessRecord

if TYPE_CHECKING:
    from gateway_runtime.connections.response_phase import ResponsePhase


def access_record(transaction: ResponsePhase, seconds: float) -> AccessRecord:
    """What the access log says of a transaction that took so many seconds.

    The query is left out: it may hold an API key.
    """
    request = transaction.head.request
    exchange = transaction.exchange
    subscription = None if exchange is None else exchange.subscription
    request_id = request.headers.find(b"x-request-id") or b""
    return AccessRecord(
        time=round(time.time() - seconds, 6),
        method=request.method,
        host=request.host,
        path=request.path,
        status=transaction.status,
        duration_ms=round(seconds * 1000.0, 3),
        bytes_in=transaction.request_bytes,
        bytes_out=transaction.response_bytes,
        client=request.remote_address,
        api="" if transaction.api is None else transaction.api.key,
        plan="" if exchange is None else exchange.plan,
        application="" if subscription is None else subscription.application.name,
        subscription="" if subscription is None else subscription.name,
        endpoint="" if transaction.endpoint is None else transaction.endpoint.name,
        error=transaction.error_key,
        request_id=request_id.decode("latin-1"),
    )
