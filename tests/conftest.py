"""What tests of several folders share: plug-ins, the switch that writes golden folders anew, and how all run.

`pytest tests/unit/graph tests/unit/deploy --rewrite`

`pytest --numprocesses 2 --dist loadscope` runs the folders of `tests/integration` side by side, each as a
whole, as its tests share servers; what they need of other programs is there before the first begins.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from e2e.components import helm, kafka, kafka_go, kubernetes
from e2e.components.java import classes
from e2e.components.vault import build as vault
from gateway_runtime.policies.registry import plug_in_policies


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write out.yaml of all golden folders anew")


class _ByFolder(LoadScopeScheduling):
    """Gives a process whole folders of integration tests, and files of others."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return str(Path(file).parent) if file.startswith("tests/integration/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _ByFolder(config, log)


def pytest_configure(config: pytest.Config) -> None:
    is_first = config.getoption("numprocesses", default=None) and not hasattr(config, "workerinput")
    if is_first and not config.option.collectonly:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            _bring_programs()


def _bring_programs() -> None:
    """Builds or downloads what integration tests start, one after the other: builds take both cores."""
    for name in ("etcd", "kube-apiserver", "kubectl"):
        kubernetes.program(name)
    helm.program()
    vault.program()
    here = Path(__file__).parent / "integration/kafka"
    classes(here / "java/Driver.java", kafka.libraries())
    kafka_go.franz(here / "franz")


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
