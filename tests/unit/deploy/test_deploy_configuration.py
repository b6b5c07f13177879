"""What a gateway serves travels in ConfigMaps that its pods find and read."""

import base64

from deployments import gateway

from gateway_runtime.snapshot.parts import read_part, snapshot_parts
from gateway_runtime.snapshot.types import ApiEntry, ApiSection, GatewaySection, Snapshot
from penstock_operator.deploy.configuration import config_maps, pepper_secret

SECTION = ApiSection(name="orders", namespace="shop", routes=(), endpoint_groups=())
SNAPSHOT = Snapshot(gateway=GatewaySection(name="edge"), apis={"shop/orders": ApiEntry("digest", SECTION)})


def test_a_config_map_holds_the_part_that_it_was_made_of() -> None:
    parts = list(snapshot_parts(SNAPSHOT))
    found = config_maps(gateway(), parts)

    read = [
        read_part(one["metadata"]["labels"], one["metadata"]["annotations"], one["data"]) for one in found
    ]
    assert read == parts
    assert len({one["metadata"]["name"] for one in found}) == 2


def test_a_config_map_is_found_by_the_gateways_label_and_owned_by_it() -> None:
    for one in config_maps(gateway(), snapshot_parts(SNAPSHOT)):
        assert one["metadata"]["namespace"] == "gateways"
        assert one["metadata"]["labels"]["penstock.dev/gateway"] == "edge"
        assert one["metadata"]["ownerReferences"][0]["uid"] == "uid-of-edge"


def test_a_gateway_with_a_long_name_has_legal_names_and_labels() -> None:
    for one in config_maps(gateway("edge." * 40 + "x"), snapshot_parts(SNAPSHOT)):
        assert len(one["metadata"]["name"]) <= 253
        assert all(len(value) <= 63 for value in one["metadata"]["labels"].values())


def test_the_pepper_is_the_secret_that_pods_may_read() -> None:
    secret = pepper_secret(gateway(), b"\x00\xff" * 16)

    assert secret["metadata"]["name"] == "edge-pepper"
    assert base64.b64decode(secret["data"]["pepper"]) == b"\x00\xff" * 16
