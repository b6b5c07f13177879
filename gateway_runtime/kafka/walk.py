"""Paths of Kafka's annotations to the names in a message: read them, or put others in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

Message = dict[str, Any]
Change = Callable[[str], str | None]

_TEXT: Final = ("ErrorMessage", "StatusDetail")
"""How the fields end that have texts for people."""
_FEW: Final = 32
_WORD: Final = re.compile(r"[A-Za-z0-9._-]+")
_ENDS: Final = (re.compile(r"\.$"), re.compile(r"-[0-9]+\.?$"))


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

    Answers False where the message itself is to go.
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
        changed = change(value)
        if changed is not None:
            message[path[0]] = changed
        return changed is not None
    return change_names(value, path[1:], change)


def _changed(item: Any, rest: tuple[str, ...], change: Change) -> Any:
    if isinstance(item, str):
        return change(item)
    return item if change_names(item, rest, change) else None


def change_texts(value: Any, names: dict[str, str]) -> None:
    """Put other names into the texts for people, anywhere in a message: brokers say the names they know."""
    if isinstance(value, list):
        for item in value:
            change_texts(item, names)
    elif isinstance(value, dict):
        for field, inner in value.items():
            if isinstance(inner, str) and field.endswith(_TEXT):
                value[field] = _replaced(inner, names)
            elif inner and isinstance(inner, list | dict):
                change_texts(inner, names)


def _replaced(text: str, names: dict[str, str]) -> str:
    if len(names) > _FEW:  # a text for each of many names must not cost their square
        return _WORD.sub(lambda found: _word(found[0], names), text)
    for old in sorted(names, key=len, reverse=True):
        if old:
            text = text.replace(old, names[old])
    return text


def _word(word: str, names: dict[str, str]) -> str:
    """A word of a text, which may be a topic, with its partition or the end of a sentence behind it."""
    if word in names:
        return names[word]
    for end in _ENDS:
        name = end.sub("", word)
        if name in names:
            return names[name] + word[len(name) :]
    return word
