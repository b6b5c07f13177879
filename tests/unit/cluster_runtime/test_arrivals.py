"""Which APIs can be routed while it is not known where their Services are."""

from __future__ import annotations

from published import section, snapshot

from gateway_runtime.cluster.arrivals import PATIENCE, READING, Arrivals, Arrived
from gateway_runtime.snapshot.types import ApiSection, Endpoint, EndpointGroup, ServicePort

ORDERS = ServicePort(namespace="shop", name="orders", port="http")
STOCK = ServicePort(namespace="depot", name="stock")


class Whereabouts(set[ServicePort]):
    """The ports that are known."""

    unread = False

    def is_known(self, port: ServicePort) -> bool:
        return port in self

    def is_unread(self, port: ServicePort) -> bool:
        return self.unread

    def problem(self, port: ServicePort) -> str:
        return f"{port.namespace} is closed"


def api(version: str, *ports: ServicePort) -> ApiSection:
    endpoints = tuple(Endpoint(name=port.name, url="http://b.example", service=port) for port in ports)
    return section("a", version, endpoint_groups=(EndpointGroup(name="g", endpoints=endpoints),))


def versions(arrived: Arrived) -> dict[str, str]:
    return {key: entry.section.version for key, entry in arrived.snapshot.apis.items()}


def test_what_needs_no_service_or_known_ones_passes() -> None:
    arrivals = Arrivals(Whereabouts([ORDERS]))
    published = snapshot(api("1", ORDERS), section("b"))
    arrived = arrivals.pass_through(published, 0.0)
    assert arrived.snapshot == published
    assert (arrived.ports, arrived.errors, arrived.again_at) == ({ORDERS}, {}, None)


def test_a_new_api_waits_for_its_service_and_then_goes_without() -> None:
    arrivals = Arrivals(Whereabouts())
    published = snapshot(api("1", STOCK), section("b"))
    early = arrivals.pass_through(published, 10.0)
    assert (versions(early), early.ports) == ({"shop/b": "1"}, {STOCK})
    assert early.errors == {"shop/a": "depot is closed"}
    assert early.again_at == 10.0 + PATIENCE
    late = arrivals.pass_through(published, 10.0 + PATIENCE)
    assert (versions(late), late.again_at) == ({"shop/a": "1", "shop/b": "1"}, None)


def test_a_namespace_that_was_not_looked_at_yet_is_waited_for_longer() -> None:
    whereabouts = Whereabouts()
    whereabouts.unread = True
    arrivals = Arrivals(whereabouts)
    assert arrivals.pass_through(snapshot(api("1", STOCK)), 10.0).again_at == 10.0 + READING


def test_an_api_serves_its_section_before_until_the_services_of_the_new_one_are_known() -> None:
    whereabouts = Whereabouts([ORDERS])
    arrivals = Arrivals(whereabouts)
    arrivals.pass_through(snapshot(api("1", ORDERS)), 0.0)
    held = arrivals.pass_through(snapshot(api("2", STOCK)), 100.0)
    assert (versions(held), held.ports) == ({"shop/a": "1"}, {ORDERS, STOCK})
    whereabouts.add(STOCK)
    passed = arrivals.pass_through(snapshot(api("2", STOCK)), 101.0)
    assert (versions(passed), passed.ports, passed.errors) == ({"shop/a": "2"}, {STOCK}, {})


def test_an_api_that_went_and_came_again_is_a_new_one() -> None:
    arrivals = Arrivals(Whereabouts([ORDERS]))
    arrivals.pass_through(snapshot(api("1", ORDERS)), 0.0)
    arrivals.pass_through(snapshot(), 1.0)
    assert versions(arrivals.pass_through(snapshot(api("2", STOCK)), 2.0)) == {}
