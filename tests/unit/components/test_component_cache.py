"""The cache of components: built once, whole or not at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from e2e.components.cache import Recipe, cached
from e2e.components.commands import BuildError, run

ROOT = Path(__file__).resolve().parents[3]
RECIPE = Recipe("tool", "1.0", ("how",), "a moment")

SLOW_BUILDER = """
import sys
from e2e.components.cache import Recipe, cached

def build(folder):
    (folder / "tool").write_text("built")
    print("building", flush=True)
    sys.stdin.readline()

print(cached(Recipe("tool", "1.0", ("how",), "a moment"), build))
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "penstock" / "components"


@pytest.fixture
def slow_builder() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a process that builds the tool until it is sent a line."""
    with ExitStack() as processes:

        def start() -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", SLOW_BUILDER],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.callback(process.communicate)
            processes.callback(process.kill)
            return process

        yield start


def line(stream: object) -> str:
    return stream.readline().strip()  # type: ignore[attr-defined]


def write_tool(folder: Path) -> None:
    (folder / "tool").write_text("built")


def visible(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if not path.name.endswith(".lock"))


def test_a_second_call_builds_nothing(root: Path) -> None:
    folder = cached(RECIPE, write_tool)
    assert cached(RECIPE, lambda _: pytest.fail("built again")) == folder
    assert (folder / "tool").read_text() == "built"
    assert visible(root) == [folder.name]


def test_other_inputs_are_built_apart() -> None:
    other = Recipe("tool", "1.0", ("how else",), "a moment")
    assert cached(RECIPE, write_tool) != cached(other, write_tool)


def test_says_what_the_first_build_does_and_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    cached(RECIPE, write_tool)
    assert capsys.readouterr().err.splitlines() == [
        "penstock: building tool 1.0 (first time only, a moment)",
        "penstock: built tool 1.0 in 0 s",
    ]


def test_two_processes_at_once_build_once(
    root: Path, slow_builder: Callable[[], subprocess.Popen[str]]
) -> None:
    first = slow_builder()
    assert line(first.stdout) == "building"
    second = slow_builder()
    assert line(second.stderr) == "penstock: waiting for another process that builds tool 1.0"
    outputs = [process.communicate("go on\n", timeout=10)[0].splitlines() for process in (first, second)]
    assert outputs == [[str(root / RECIPE.folder_name)]] * 2


def test_a_failed_build_leaves_nothing_and_is_tried_again(root: Path) -> None:
    def fail(folder: Path) -> None:
        write_tool(folder)
        raise BuildError("no")

    with pytest.raises(BuildError):
        cached(RECIPE, fail)
    assert visible(root) == []
    assert (cached(RECIPE, write_tool) / "tool").read_text() == "built"


def test_what_a_killed_builder_left_is_swept_by_the_next(
    root: Path, slow_builder: Callable[[], subprocess.Popen[str]]
) -> None:
    killed = slow_builder()
    assert line(killed.stdout) == "building"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(visible(root)) == 1
    folder = cached(RECIPE, write_tool)
    assert visible(root) == [folder.name]


def test_a_failed_command_shows_the_end_of_its_output(tmp_path: Path) -> None:
    script = "for i in $(seq 100); do echo line $i; done; echo undefined: x >&2; exit 3"
    with pytest.raises(BuildError, match=r"ended with 3:\nline 72\n(.*\n)*undefined: x$"):
        run(["sh", "-c", script], tmp_path)


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no-such-compiler cannot be run"):
        run(["no-such-compiler"], tmp_path)
