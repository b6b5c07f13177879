"""The switch that writes golden folders anew: `pytest tests/unit/graph tests/unit/deploy --rewrite`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write out.yaml of all golden folders anew")


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite", default=False))
