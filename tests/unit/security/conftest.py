"""Fixtures of the security tests."""

from __future__ import annotations

import pytest
from security_world import World


@pytest.fixture
def world() -> World:
    return World()
