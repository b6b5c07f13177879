"""Paths of Kafka's annotations to the names in a message: read them, or put others in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Message = dict[str, Any]
Change = Callable[[str], str | None]


def names_at(message: Message, path: tuple[str, ...]) -> Iterator[str]:
    """Every name that a path leads to, through arrays and structs."""
    value = message.get(path[0])
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item
        elif item is not None:
            yield from names_at(item, path[1:])


def change_names(message: Message, path: tuple[str, ...], change: Change) -> bool:
    """Put what `change` gives in the place of each name; where that is None, its array's element goes.

    Answers False where the message itself is to go. A text for people beside a name is changed as well: a
    broker's say the names that it knows.
    """
    value = message.get(path[0])
    if value is None:
        return True
    if isinstance(value, list):
        message[path[0]] = [
            found for item in value if (found := _changed(item, path[1:], change)) is not None
        ]
        return True
    if isinstance(value, str):
        return _change_name(message, path[0], value, change)
    return change_names(value, path[1:], change)


def _changed(item: Any, rest: tuple[str, ...], change: Change) -> Any:
    if isinstance(item, str):
        return change(item)
    return item if change_names(item, rest, change) else None


def _change_name(message: Message, field: str, name: str, change: Change) -> bool:
    changed = change(name)
    if changed is None:
        return False
    message[field] = changed
    text = message.get("ErrorMessage")
    if text:
        message["ErrorMessage"] = text.replace(name, changed)
    return True
