"""Where Kubernetes' programs come from."""

from pathlib import Path

import pytest

from e2e.components import kubernetes
from e2e.components.commands import BuildError


def test_programs_of_kubebuilder_assets_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert kubernetes.program("etcd") == tmp_path / "etcd"


def test_a_program_missing_in_kubebuilder_assets_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(BuildError, match=f"names {tmp_path}, which holds no kubectl"):
        kubernetes.program("kubectl")
