"""One gateway's listener and API, and frames of its client and its broker."""

from __future__ import annotations

from gateway_runtime.kafka.addresses import AddressBook
from gateway_runtime.protocols.kafka.frames import RequestHeader, request_frame, response_frame
from gateway_runtime.protocols.kafka.messages import KEYS, Message
from gateway_runtime.snapshot.kafka import KafkaApi, KafkaCluster, KafkaListener

LISTENER = KafkaListener(name="kafka", port=9100, last_port=9199, host="gateway.test")
API = KafkaApi(name="orders", port=9100, cluster=KafkaCluster(name="c", bootstrap_servers=("real:9092",)))
ALL = {key: (api.lowest, api.highest) for key, api in KEYS.items()}
"""Every version of every key is offered."""


def address_book() -> AddressBook:
    """Where clients find the brokers; what it learns is let go."""
    return AddressBook(LISTENER, API, "shop", lambda *_: None)


def request_bytes(key: int, version: int, message: Message, number: int = 1) -> bytes:
    """A request's frame."""
    return b"".join(request_frame(RequestHeader(key, version, number, "me", 0), message))


def response_bytes(key: int, version: int, message: Message, number: int = 1) -> bytes:
    """A response's frame."""
    return b"".join(response_frame(key, version, number, message))
