"""A delta to the next program: what changed is compiled anew, all else stays the same object."""

import base64
from dataclasses import replace

import pytest
from msgspec import structs

from gateway_runtime.program.program import Program, compile_program, recompile, update_program, users_of
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.codec import difference, subscriptions_entry
from gateway_runtime.snapshot.types import (
    ApiKeySecurity,
    Endpoint,
    EndpointGroup,
    Flow,
    GatewaySection,
    HttpRoute,
    Limits,
    Plan,
    SecretRef,
    Snapshot,
    Step,
    Subscription,
    SubscriptionsSection,
)


@pytest.fixture
def update(surroundings):
    def make(old: Program, new: Snapshot) -> Program:
        return update_program(old, difference(old.snapshot, new), new, surroundings)

    return make


def key_at(program: Program, path: str, host: str = "any.example") -> str | None:
    route = program.router.find(host, path)
    return None if route is None else route.api.key


def test_an_unchanged_api_keeps_its_objects(section, snapshot, surroundings, update) -> None:
    old = compile_program(snapshot(section("a"), section("b")), surroundings)
    new = update(old, snapshot(section("a"), section("b", version="2")))
    assert new.apis["shop/a"] is old.apis["shop/a"]
    assert new.router.find("h", "/a") is old.router.find("h", "/a")
    assert new.apis["shop/b"] is not old.apis["shop/b"]
    assert new.apis["shop/b"].info.version == "2"


def test_the_old_program_serves_on_as_it_was(section, snapshot, surroundings, update) -> None:
    old = compile_program(snapshot(section("a"), section("b")), surroundings)
    update(old, snapshot(section("b", path="/moved"), section("c")))
    assert [key_at(old, path) for path in ("/a", "/b", "/c", "/moved")] == ["shop/a", "shop/b", None, None]


def test_an_added_and_a_removed_api(section, snapshot, surroundings, update) -> None:
    old = compile_program(snapshot(section("a"), section("b")), surroundings)
    new = update(old, snapshot(section("b"), section("c")))
    assert [key_at(new, path) for path in ("/a", "/b", "/c")] == [None, "shop/b", "shop/c"]
    assert set(new.apis) == {"shop/b", "shop/c"}


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_an_api_takes_the_path_that_another_leaves(names, section, snapshot, surroundings, update) -> None:
    first, second = names
    old = compile_program(snapshot(section(first), section(second)), surroundings)
    new = update(old, snapshot(section(first, path=f"/{second}"), section(second, path="/free")))
    assert [key_at(new, f"/{second}"), key_at(new, "/free")] == [f"shop/{first}", f"shop/{second}"]
    assert key_at(new, f"/{first}") is None


def test_two_apis_swap_their_paths(section, snapshot, surroundings, update) -> None:
    old = compile_program(snapshot(section("a"), section("b")), surroundings)
    new = update(old, snapshot(section("a", path="/b"), section("b", path="/a")))
    assert [key_at(new, "/a"), key_at(new, "/b")] == ["shop/b", "shop/a"]


def test_a_removed_api_leaves_its_path_to_a_new_one(section, snapshot, surroundings, update) -> None:
    old = compile_program(snapshot(section("a")), surroundings)
    assert key_at(update(old, snapshot(section("z", path="/a"))), "/a") == "shop/z"


def test_many_changes_lead_where_few_do(section, snapshot, surroundings, update) -> None:
    old = compile_program(snapshot(*[section(f"a{n}") for n in range(200)]), surroundings)
    new = update(old, snapshot(*[section(f"a{n}", path=f"/a{n + 1}") for n in range(1, 200)]))
    assert key_at(new, "/a0") is None
    assert key_at(new, "/a1") is None
    assert [key_at(new, f"/a{n + 1}") for n in range(1, 200)] == [f"shop/a{n}" for n in range(1, 200)]


def test_changed_subscriptions_compile_their_api_alone(section, snapshot, surroundings, update) -> None:
    plan = Plan(name="key", security=ApiKeySecurity())
    apis = (section("a", plans=(plan,)), section("b", plans=(plan,)))
    old = compile_program(snapshot(*apis), surroundings)
    subscription = Subscription(name="s", plan="key", application="app", key_digests=("00" * 32,))
    entry = subscriptions_entry(SubscriptionsSection(api="shop/a", subscriptions=(subscription,)))
    given = snapshot(*apis)
    new = update(old, Snapshot(gateway=given.gateway, apis=given.apis, subscriptions={"shop/a": entry}))
    assert new.apis["shop/a"] is not old.apis["shop/a"]
    assert new.apis["shop/b"] is old.apis["shop/b"]
    assert key_at(new, "/a") == "shop/a"


