"""A finished transaction to its line in the access log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_runtime.admin.access_log import AccessRecord

if TYPE_CHECKING:
    from gateway_runtime.connections.transaction import Transaction


def access_record(transaction: Transaction, seconds: float) -> AccessRecord:
    """What the access log says of a transaction that took so many seconds."""
    raise NotImplementedError
