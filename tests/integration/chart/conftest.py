"""Helm, and a Kubernetes API of its own: the chart's objects are of a whole cluster, as other tests' are."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from chart_release import ROOT, Release

from e2e.components.control_plane import ControlPlane
from e2e.components.helm import Helm, program


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster; the first time on a machine it is built, and the user sees that."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        return Helm(program(), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="package")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """An API server that knows nothing of Penstock yet."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        plane = ControlPlane()
    with plane:
        yield plane


@pytest.fixture
def definitions(control_plane: ControlPlane) -> None:
    """The definitions of the folder `crds`, whatever other tests have made of them."""
    control_plane.kubectl_output("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    control_plane.apply_crds(ROOT / "crds")


@pytest.fixture
def first_release(helm: Helm, tmp_path: Path) -> Iterator[Release]:
    """A release that is not installed yet, where no definition was before.

    The control plane is new: an API server may take minutes to remove definitions that it just got.
    """
    with ControlPlane() as plane, Release(plane, helm.program, tmp_path, "chart-first") as made:
        yield made


@pytest.fixture
def release(control_plane: ControlPlane, helm: Helm, tmp_path: Path) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace of its own; it goes with the test."""
    with Release(control_plane, helm.program, tmp_path, f"chart-{secrets.token_hex(3)}") as made:
        yield made
