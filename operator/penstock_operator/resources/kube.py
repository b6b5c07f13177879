"""The shape of objects that are written to Kubernetes or read from it."""

from __future__ import annotations

from typing import Any

KubeObject = dict[str, Any]
"""An object of the Kubernetes API as JSON data."""
