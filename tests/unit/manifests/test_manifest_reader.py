"""Files become manifests; what is wrong with a file becomes a value, never an exception."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.manifests.reader import (
    MAX_FILE_BYTES,
    Manifest,
    ManifestError,
    line_of,
    read_file,
    read_folder,
    read_text,
)

TWO = """\
# a comment
kind: A
spec:
  list:
  - x: 1
---
---

kind: B
spec: {deep: {er: 1}}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@given(st.text() | st.text(alphabet="{}[]:-&*!#|>'\"%@`,? \n\t\rab1\x85\u2028é"))
def test_no_text_raises(text: str) -> None:
    for found in read_text(text, "any.yaml"):
        assert isinstance(found, Manifest | ManifestError)


@given(
    st.lists(
        st.sampled_from(["kind: A\nb:\n- c: 1", "{kind: é, b: [{c: 1}]}", "kind: A\r\nb:\r\n- c: €", "# €"])
    )
)
def test_the_line_of_a_field_is_the_same_wherever_its_document_stands(tmp_path_factory, documents) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.yaml"
    text = "\n---\n".join(documents)
    path.write_bytes(text.encode())

    for manifest in read_file(path):
        assert isinstance(manifest, Manifest)
        line = text.splitlines()[line_of(manifest, ("b", 0, "c")) - 1]
        assert "c: " in line


def test_each_document_of_a_file_is_a_manifest_with_its_line(tmp_path: Path) -> None:
    first, second = read_file(write(tmp_path, "a.yaml", TWO))

    assert (first.document, first.line, first.data) == (0, 2, {"kind": "A", "spec": {"list": [{"x": 1}]}})
    assert (second.document, second.line) == (2, 9)


def test_fields_have_lines(tmp_path: Path) -> None:
    first, second = read_file(write(tmp_path, "a.yaml", TWO))

    assert line_of(first, ()) == 2
    assert line_of(first, ("spec", "list", 0, "x")) == 5
    assert line_of(first, ("spec", "list", 7)) == 4
    assert line_of(second, ("spec", "deep", "er")) == 10


def test_items_of_a_list_are_manifests_with_lines_of_their_own(tmp_path: Path) -> None:
    text = "kind: List\nitems:\n- kind: A\n  spec: {}\n- kind: B\n  spec: {}\n- 5\n"

    a, b, wrong = read_file(write(tmp_path, "a.yaml", text))

    assert (a.data["kind"], a.line, line_of(a, ("spec",))) == ("A", 3, 4)
    assert (b.data["kind"], b.line, line_of(b, ("spec",)), line_of(b, ())) == ("B", 5, 6, 5)
    assert (wrong.line, wrong.field) == (7, "items[2]")


def test_a_file_that_changed_meanwhile_gives_the_line_of_the_document(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "kind: A\nspec:\n  x: 1\n")
    (manifest,) = read_file(path)

    path.write_text("k: A\n\n\n\nspec:\n  x: 1\n", encoding="utf-8")
    assert line_of(manifest, ("spec", "x")) == 1
    path.unlink()
    assert line_of(manifest, ("spec", "x")) == 1


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        ("a: 1\nb: [\n", 3, "", "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "", "not valid YAML"),
        ("a:\n  b: 1\n  b: 2\n", 3, "a.b", "the key `b` is there twice"),
        ("- a\n", 1, "", "a resource is a mapping, found a list"),
        ("just words\n", 1, "", "a resource is a mapping, found `just words`"),
        ("kind: List\nitems: 5\n", 2, "items", "a List needs a list of items"),
        ("a: \x00", 0, "", "not valid YAML"),
    ],
)
def test_a_broken_document_is_an_error_with_its_place(
    tmp_path: Path, text: str, line: int, field: str, message: str
) -> None:
    path = write(tmp_path, "a.yaml", text)

    (error,) = read_file(path)

    assert (error.file, error.line, error.field) == (str(path), line, field)
    assert message in error.message


def test_a_document_with_a_repeated_key_leaves_the_others_alone() -> None:
    found = list(read_text("kind: A\n---\n{a: 1, a: 2}\n---\nkind: B\n", "a.yaml"))

    assert [type(each) for each in found] == [Manifest, ManifestError, Manifest]


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a-latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    with (tmp_path / "b-large.yaml").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    latin, large = read_folder(tmp_path).values()

    assert (latin[0].line, latin[0].message) == (2, "not UTF-8 text")
    assert "larger than 16 MiB" in large[0].message
    assert read_folder(tmp_path / "none")[tmp_path / "none"][0].message == "no such file"


def test_a_folder_is_read_in_order_without_hidden_and_foreign_files(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "sub/c.json", ".hidden.yaml", ".git/x.yaml", "notes.txt"):
        write(tmp_path, name, '{"kind": "A"}')

    found = read_folder(tmp_path)

    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.yaml", "b.yml", "sub/c.json"]


def test_a_manifest_never_shows_its_data() -> None:
    (manifest,) = read_text("{kind: Secret, stringData: {key: s3cret}}", "a.yaml")

    assert "s3cret" not in repr(manifest)
