"""The manifests that the benchmark writes for Penstock."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bench.manifests import api_manifests, write_file, write_manifests
from bench.works import WORKS, Work, api_name
from penstock_operator.cli.routes import find_routes
from penstock_operator.cli.validate import find_problems


@pytest.mark.parametrize("work", [WORKS["plain"], WORKS["policies"], Work("many", policies=True, apis=3)])
def test_the_manifests_have_no_problems_and_one_route_for_each_api(work: Work, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    write_manifests(work, port=8080, backend=9090, folder=folder)
    assert find_problems(folder)[0] == ()
    paths = [row.path for row in find_routes(folder)[0]]
    assert paths == ([f"/{api_name(index)}" for index in range(work.apis)] or ["/"])


def test_a_changed_api_differs_in_its_response_header_alone(tmp_path: Path) -> None:
    work = Work("many", policies=True, apis=3)
    before, after = (api_manifests(work, 9090, 1, marker) for marker in ("bench", "changed"))
    write_file(tmp_path / "api.yaml", after)
    text = (tmp_path / "api.yaml").read_text().replace("changed", "bench")
    assert list(yaml.safe_load_all(text)) == before
    assert before != after
