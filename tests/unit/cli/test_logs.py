"""Log lines in JSON, whatever is in them."""

import json
import logging
import sys

from penstock_operator.cli.logs import JsonFormatter


def formatted(message: str, *arguments: object, **options: object) -> dict[str, str]:
    record = logging.LogRecord("penstock", logging.WARNING, "", 0, message, arguments, **options)  # type: ignore[arg-type]
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, str] = json.loads(line)
    return found


def test_quotes_and_line_ends_stay_within_the_message() -> None:
    found = formatted('"%s" is\nwrong', "orders", exc_info=None)
    assert (found["message"], found["level"], found["logger"]) == (
        '"orders" is\nwrong',
        "WARNING",
        "penstock",
    )


def test_an_exception_is_a_text_of_the_line() -> None:
    try:
        raise ValueError('no "such" thing')
    except ValueError:
        found = formatted("it failed", exc_info=sys.exc_info())
    assert found["exception"].endswith('ValueError: no "such" thing')
    assert found["message"] == "it failed"
