"""The operator's rights as shipped: one set of rules, for the cluster and for a namespace."""

from pathlib import Path
from typing import Any

import yaml
from deployments import CONTEXT, gateway

from penstock_operator.deploy.build import gateway_objects
from penstock_operator.deploy.rights import discovery_rights

RBAC = Path(__file__).parents[3] / "config" / "rbac"
BEYOND_NAMESPACES = {"namespaces", "validatingwebhookconfigurations"}

Rule = dict[str, Any]


def rules(file: str, kind: str) -> list[Rule]:
    (found,) = [one for one in yaml.safe_load_all((RBAC / file).read_text()) if one["kind"] == kind]
    return list(found["rules"])


CLUSTER = rules("operator.yaml", "ClusterRole")


def test_a_namespace_needs_the_rules_of_the_cluster_within_it() -> None:
    within = [rule for rule in CLUSTER if not BEYOND_NAMESPACES & set(rule["resources"])]

    assert rules("operator-namespaced.yaml", "Role") == within


def test_no_right_is_a_wildcard_or_a_way_to_more_rights() -> None:
    for rule in CLUSTER:
        words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not words & {"*", "bind", "escalate", "impersonate", "deletecollection", "pods", "pods/exec"}


def test_the_operator_holds_all_that_it_hands_on_to_pods() -> None:
    held = {
        (group, resource, verb)
        for rule in CLUSTER
        if "resourceNames" not in rule
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    objects = (*gateway_objects(gateway(), CONTEXT), *discovery_rights(gateway(), ["shop"]))
    handed = {
        (group, resource, verb)
        for role in objects
        if role["kind"] == "Role"
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert handed <= held
