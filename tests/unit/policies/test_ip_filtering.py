"""ipFiltering: who is let in, by address."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_outcomes import outcome, refusal

from gateway_runtime.exchange import ApiInfo, Exchange, Headers, Request
from gateway_runtime.policies.environment import StepEnvironment
from gateway_runtime.policies.steps import compile_step
from gateway_runtime.snapshot.types import Step

FILTERED = (403, "IP_FILTERED")


def let_in(steps, exchange, address: str, **configuration: list[str]) -> bool:
    found = refusal(steps("ipFiltering", configuration), exchange(address=address))
    assert found in (None, FILTERED)
    return found is None


ALLOWED = [
    ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
    ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
    ("192.0.2.7/32", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
    ("192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
    ("192.0.2.77/24", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
    ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "2001:db8::1"]),
    (
        "2001:db8::/32",
        ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2001:db7::1", "2001:db9::"],
    ),
    ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2"]),
    ("::/0", ["::", "2001:db8::1"], ["0.0.0.0", "192.0.2.1"]),
]


@pytest.mark.parametrize(("network", "inside", "outside"), ALLOWED)
def test_a_range_reaches_from_its_first_address_to_its_last(
    steps, exchange, network: str, inside: list[str], outside: list[str]
) -> None:
    for address in inside:
        assert let_in(steps, exchange, address, allow=[network])
        assert not let_in(steps, exchange, address, deny=[network])
    for address in outside:
        assert not let_in(steps, exchange, address, allow=[network])
        assert let_in(steps, exchange, address, deny=[network])


def test_what_is_denied_is_refused_even_where_it_is_allowed(steps, exchange) -> None:
    lists = {"allow": ["10.0.0.0/8"], "deny": ["10.1.0.0/16"]}
    assert let_in(steps, exchange, "10.0.0.1", **lists)
    assert not let_in(steps, exchange, "10.1.0.1", **lists)
    assert not let_in(steps, exchange, "192.0.2.1", **lists)


def test_a_refusal_is_403_and_does_not_tell_the_rules(steps, exchange) -> None:
    reply = outcome(steps("ipFiltering", {"allow": ["10.0.0.0/8"]}), exchange(address="192.0.2.1"))
    assert reply is not None
    assert (reply.status, reply.key) == FILTERED
    assert "10.0" not in reply.message


def test_an_ipv4_address_in_ipv6_form_is_the_ipv4_address(steps, exchange) -> None:
    for address in ("10.0.0.1", "::ffff:10.0.0.1", "::FFFF:a00:1", "0:0:0:0:0:ffff:10.0.0.1"):
        assert let_in(steps, exchange, address, allow=["10.0.0.0/8"])
        assert not let_in(steps, exchange, address, deny=["10.0.0.0/8"])


def test_a_range_in_mapped_form_is_the_ipv4_range(steps, exchange) -> None:
    assert let_in(steps, exchange, "10.0.0.1", allow=["::ffff:10.0.0.0/104"])
    assert let_in(steps, exchange, "::ffff:10.0.0.1", allow=["::ffff:10.0.0.0/104"])
    assert not let_in(steps, exchange, "11.0.0.1", allow=["::ffff:10.0.0.0/104"])
    assert not let_in(steps, exchange, "192.0.2.1", deny=["::ffff:0:0/96"])


def test_other_addresses_that_hold_an_ipv4_address_are_not_it(steps, exchange) -> None:
    for address in ("::10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::"):
        assert not let_in(steps, exchange, address, allow=["10.0.0.0/8"])


@pytest.mark.parametrize(
    "address", ["", "unknown", "10.0.0.1:80", "10.0.0.1, 10.0.0.2", "010.0.0.1", "_hidden", "[::1]"]
)
def test_what_is_no_address_is_refused(steps, exchange, address: str) -> None:
    assert not let_in(steps, exchange, address, allow=["0.0.0.0/0", "::/0"])
    assert not let_in(steps, exchange, address, deny=["192.0.2.1"])


def test_a_zone_does_not_lead_past_a_rule(steps, exchange) -> None:
    assert not let_in(steps, exchange, "fe80::1%eth0", deny=["fe80::/10"])


def test_ranges_that_overlap_touch_or_repeat_are_one(steps, exchange) -> None:
    lists = ["10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/8", "10.0.0.1", "10.0.0.1", "2001:db8::/32", "192.0.2.1"]
    step = steps("ipFiltering", {"allow": lists})
    for address in ("10.0.0.1", "10.127.255.255", "10.128.0.0", "192.0.2.1", "2001:db8::9"):
        assert refusal(step, exchange(address=address)) is None
    assert refusal(step, exchange(address="11.0.0.0")) == FILTERED


ADDRESSES = st.integers(0, 2**32 - 1)
NETWORKS = st.lists(st.tuples(ADDRESSES, st.integers(0, 32)), min_size=1, max_size=20)


@given(NETWORKS, ADDRESSES)
def test_many_ranges_let_in_what_any_of_them_would(networks: list[tuple[int, int]], number: int) -> None:
    texts = [f"{ip_address(start)}/{length}" for start, length in networks]
    step = Step(policy="ipFiltering", configuration={"allow": texts})
    run = compile_step(step, "request", StepEnvironment("a", {}.__getitem__, None))  # type: ignore[arg-type]
    one = Exchange(Request("GET", "/", "", "HTTP/1.1", Headers([], [])), ApiInfo("a", "b", "", {}))
    one.request.remote_address = str(ip_address(number))
    expected = any(ip_address(number) in ip_network(text, strict=False) for text in texts)
    assert (refusal(run, one) is None) is expected


NOT_A_NETWORK = [
    "", "10.0.0.300", "10.0.0", "10/8", "10.0.0.0/33", "::/129", "::1/64/64", "010.0.0.1", "10.0.0.0/",
    "1.2.3.4 ", "10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255", "fe80::1%eth0", "fe80::%eth0/64", "::1\n",
    "١.2.3.4", "example.com",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_A_NETWORK)
@pytest.mark.parametrize("kind", ["allow", "deny"])
def test_what_is_no_address_and_no_cidr_range_is_told_so(problems, text: str, kind: str) -> None:
    expected = f"expected an IP address or a CIDR range such as 10.0.0.0/8 or 2001:db8::/32, found `{text}`"
    assert problems({"ipFiltering": {kind: ["10.0.0.1", text]}}) == [(f"ipFiltering.{kind}[1]", expected)]


INVALID = [
    ({}, "", "allow or deny is needed"),
    ({"allow": [], "deny": []}, "", "allow or deny is needed"),
    ({"alow": ["10.0.0.1"]}, ".alow", "unknown field `alow`, did you mean `allow`?"),
    ({"allow": "10.0.0.1"}, ".allow", "expected a list, found `10.0.0.1`"),
    ({"allow": ["10.0.0.1"] * 1001}, ".allow", "at most 1000 allowed, found more"),
]


@pytest.mark.parametrize(("configuration", "field", "message"), INVALID)
def test_an_invalid_configuration_names_field_and_remedy(
    problems, configuration: dict[str, object], field: str, message: str
) -> None:
    assert problems({"ipFiltering": configuration}) == [(f"ipFiltering{field}", message)]


def test_it_is_of_the_request_phase_alone(problems) -> None:
    assert problems({"ipFiltering": {"deny": ["10.0.0.1"]}}) == []
    assert problems({"ipFiltering": {"deny": ["10.0.0.1"]}}, "response") == [
        ("ipFiltering", "the policy `ipFiltering` cannot be used in the response phase")
    ]
