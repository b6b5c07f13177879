"""What the objects of a gateway depend on besides its GatewayDeployment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeployContext:
    """The operator's own installation; `image` is run where a GatewayDeployment names none."""

    image: str
