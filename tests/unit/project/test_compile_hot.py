"""`make compile`: extension modules in the tree always belong to the present sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import compile_hot

PROJECT = """
[tool.penstock]
compiled = [{listed}]
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two modules of which one is listed; nothing is compiled yet."""
    package = tmp_path / "gateway_runtime"
    package.mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(listed='"gateway_runtime/one.py"'))
    for name in ("one", "two"):
        (package / f"{name}.py").write_text("def answer() -> int:\n    return 1\n")
    monkeypatch.setattr(compile_hot, "ROOT", tmp_path)
    monkeypatch.setattr(compile_hot, "STAMP", tmp_path / ".venv" / ".compiled")
    monkeypatch.delenv("PENSTOCK_COMPILE", raising=False)
    return tmp_path


def extension_modules(tree: Path) -> list[str]:
    return sorted(path.name.split(".")[0] for path in tree.rglob("*.so"))


def pretend_compiled(tree: Path, name: str) -> None:
    (tree / "gateway_runtime" / f"{name}.cpython-311-x86_64-linux-gnu.so").touch()


def test_without_compiling_no_extension_module_shadows_a_source(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_compiled(tree, "one")
    monkeypatch.setenv("PENSTOCK_COMPILE", "0")
    compile_hot.compile_in_place()
    assert extension_modules(tree) == []


def test_without_a_compiler_no_extension_module_stays(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_compiled(tree, "one")
    monkeypatch.setenv("CC", str(tree / "no-such-compiler"))
    compile_hot.compile_in_place()
    assert extension_modules(tree) == []


def test_a_listed_source_that_is_gone_is_named(tree: Path) -> None:
    (tree / "gateway_runtime" / "one.py").unlink()
    with pytest.raises(SystemExit, match=r"no such file: gateway_runtime/one\.py"):
        compile_hot.compile_in_place()


def test_only_listed_modules_are_compiled_and_a_change_compiles_anew(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[list[str]] = []

    def build(root: Path, sources: list[str], folder: Path) -> list[Path]:
        built.append(sources)
        modules = [Path(source).with_suffix(".so") for source in sources]
        for module in modules:
            (folder / "lib" / module).parent.mkdir(parents=True, exist_ok=True)
            (folder / "lib" / module).write_text("compiled")
        return modules

    monkeypatch.setattr(compile_hot, "build", build)
    monkeypatch.setattr(compile_hot, "compiler_found", lambda: True)
    pretend_compiled(tree, "two")
    compile_hot.compile_in_place()
    compile_hot.compile_in_place()
    assert (built, extension_modules(tree)) == ([["gateway_runtime/one.py"]], ["one"])
    (tree / "gateway_runtime" / "one.py").write_text("def answer() -> int:\n    return 2\n")
    compile_hot.compile_in_place()
    assert len(built) == 2
