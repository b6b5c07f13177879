"""How commands that serve write their log: to standard error, for people or as JSON lines."""

from __future__ import annotations

import logging
import sys
from typing import Final

import click

_JSON: Final = (
    '{"time": "%(asctime)s", "level": "%(levelname)s", "logger": "%(name)s", "message": "%(message)s"}'
)
_TEXT: Final = "penstock: %(message)s"

log_format_option = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def start_logging(log_format: str) -> None:
    """Log in that format from now on."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format=_JSON if log_format == "json" else _TEXT
    )
