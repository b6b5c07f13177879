"""What is wrong with bytes of a peer."""

from __future__ import annotations


class KafkaFormatError(ValueError):
    """Bytes that are no message of their API key and version; the connection cannot go on."""
