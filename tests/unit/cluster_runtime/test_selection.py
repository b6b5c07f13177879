"""Which addresses of a Service requests go to."""

from __future__ import annotations

import msgspec
import pytest
from slices import ENDED, ENDING, NOT_READY, READY, endpoint, endpoint_slice

from gateway_runtime.cluster.objects import Conditions, EndpointSlice, SliceEndpoint, SlicePort
from gateway_runtime.cluster.selection import addresses_of


def test_ready_endpoints_are_used_and_no_other() -> None:
    found = endpoint_slice(
        endpoint("10.0.0.2"),
        endpoint("10.0.0.1"),
        endpoint("10.0.0.3", NOT_READY),
        endpoint("10.0.0.4", ENDING),
    )
    assert addresses_of([found], "http") == (("10.0.0.1", 8080), ("10.0.0.2", 8080))


def test_where_none_is_ready_those_that_end_but_serve_are_used() -> None:
    found = endpoint_slice(
        endpoint("10.0.0.1", ENDING), endpoint("10.0.0.2", ENDED), endpoint("10.0.0.3", NOT_READY)
    )
    assert addresses_of([found], "http") == (("10.0.0.1", 8080),)


@pytest.mark.parametrize("conditions", [None, Conditions(), Conditions(serving=True)])
def test_what_is_not_said_to_be_unready_is_ready(conditions: Conditions | None) -> None:
    assert addresses_of([endpoint_slice(endpoint("10.0.0.1", conditions))], "http") == (("10.0.0.1", 8080),)


def test_an_unready_endpoint_that_does_not_end_is_never_used() -> None:
    starting = Conditions(ready=False, serving=True, terminating=False)
    assert addresses_of([endpoint_slice(endpoint("10.0.0.1", starting))], "http") == ()


def test_the_slices_of_a_service_are_one_and_each_address_counts_once() -> None:
    one = endpoint_slice(endpoint("10.0.0.1"), endpoint("10.0.0.2"))
    other = endpoint_slice(endpoint("10.0.0.2"), endpoint("10.0.0.3"), name="orders-2")
    assert [host for host, _ in addresses_of([one, other], "http")] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_an_endpoint_that_is_ready_in_one_of_its_slices_is_used() -> None:
    one = endpoint_slice(endpoint("10.0.0.1", NOT_READY))
    other = endpoint_slice(endpoint("10.0.0.1", READY), name="orders-2")
    assert addresses_of([one, other], "http") == (("10.0.0.1", 8080),)


def test_a_port_is_found_by_its_name_in_each_slice() -> None:
    one = endpoint_slice(
        endpoint("10.0.0.1"), ports=(SlicePort("admin", "TCP", 9), SlicePort("http", None, 8080))
    )
    other = endpoint_slice(endpoint("10.0.0.2"), name="orders-2", ports=(SlicePort("http", "TCP", 8081),))
    assert addresses_of([one, other], "http") == (("10.0.0.1", 8080), ("10.0.0.2", 8081))
    assert addresses_of([one, other], "none") == ()


def test_a_port_without_a_name_is_the_one_that_is_asked_for_without_one() -> None:
    found = endpoint_slice(endpoint("10.0.0.1"), ports=(SlicePort(None, "TCP", 8080),))
    assert addresses_of([found], "") == (("10.0.0.1", 8080),)


@pytest.mark.parametrize("port", [SlicePort("http", "UDP", 8080), SlicePort("http", "TCP", None)])
def test_a_port_that_no_request_can_go_to_is_none(port: SlicePort) -> None:
    assert addresses_of([endpoint_slice(endpoint("10.0.0.1"), ports=(port,))], "http") == ()


def test_ready_endpoints_for_the_zone_are_preferred() -> None:
    found = endpoint_slice(endpoint("10.0.0.1", READY, "a"), endpoint("10.0.0.2", READY, "b", "c"))
    assert addresses_of([found], "http", "c") == (("10.0.0.2", 8080),)
    assert len(addresses_of([found], "http")) == 2


def test_hints_for_other_zones_alone_are_ignored() -> None:
    found = endpoint_slice(endpoint("10.0.0.1", READY, "a"), endpoint("10.0.0.2", READY, "b"))
    assert len(addresses_of([found], "http", "c")) == 2


def test_hints_that_not_all_ready_endpoints_have_are_ignored() -> None:
    found = endpoint_slice(endpoint("10.0.0.1", READY, "a"), endpoint("10.0.0.2"))
    assert len(addresses_of([found], "http", "a")) == 2


def test_an_endpoint_of_the_zone_that_is_not_ready_does_not_count() -> None:
    found = endpoint_slice(endpoint("10.0.0.1", ENDING, "a"), endpoint("10.0.0.2", READY, "b"))
    assert addresses_of([found], "http", "a") == (("10.0.0.2", 8080),)


def test_of_two_families_of_addresses_one_is_used() -> None:
    four = endpoint_slice(endpoint("10.0.0.1"))
    six = endpoint_slice(endpoint("fd00::1"), name="orders-2", family="IPv6")
    assert addresses_of([six, four], "http") == (("10.0.0.1", 8080),)
    assert addresses_of([six], "http") == (("fd00::1", 8080),)


def test_a_ready_endpoint_of_one_family_wins_over_one_of_the_other_that_ends() -> None:
    four = endpoint_slice(endpoint("10.0.0.1", ENDING))
    six = endpoint_slice(endpoint("fd00::1"), name="orders-2", family="IPv6")
    assert addresses_of([four, six], "http") == (("fd00::1", 8080),)


def test_names_are_no_addresses() -> None:
    assert addresses_of([endpoint_slice(endpoint("a.example"), family="FQDN")], "http") == ()


@pytest.mark.parametrize("missing", [{"endpoints": None}, {"ports": None}, {"endpoints": [SliceEndpoint()]}])
def test_a_slice_may_lack_what_it_could_hold(missing: dict[str, object]) -> None:
    assert addresses_of([msgspec.structs.replace(endpoint_slice(), **missing)], "http") == ()


def test_a_slice_is_read_as_the_api_server_writes_it() -> None:
    text = b"""{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "orders-x", "labels": {"kubernetes.io/service-name": "orders"}, "uid": "1"},
        "endpoints": [{"addresses": ["10.0.0.1"], "nodeName": "n", "zone": "a",
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "hints": {"forZones": [{"name": "a"}]}}],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP", "appProtocol": null}]}"""
    found = msgspec.json.decode(text, type=EndpointSlice)
    assert addresses_of([found], "http", "a") == (("10.0.0.1", 8080),)
