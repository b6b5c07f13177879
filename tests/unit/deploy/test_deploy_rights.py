"""Pods may read just the Secrets that what they serve refers to."""

from deployments import gateway

from penstock_operator.deploy.rights import discovery_rights, own_rights, secret_rights


def test_each_namespace_has_a_role_with_just_its_secrets() -> None:
    found = secret_rights(gateway(), [("shop", "b"), ("shop", "a"), ("gateways", "tls"), ("shop", "a")])

    roles = {one["metadata"]["namespace"]: one for one in found if one["kind"] == "Role"}
    assert {namespace: role["rules"] for namespace, role in roles.items()} == {
        namespace: [
            {
                "apiGroups": [""],
                "resources": ["secrets"],
                "verbs": ["get", "list", "watch"],
                "resourceNames": names,
            }
        ]
        for namespace, names in {"shop": ["a", "b"], "gateways": ["tls"]}.items()
    }


def test_each_role_is_bound_to_the_gateways_own_account() -> None:
    role, binding = secret_rights(gateway(), [("shop", "a")])

    assert binding["metadata"]["namespace"] == "shop"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "edge", "namespace": "gateways"}]


def test_only_objects_of_the_gateways_namespace_name_it_as_their_owner() -> None:
    found = secret_rights(gateway(), [("shop", "a"), ("gateways", "a")])

    assert {one["metadata"]["namespace"]: "ownerReferences" in one["metadata"] for one in found} == {
        "gateways": True,
        "shop": False,
    }
    assert {one["metadata"]["labels"]["penstock.dev/gateway-namespace"] for one in found} == {"gateways"}


def test_without_secrets_there_are_no_rights() -> None:
    assert secret_rights(gateway(), []) == ()


def test_gateways_of_one_name_do_not_share_a_role() -> None:
    one, *_ = secret_rights(gateway("edge", "a"), [("shop", "x")])
    other, *_ = secret_rights(gateway("edge", "b"), [("shop", "x")])

    assert one["metadata"]["name"] != other["metadata"]["name"]


def test_pods_may_read_what_their_providers_log_in_with_by_exact_name() -> None:
    vault = "https://vault:8200"
    providers = [
        {"name": "a", "vault": {"address": vault, "auth": {"approle": {
            "roleId": "r", "secretIdRef": {"name": "role", "key": "id"}}}}},
        {"name": "b", "vault": {"address": vault, "auth": {"cert": {"secretRef": {"name": "client"}}}}},
        {"name": "c", "vault": {"address": vault, "auth": {"kubernetes": {"role": "edge"}}}},
    ]  # fmt: skip

    role, _ = own_rights(gateway(secretProviders=providers))

    (rule,) = [rule for rule in role["rules"] if rule["resources"] == ["secrets"]]
    assert rule["resourceNames"] == ["client", "edge-pepper", "role"]


def test_pods_may_read_the_endpoint_slices_where_their_backends_are() -> None:
    found = discovery_rights(gateway(), ["shop", "depot", "shop"])

    roles = {one["metadata"]["namespace"]: one["rules"] for one in found if one["kind"] == "Role"}
    rule = {
        "apiGroups": ["discovery.k8s.io"],
        "resources": ["endpointslices"],
        "verbs": ["get", "list", "watch"],
    }
    assert roles == {"depot": [rule], "shop": [rule]}
    assert {one["subjects"][0]["name"] for one in found if one["kind"] == "RoleBinding"} == {"edge"}


def test_rights_to_secrets_and_to_endpoint_slices_come_and_go_apart() -> None:
    names = [
        found["metadata"]["name"]
        for rights in (secret_rights(gateway(), [("shop", "x")]), discovery_rights(gateway(), ["shop"]))
        for found in rights
        if found["kind"] == "Role"
    ]

    assert len(set(names)) == 2
