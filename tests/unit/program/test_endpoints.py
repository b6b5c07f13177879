"""Endpoints of a group, taken in turn, while the addresses of Services come and go."""

from gateway_runtime.program.endpoints import EndpointGroupProgram, EndpointProgram

ORDERS = "shop/orders:http"


def group(*endpoints: EndpointProgram) -> EndpointGroupProgram:
    return EndpointGroupProgram("g", list(endpoints), 3.0, 30.0)


def of_service(url: str = "http://orders.shop.svc:8080/v1") -> EndpointProgram:
    return EndpointProgram("orders", url, [], ORDERS)


def hosts(found: EndpointGroupProgram, count: int) -> list[str]:
    chosen = [found.choose() for _ in range(count)]
    return [one.origin.host for one in chosen if one is not None]


def test_each_address_of_a_service_has_its_turn_beside_plain_endpoints() -> None:
    made = group(EndpointProgram("plain", "http://plain.example", []), of_service())
    made.follow({ORDERS: (("10.0.0.1", 80), ("10.0.0.2", 81))})
    assert hosts(made, 4) == ["plain.example", "10.0.0.1", "10.0.0.2", "plain.example"]


def test_a_service_without_addresses_leaves_no_endpoint() -> None:
    made = group(of_service())
    made.follow({})
    assert made.choose() is None


def test_an_address_is_asked_in_the_name_of_its_service() -> None:
    made = group(of_service())
    made.follow({ORDERS: (("10.0.0.1", 9000),)})
    chosen = made.choose()
    assert chosen is not None
    assert (chosen.host_line, chosen.base, chosen.name) == (b"host: orders.shop.svc:8080", "/v1", "orders")
    assert (chosen.origin.host, chosen.origin.port) == ("10.0.0.1", 9000)
    assert chosen.origin.server_name == "orders.shop.svc"


def test_a_tls_connection_for_one_name_serves_no_other() -> None:
    one, other = of_service("https://orders.shop.svc"), of_service("https://stock.shop.svc")
    assert one.at("10.0.0.1", 443).origin.key != other.at("10.0.0.1", 443).origin.key
    assert of_service().at("10.0.0.1", 80).origin.key == of_service("http://x").at("10.0.0.1", 80).origin.key


def test_addresses_that_stay_keep_their_endpoints() -> None:
    made = group(of_service())
    made.follow({ORDERS: (("10.0.0.1", 80), ("10.0.0.2", 80))})
    before = made.endpoints
    made.follow({ORDERS: (("10.0.0.2", 80), ("10.0.0.3", 80))})
    assert made.endpoints[0] is before[1]
    assert [one.origin.host for one in before] == ["10.0.0.1", "10.0.0.2"]


def test_turns_go_on_where_the_list_has_become_shorter() -> None:
    made = group(of_service())
    made.follow({ORDERS: tuple((f"10.0.0.{number}", 80) for number in range(1, 6))})
    hosts(made, 4)
    made.follow({ORDERS: (("10.0.0.1", 80), ("10.0.0.2", 80))})
    assert hosts(made, 3) == ["10.0.0.1", "10.0.0.2", "10.0.0.1"]


def test_behind_an_endpoint_that_is_gone_comes_one_that_is_there() -> None:
    made = group(of_service())
    made.follow({ORDERS: (("10.0.0.1", 80), ("10.0.0.2", 80))})
    gone = made.endpoints[0]
    made.follow({ORDERS: (("10.0.0.2", 80),)})
    following = made.after(gone)
    assert following is not None
    assert following.origin.host == "10.0.0.2"
    made.follow({})
    assert made.after(gone) is None
