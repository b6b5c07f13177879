"""What is told of Services as the slices of a namespace come and go."""

from __future__ import annotations

from slices import endpoint, endpoint_slice

from gateway_runtime.cluster.services import FollowedNamespace


class Namespace:
    """A namespace that is followed, and what it tells."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.known = 0
        self.followed = FollowedNamespace("shop", self._changed, self._known)

    def _changed(self, namespace: str, service: str) -> None:
        self.told.append(service)

    def _known(self, namespace: str) -> None:
        self.known += 1

    def hosts(self, service: str = "orders") -> list[str]:
        slices = self.followed.slices(service)
        return sorted(one.addresses[0] for found in slices for one in found.endpoints or ())


def test_some_slices_of_a_listing_are_no_news() -> None:
    namespace = Namespace()
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.1")))
    assert (namespace.told, namespace.known, namespace.followed.is_listed) == ([], 0, False)
    namespace.followed.keep({"orders-1"})
    assert (namespace.told, namespace.known, namespace.followed.is_listed) == ([], 1, True)


def test_each_change_names_the_service_it_is_of() -> None:
    namespace = Namespace()
    namespace.followed.keep(set())
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.1")))
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.2"), name="stock-1", service="stock"))
    namespace.followed.remove("orders-1")
    assert namespace.told == ["orders", "stock", "orders"]
    assert (namespace.hosts(), namespace.hosts("stock")) == ([], ["10.0.0.2"])


def test_slices_that_went_while_nobody_watched_are_gone() -> None:
    namespace = Namespace()
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.1")))
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.2"), name="orders-2"))
    namespace.followed.keep({"orders-2"})
    assert namespace.hosts() == ["10.0.0.2"]


def test_a_slice_that_changes_hands_leaves_its_service_before() -> None:
    namespace = Namespace()
    namespace.followed.keep(set())
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.1")))
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.1"), service="stock"))
    assert namespace.told == ["orders", "orders", "stock"]
    assert (namespace.hosts(), namespace.hosts("stock")) == ([], ["10.0.0.1"])


def test_what_is_known_stays_while_the_namespace_cannot_be_followed() -> None:
    namespace = Namespace()
    namespace.followed.put(endpoint_slice(endpoint("10.0.0.1")))
    namespace.followed.keep({"orders-1"})
    namespace.followed.trouble("forbidden")
    assert (namespace.hosts(), namespace.followed.is_listed, namespace.followed.reason) == (
        ["10.0.0.1"], True, "forbidden",
    )  # fmt: skip
    assert (namespace.told, namespace.known) == ([], 1)


def test_a_namespace_that_cannot_be_listed_says_so_once() -> None:
    namespace = Namespace()
    namespace.followed.trouble("forbidden")
    namespace.followed.trouble("forbidden")
    assert (namespace.known, namespace.followed.is_listed) == (1, False)
