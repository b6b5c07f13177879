"""GatewayDeployments of golden folders and for single tests."""

from pathlib import Path
from typing import Any

import yaml

from penstock_operator.deploy.context import DeployContext
from penstock_operator.resources.gateway_deployment import GatewayDeployment

GOLDEN = Path(__file__).parent / "golden"
SITUATIONS = sorted(path.name for path in GOLDEN.iterdir())
CONTEXT = DeployContext(image="penstock:test")


def of_situation(situation: str) -> GatewayDeployment:
    manifest = yaml.safe_load((GOLDEN / situation / "in.yaml").read_text())
    return GatewayDeployment.model_validate(manifest, context={"manifest": True})


def gateway(name: str = "edge", namespace: str = "gateways", **spec: Any) -> GatewayDeployment:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-of-{name}"}
    return GatewayDeployment.model_validate(
        {"kind": "GatewayDeployment", "metadata": metadata, "spec": spec}, context={"manifest": True}
    )
