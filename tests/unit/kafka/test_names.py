"""Names of clients and of the cluster: both ways, and none twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_runtime.kafka.names import IllegalName, Mapping, MappingError, NameMap


def names(*pairs: tuple[str, str], topics: bool = True) -> NameMap:
    return NameMap([Mapping.parse(*pair) for pair in pairs], topics)


def test_a_name_and_names_with_a_prefix_get_others_and_back() -> None:
    found = names(("orders", "team1.orders-v2"), ("logs-*", "all.logs-*"))
    assert found.to_cluster("orders") == "team1.orders-v2"
    assert found.to_cluster("logs-web") == "all.logs-web"
    assert found.to_cluster("other") == "other"
    assert found.to_client("team1.orders-v2") == "orders"
    assert found.to_client("all.logs-web") == "logs-web"
    assert found.to_client("other") == "other"


def test_the_first_mapping_that_is_for_a_name_counts() -> None:
    found = names(("shared", "shared"), ("*", "team1.*"))
    assert found.to_cluster("shared") == "shared"
    assert found.to_cluster("orders") == "team1.orders"
    assert found.to_client("team1.shared") is None
    assert found.to_client("shared") == "shared"


def test_what_is_not_in_the_image_of_the_mapping_is_invisible() -> None:
    found = names(("*", "team1.*"))
    assert found.to_client("team2.orders") is None
    assert found.to_client("orders") is None
    assert found.prefix == "team1."


def test_a_topic_of_the_cluster_by_the_name_of_a_mapped_one_is_invisible() -> None:
    found = names(("orders", "team1.orders"))
    assert found.to_client("orders") is None


def test_a_client_does_not_reach_a_mapped_topic_by_its_name_in_the_cluster() -> None:
    found = names(("orders", "team1.orders"))
    with pytest.raises(IllegalName, match=r"team1\.orders"):
        found.to_cluster("team1.orders")


@pytest.mark.parametrize("name", ["a" * 244, "x/y", "ü", "x y"])
def test_a_name_that_becomes_no_topic_name_is_illegal(name: str) -> None:
    with pytest.raises(IllegalName, match="249"):
        names(("*", "team1.*")).to_cluster(name)


def test_the_longest_legal_name_is_mapped() -> None:
    assert len(names(("*", "team1.*")).to_cluster("a" * 243)) == 249


def test_groups_may_have_any_characters() -> None:
    assert names(("*", "team 1/*"), topics=False).to_cluster("my group") == "team 1/my group"


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "x"), ("b", "x")],
        [("a-*", "x-*"), ("b", "x-b")],
        [("a-*", "x-*"), ("b-*", "x-y-*")],
        [("a", "team1.a"), ("*", "team1.*")],
        [("*", "team1.*"), ("a", "b")],
        [("a", "b"), ("a", "c")],
        [("a*", "b")],
        [("a", "b*")],
        [("a*c", "b*c")],
        [("a", "b/c")],
        [("*", "..*"), ("x", ".")],
        [],
    ],
)
def test_mappings_that_could_give_one_name_twice_or_none_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(MappingError):
        names(*pairs)


_TEXT = st.text("ab.", max_size=4)
_PAIRS = st.lists(
    st.tuples(_TEXT, _TEXT, st.booleans()).map(
        lambda made: (made[0] + "*" * made[2], made[1] + "*" * made[2])
    ),
    min_size=1,
    max_size=3,
)


@given(_PAIRS, st.lists(st.text("ab.", min_size=1, max_size=6), max_size=20))
def test_no_two_names_become_one_and_each_comes_back(
    pairs: list[tuple[str, str]], clients: list[str]
) -> None:
    try:
        found = names(*pairs)
    except MappingError:
        return
    given_to: dict[str, str] = {}
    for client in clients:
        try:
            cluster = found.to_cluster(client)
        except IllegalName:
            continue
        assert given_to.setdefault(cluster, client) == client
        assert found.to_client(cluster) == client


@given(_PAIRS, st.text("ab.", min_size=1, max_size=6))
def test_what_a_client_sees_of_the_cluster_it_reaches_by_that_name(
    pairs: list[tuple[str, str]], cluster: str
) -> None:
    try:
        found = names(*pairs)
    except MappingError:
        return
    client = found.to_client(cluster)
    if client:
        try:
            assert found.to_cluster(client) == cluster
        except IllegalName:
            assert cluster in (".", "..")


def test_names_that_clients_choose_do_not_fill_the_memory() -> None:
    found = names(("*", "team1.*"))
    for number in range(20_500):
        found.to_cluster(str(number))
        found.to_client(f"team1.{number}")
    assert len(found._forward) <= 10_000
    assert len(found._backward) <= 10_000
