"""Turns YAML text into node trees, and a node tree into plain data the way Kubernetes reads it.

The parser is libyaml's. The types of plain scalars are those of YAML 1.2's core schema (section 10.3.2), so
that `on`, `no` and timestamps stay strings; mapping keys become strings, as they are in JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml._yaml import CParser
from yaml.composer import ComposerError

PathPart = str | int

MAX_DEPTH = 100
MAX_NODES = 2_000_000
"""The most values that one file may hold once aliases are followed."""

_TAG = "tag:yaml.org,2002:"
_STR, _INT, _FLOAT, _BOOL, _NULL = (f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null"))
_SEQ, _MAP, _MERGE = f"{_TAG}seq", f"{_TAG}map", f"{_TAG}merge"
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), _NULL),
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), _BOOL),
    "<<": _MERGE,
}
_NUMBER_STARTS = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class InvalidNodeError(Exception):
    """A node that cannot become data."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


def _plain_tag(text: str) -> str:
    word = _WORDS.get(text)
    if word is not None:
        return word
    if text[0] not in _NUMBER_STARTS:
        return _STR
    if _INTEGER.fullmatch(text):
        return _INT
    return _FLOAT if _NUMBER.fullmatch(text) and math.isfinite(float(text)) else _STR


class _Composer(CParser):
    """libyaml's composer with the core schema in place of YAML 1.1's types.

    It recurses in C, without Python's guard against overflow: the two resolver hooks, called around each
    node, bound the depth.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool] | bool) -> str:
        if kind is ScalarNode:
            return _plain_tag(value) if implicit[0] else _STR  # type: ignore[index]
        return _MAP if kind is MappingNode else _SEQ

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = parent.start_mark if parent else None
            raise ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


def compose(text: str) -> Iterator[Node]:
    """The documents of a YAML stream as node trees.

    Raises yaml.YAMLError where the text is not YAML.
    """
    composer = _Composer(text)
    try:
        while composer.check_node():
            root = composer.get_node()
            if root is not None:
                yield root
    finally:
        composer.dispose()


class Converter:
    """Makes data of node trees; one for each file, so that its bounds hold for the file."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_NODES

    def convert(self, node: Node, depth: int = 0) -> Any:
        """The data of a node.

        Raises InvalidNodeError for a repeated key, an unknown tag, a key that is no scalar, or too much.
        """
        self._left -= 1
        if type(node) is ScalarNode:
            return _scalar(node)
        if self._left < 0 or depth > MAX_DEPTH:
            raise InvalidNodeError(node, "too many values, or nested too deep")
        if type(node) is MappingNode:
            return self._mapping(node, depth + 1)
        if node.tag != _SEQ:
            raise InvalidNodeError(node, f"the tag {node.tag} is not supported here")
        return [self.convert(item, depth + 1) for item in node.value]

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        if node.tag != _MAP:
            raise InvalidNodeError(node, f"the tag {node.tag} is not supported here")
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                merged |= self._merged(value, depth)
                continue
            if type(key) is not ScalarNode:
                raise InvalidNodeError(key, "a key must be a plain value")
            if key.value in data:
                raise InvalidNodeError(key, f"the key `{key.value}` is there twice")
            data[key.value] = self.convert(value, depth)
        return merged | data if merged else data

    def _merged(self, node: Node, depth: int) -> dict[str, Any]:
        sources = node.value if type(node) is SequenceNode else [node]
        merged: dict[str, Any] = {}
        for source in reversed(sources):
            data = self.convert(source, depth)
            if not isinstance(data, dict):
                raise InvalidNodeError(source, "only mappings can be merged with <<")
            merged |= data
        return merged


def _scalar(node: ScalarNode) -> Any:
    tag, text = node.tag, node.value
    if tag in (_STR, _MERGE):
        return text
    if tag not in (_INT, _FLOAT, _BOOL, _NULL):
        raise InvalidNodeError(node, f"the tag {tag} is not supported here")
    found = _plain_tag(text)
    if found != tag and not (tag == _FLOAT and found == _INT):
        raise InvalidNodeError(node, f"`{text[:80]}` is no {tag.removeprefix(_TAG)}")
    if tag == _INT:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if tag == _FLOAT:
        return float(text)
    return text[0] in "tT" if tag == _BOOL else None


def find(root: Node, path: tuple[PathPart, ...]) -> tuple[Node, int]:
    """The node at a path, or the deepest one on the way to it, and the line (from 1) of its key or item."""
    node, line = root, root.start_mark.line + 1
    for part in path:
        for key, mark, child in _children(node):
            if key == part:
                node, line = child, mark.line + 1
                break
        else:
            break
    return node, line


def path_to(root: Node, wanted: Node) -> tuple[PathPart, ...]:
    """The path of a node (or of a mapping's key node) within a tree; aliases are followed once."""
    stack: list[tuple[Node, tuple[PathPart, ...]]] = [(root, ())]
    seen: set[int] = set()
    while stack:
        node, path = stack.pop()
        if node is wanted:
            return path
        if id(node) in seen:
            continue
        seen.add(id(node))
        if type(node) is MappingNode:
            stack.extend((key, (*path, str(key.value))) for key, _ in node.value if key is wanted)
        stack.extend((child, (*path, key)) for key, _, child in _children(node))
    return ()


def _children(node: Node) -> Iterator[tuple[PathPart, Any, Node]]:
    if type(node) is MappingNode:
        for key, value in node.value:
            yield str(key.value), key.start_mark, value
    elif type(node) is SequenceNode:
        for index, item in enumerate(node.value):
            yield index, item.start_mark, item