def test_limits_compile_nothing_anew_but_platform_flows_do(
    section, snapshot, surroundings, update, mark
) -> None:
    before = snapshot(section("a"))
    old = compile_program(before, surroundings)
    gateway = type(before.gateway)(limits=Limits(body=1))
    same = update(old, Snapshot(gateway=gateway, apis=before.apis))
    assert same.apis["shop/a"] is old.apis["shop/a"]
    assert same.gateway.limits.body == 1
    other = update(old, snapshot(section("a"), flows=(Flow(request=(mark("x"),)),)))
    assert other.apis["shop/a"] is not old.apis["shop/a"]


BROKEN = {
    "policy": {"flows": (Flow(request=(Step(policy="noSuchPolicy"),)),)},
    "configuration": {"flows": (Flow(request=(Step(policy="mock", configuration={"status": "x"}),)),)},
    "phase": {"flows": (Flow(response=(Step(policy="mock"),)),)},
    "expression": {"flows": (Flow(condition="{#request.}"),)},
    "endpoint header": {
        "endpoint_groups": (
            EndpointGroup(
                name="g", endpoints=(Endpoint(name="e", url="http://b", headers={"X": "a\r\nX-B: c"}),)
            ),
        )
    },
    "endpoint url": {
        "endpoint_groups": (EndpointGroup(name="g", endpoints=(Endpoint(name="e", url="ftp://b"),)),)
    },
}


@pytest.mark.parametrize("fields", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_api_keeps_its_path_and_breaks_alone(fields, section, snapshot, surroundings) -> None:
    program = compile_program(snapshot(section("a"), section("bad", **fields)), surroundings)
    assert list(program.errors(program.apis)) == ["shop/bad"]
    assert program.apis["shop/bad"].error
    assert key_at(program, "/bad") == "shop/bad"
    assert program.apis["shop/a"].error == ""


def test_the_users_of_a_secret_are_compiled_anew_alone(section, snapshot, surroundings) -> None:
    refs = {"token": SecretRef(uri="kubernetes/shop/s:t")}
    old = compile_program(snapshot(section("a", secrets=refs), section("b")), surroundings)
    users = users_of(old.snapshot, ["kubernetes/shop/s:t"])
    assert users == ["shop/a"]
    new = recompile(old, users, surroundings)
    assert new.apis["shop/a"] is not old.apis["shop/a"]
    assert new.apis["shop/b"] is old.apis["shop/b"]


def test_an_api_is_served_at_all_its_hosts_and_paths(section, snapshot, surroundings, update) -> None:
    routes = (HttpRoute(hosts=("a.example", "*.w.example"), path="/x/"), HttpRoute(path="/"))
    program = compile_program(snapshot(section("a", routes=routes)), surroundings)
    for host, path in (("a.example", "/x"), ("b.w.example", "/x/1"), ("other", "/anything")):
        assert key_at(program, path, host) == "shop/a"
    assert key_at(update(program, snapshot(section("b"))), "/x", "a.example") is None


PEPPER = SecretRef(uri="kubernetes/gateways/edge-pepper:pepper")
KEYS = (Plan(name="gold", security=ApiKeySecurity()),)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, "the secret base64:kubernetes/gateways/edge-pepper:pepper is not there"),
        (base64.b64encode(b"short").decode(), "the value of a secret does not fit where it is used"),
        (base64.b64encode(bytes(range(224, 256))).decode(), ""),
    ],
)
def test_only_apis_with_keys_need_the_pepper(value, error, section, snapshot, surroundings) -> None:
    values = {} if value is None else {f"base64:{PEPPER.uri}": SecretText(value)}
    given = snapshot(section("open"), section("keys", plans=KEYS))
    given = structs.replace(given, gateway=GatewaySection(key_pepper=PEPPER))
    program = compile_program(given, replace(surroundings, secrets=values))
    assert program.apis["shop/open"].error == ""
    assert error in program.apis["shop/keys"].error
    assert bool(error) == bool(program.apis["shop/keys"].error)
    assert users_of(given, [f"base64:{PEPPER.uri}"]) == ["shop/keys"]


def test_another_pepper_compiles_all_apis_anew(section, snapshot, surroundings, update) -> None:
    plain = snapshot(section("keys", plans=KEYS))
    old = compile_program(plain, surroundings)
    assert old.apis["shop/keys"].error == ""
    new = update(old, structs.replace(plain, gateway=GatewaySection(key_pepper=PEPPER)))
    assert "is not there" in new.apis["shop/keys"].error
