"""Who the client is: a peer's own word counts only where it is trusted."""

import pytest

from gateway_runtime.connections.forwarded import ClientIdentity, TrustedProxies
from gateway_runtime.protocols.http1.request import RequestHead, parse_request

PROXIES = TrustedProxies(("10.0.0.0/8", "2001:db8::/32"))


def head(*lines: bytes, host: bytes = b"a.example") -> RequestHead:
    return parse_request(b"\r\n".join((b"GET / HTTP/1.1", b"Host: " + host, *lines)), 8192, 100)


def told(address: str, *lines: bytes, host: bytes = b"a.example") -> tuple[str, dict[str, str]]:
    """The client's address, and what the backend is told."""
    given = head(*lines, host=host)
    client = ClientIdentity(address, address in PROXIES).mark(given, PROXIES)
    return client, dict(given.request.headers.items())


def test_a_stranger_is_named_by_its_address() -> None:
    client, headers = told("192.0.2.1")
    assert client == "192.0.2.1"
    assert headers == {
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "a.example",
        "forwarded": "for=192.0.2.1;host=a.example;proto=http",
        "via": "1.1 penstock",
    }


def test_what_a_stranger_claims_is_replaced() -> None:
    client, headers = told(
        "192.0.2.1", b"X-Forwarded-For: 10.1.1.1", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil",
        b"X-Forwarded-Port: 1", b"Forwarded: for=10.1.1.1"
    )  # fmt: skip
    assert client == "192.0.2.1"
    assert headers == told("192.0.2.1")[1]


def test_a_trusted_proxy_is_believed_and_added_to() -> None:
    client, headers = told(
        "10.0.0.1", b"X-Forwarded-For: 192.0.2.9", b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: shop.example", b"X-Forwarded-Port: 443", b"Forwarded: for=192.0.2.9"
    )  # fmt: skip
    assert client == "192.0.2.9"
    assert headers == {
        "x-forwarded-for": "192.0.2.9, 10.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example",
        "x-forwarded-port": "443",
        "forwarded": "for=192.0.2.9, for=10.0.0.1;host=a.example;proto=http",
        "via": "1.1 penstock",
    }


CHAINS = {
    b"192.0.2.9": "192.0.2.9",
    b"6.6.6.6, 192.0.2.9": "192.0.2.9",
    b"6.6.6.6, 192.0.2.9, 10.9.9.9": "192.0.2.9",
    b"6.6.6.6, 2001:db8::7": "6.6.6.6",
    b"10.9.9.9": "10.0.0.1",
    b"6.6.6.6, unknown": "10.0.0.1",
    b"6.6.6.6, unknown, 10.9.9.9": "10.0.0.1",
    b"": "10.0.0.1",
}


@pytest.mark.parametrize(("chain", "client"), CHAINS.items())
def test_the_client_is_the_last_address_that_is_no_trusted_proxys(chain: bytes, client: str) -> None:
    assert told("10.0.0.1", b"X-Forwarded-For: " + chain)[0] == client


def test_a_chain_in_two_fields_is_one() -> None:
    client, headers = told("10.0.0.1", b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For: 192.0.2.9")
    assert client == "192.0.2.9"
    assert headers["x-forwarded-for"] == "6.6.6.6, 192.0.2.9, 10.0.0.1"


def test_an_ipv6_client_is_quoted_where_the_syntax_asks_for_it() -> None:
    _, headers = told("2001:dead::1", host=b"[::1]:8080")
    assert headers["x-forwarded-for"] == "2001:dead::1"
    assert headers["forwarded"] == 'for="[2001:dead::1]";host="[::1]:8080";proto=http'


def test_one_connection_may_ask_for_several_hosts() -> None:
    identity = ClientIdentity("192.0.2.1", False)
    hosts = []
    for host in (b"a.example", b"b.example", b"a.example"):
        given = head(host=host)
        identity.mark(given, PROXIES)
        hosts.append(given.request.headers.get("x-forwarded-host"))
    assert hosts == ["a.example", "b.example", "a.example"]


def test_an_earlier_via_stays() -> None:
    given = head(b"Via: 1.1 other")
    ClientIdentity("192.0.2.1", False).mark(given, PROXIES)
    assert given.request.headers.get("via") == "1.1 other, 1.1 penstock"


@pytest.mark.parametrize(
    ("address", "trusted"),
    [("10.1.2.3", True), ("11.0.0.1", False), ("::ffff:10.1.2.3", True), ("2001:db8::1", True), ("", False),
     ("unix", False), ("::1", False)],
)  # fmt: skip
def test_trust_is_by_network(address: str, trusted: bool) -> None:
    assert (address in PROXIES) is trusted


def test_nobody_is_trusted_by_default() -> None:
    assert "127.0.0.1" not in TrustedProxies(())
