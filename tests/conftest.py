"""What tests of several folders share: plug-ins, and the switch that writes golden folders anew.

`pytest tests/unit/graph tests/unit/deploy --rewrite`
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway_runtime.policies.registry import plug_in_policies


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write out.yaml of all golden folders anew")


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite", default=False))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a distribution whose one module is `source`, with its entry points."""
    names = []

    def run(module: str, source: str, **entries: str) -> None:
        (tmp_path / f"{module}.py").write_text(source)
        information = tmp_path / f"{module}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (information / "entry_points.txt").write_text("\n".join(["[penstock.policies]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)
        names.append(module)
        plug_in_policies.cache_clear()

    yield run
    plug_in_policies.cache_clear()
    for name in names:
        sys.modules.pop(name, None)
