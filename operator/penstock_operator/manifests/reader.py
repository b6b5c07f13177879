"""Turns files into manifests: one `Manifest` for each resource of a YAML or JSON file.

What is wrong with a file becomes a `ManifestError` beside the file's good documents; nothing is raised for
what a user wrote. Meaning is left to `resources.parse`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from yaml import MarkedYAMLError, Node, YAMLError

from penstock_operator.manifests.nodes import Converter, InvalidNodeError, PathPart, compose, find, path_to

MAX_FILE_BYTES = 16 * 2**20
SUFFIXES = frozenset((".yaml", ".yml", ".json"))

_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

FieldPath = tuple[PathPart, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One resource as it was written.

    `document` counts the file's documents from 0, `line` lines from 1; `path` leads to the resource within
    its document (an item of a List), `start` and `end` are the document's bounds in the text.
    """

    file: str
    document: int
    line: int
    data: dict[str, Any] = field(repr=False)
    path: FieldPath = ()
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class ManifestError:
    """A file, or a part of it, that holds no resource; `line` counts from 1 (0: the whole file)."""

    file: str
    line: int
    field: str
    message: str


def read_folder(path: Path) -> dict[Path, tuple[Manifest | ManifestError, ...]]:
    """The manifests of all files below a folder, or of a single file, in the order of their names."""
    if not path.is_dir():
        return {path: read_file(path)}
    return {file: read_file(file) for file in manifest_files(path)}


def manifest_files(folder: Path) -> Iterator[Path]:
    """YAML and JSON files below a folder, sorted; names that start with a dot are left out."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix in SUFFIXES:
                yield Path(root, name)


def read_file(path: Path) -> tuple[Manifest | ManifestError, ...]:
    """The manifests of one file, and an error for each document that is none."""
    text = _text(path)
    return (text,) if isinstance(text, ManifestError) else tuple(read_text(text, str(path)))


def read_text(text: str, file: str) -> Iterator[Manifest | ManifestError]:
    """The manifests of a YAML stream that came from `file`."""
    converter = Converter()
    try:
        for number, root in enumerate(compose(text)):
            yield from _document(converter, root, file, number)
    except YAMLError as error:
        yield _syntax_error(error, file)


def line_of(manifest: Manifest, field_path: FieldPath) -> int:
    """The line (from 1) of a field, or of the nearest one around it.

    The file is read again for this; where it has changed meanwhile the answer is the manifest's own line.
    """
    try:
        changed = Path(manifest.file).stat().st_mtime_ns
        root, lines_before = _document_node(manifest.file, changed, manifest.start, manifest.end)
        resource, line = find(root, manifest.path)
        if Converter().convert(resource) != manifest.data:
            return manifest.line
    except (OSError, ValueError, YAMLError, InvalidNodeError):
        return manifest.line
    return (find(resource, field_path)[1] if field_path else line) + lines_before


@lru_cache(maxsize=1)
def _document_node(file: str, _changed: int, start: int, end: int) -> tuple[Node, int]:
    """One document's tree and the number of lines before it; cached, as errors come in groups."""
    text = _text(Path(file))
    if isinstance(text, ManifestError):
        raise ValueError(text.message)
    begin = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    for root in compose(text[begin:end]):
        return root, _line_breaks(text[:begin])
    raise ValueError("the document is gone")


def _line_breaks(text: str) -> int:
    """Line breaks as YAML counts them (section 5.4 and YAML 1.1's three others)."""
    return len(_LINE_BREAK.findall(text))


def _text(path: Path) -> str | ManifestError:
    try:
        if not path.is_file():
            return ManifestError(str(path), 0, "", "no such file")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            return ManifestError(
                str(path), 0, "", f"larger than {MAX_FILE_BYTES // 2**20} MiB; split the file"
            )
        return content.decode("utf-8-sig")
    except OSError as error:
        return ManifestError(str(path), 0, "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ManifestError(str(path), line, "", "not UTF-8 text")


def _document(converter: Converter, root: Node, file: str, number: int) -> Iterator[Manifest | ManifestError]:
    line = root.start_mark.line + 1
    try:
        data = converter.convert(root)
    except InvalidNodeError as error:
        where = format_path(path_to(root, error.node))
        yield ManifestError(file, error.node.start_mark.line + 1, where, error.message)
        return
    if data is None:
        return
    if not isinstance(data, dict):
        yield ManifestError(file, line, "", f"a resource is a mapping, found {_kind_of(data)}")
        return
    whole = Manifest(file, number, line, data, (), root.start_mark.index, root.end_mark.index)
    yield from _items(whole, root) if data.get("kind") == "List" else (whole,)


def _items(whole: Manifest, root: Node) -> Iterator[Manifest | ManifestError]:
    items = whole.data.get("items")
    if not isinstance(items, list):
        yield ManifestError(whole.file, find(root, ("items",))[1], "items", "a List needs a list of items")
        return
    for index, item in enumerate(items):
        path: FieldPath = ("items", index)
        line = find(root, path)[1]
        if isinstance(item, dict):
            yield Manifest(whole.file, whole.document, line, item, path, whole.start, whole.end)
        else:
            found = _kind_of(item)
            yield ManifestError(
                whole.file, line, format_path(path), f"a resource is a mapping, found {found}"
            )


def _syntax_error(error: YAMLError, file: str) -> ManifestError:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.problem, error.context) if part)
        return ManifestError(file, mark.line + 1 if mark else 0, "", f"not valid YAML: {message}")
    return ManifestError(file, 0, "", f"not valid YAML: {getattr(error, 'reason', error)}")


def _kind_of(data: object) -> str:
    return "a list" if isinstance(data, list) else f"`{str(data)[:40]}`"


def format_path(path: FieldPath) -> str:
    """A path as users write it: `spec.listeners[0].http.path`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
