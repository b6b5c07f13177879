"""How commands that serve write their log: to standard error, for people or as JSON lines."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import click
import msgspec

log_format_option = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, with what was raised as a text in it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def start_logging(log_format: str) -> None:
    """Log in that format from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if log_format == "json" else logging.Formatter("penstock: %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
