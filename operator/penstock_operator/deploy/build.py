"""A GatewayDeployment -> all objects that run it, but for those that follow its APIs.

The rights to Secrets (`rights`) and the configuration (`configuration`) change with the APIs and have
builders of their own.
"""

from __future__ import annotations

from penstock_operator.deploy.context import DeployContext
from penstock_operator.deploy.network import network_policy, service
from penstock_operator.deploy.rights import own_rights, service_account
from penstock_operator.deploy.stamp import stamped
from penstock_operator.deploy.workload import autoscaler, deployment, disruption_budget
from penstock_operator.resources.gateway_deployment import GatewayDeployment
from penstock_operator.resources.kube import KubeObject


def gateway_objects(gateway: GatewayDeployment, context: DeployContext) -> tuple[KubeObject, ...]:
    """The objects of a gateway, in the order in which they are to be applied.

    What is no longer among them is to be deleted: a Service, a PodDisruptionBudget, a HorizontalPodAutoscaler
    or a NetworkPolicy that is no longer wanted.
    """
    objects = (
        service_account(gateway),
        *own_rights(gateway),
        network_policy(gateway),
        deployment(gateway, context),
        service(gateway),
        disruption_budget(gateway),
        autoscaler(gateway),
    )
    return tuple(stamped(made) for made in objects if made is not None)
