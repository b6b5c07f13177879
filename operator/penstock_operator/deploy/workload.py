"""A GatewayDeployment -> the Deployment of its pods, and how many there are at each time."""

from __future__ import annotations

from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.identity import instance, owned, pod_labels
from penstock_operator.deploy.pods import pod_template
from penstock_operator.resources.gateway_deployment import DEFAULT_REPLICAS, GatewayDeployment
from penstock_operator.resources.kube import KubeObject


def deployment(gateway: GatewayDeployment, context: DeployContext) -> KubeObject:
    """The Deployment; its number of pods is left to the autoscaler where there is one."""
    replicas = {} if gateway.spec.autoscaling else {"replicas": _replicas(gateway)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": owned(gateway),
        "spec": {
            **replicas,
            "selector": {"matchLabels": pod_labels(gateway)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
            "template": pod_template(gateway, context),
        },
    }


def autoscaler(gateway: GatewayDeployment) -> KubeObject | None:
    """The HorizontalPodAutoscaler, if any."""
    autoscaling = gateway.spec.autoscaling
    if autoscaling is None:
        return None
    target = {"type": "Utilization", "averageUtilization": autoscaling.cpu_utilization}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": owned(gateway),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": instance(gateway)},
            "minReplicas": autoscaling.min_replicas,
            "maxReplicas": autoscaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def disruption_budget(gateway: GatewayDeployment) -> KubeObject | None:
    """The PodDisruptionBudget; none for a single pod, which it would bind to its node for good."""
    autoscaling = gateway.spec.autoscaling
    most = autoscaling.max_replicas if autoscaling else _replicas(gateway)
    if most <= 1:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": owned(gateway),
        "spec": {
            "maxUnavailable": gateway.spec.disruption_budget.max_unavailable,
            "selector": {"matchLabels": pod_labels(gateway)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def _replicas(gateway: GatewayDeployment) -> int:
    replicas = gateway.spec.replicas
    return DEFAULT_REPLICAS if replicas is None else replicas
