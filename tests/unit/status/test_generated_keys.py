"""API keys that the operator makes: which are needed, what is written, how they change and run out."""

import base64
import hashlib
from datetime import timedelta

from status_world import NOW, PLAN, SUBSCRIPTION, World, plan, subscription

from penstock_operator.graph.build import build_graph
from penstock_operator.graph.keys import KeyWork
from penstock_operator.graph.types import Graph, ResourceId
from penstock_operator.manifests.reader import Manifest
from penstock_operator.publish.keys import secret_of
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.parse import Parsed, parse

FIRST, SECOND, THIRD = (f"must-not-appear-{number}" for number in ("one", "two", "three"))
SECRET = ResourceId("Secret", "shop", "mobile-api-key")


def world(**spec: object) -> World:
    found = World()
    found.resources[SUBSCRIPTION] = subscription(**spec)
    return found


def stored(secret: KubeObject) -> Parsed:
    """The Secret as it comes back from the API server."""
    parsed = parse(Manifest("", 0, 0, secret))
    assert isinstance(parsed, Parsed), parsed
    return parsed


def write(found: World, key: str) -> KubeObject:
    (work,) = found.graph().keys_to_make
    secret = secret_of(work, key, found.now)
    found.resources[SECRET] = stored(secret)
    return secret


def values(secret: KubeObject) -> dict[str, str]:
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def digests(graph: Graph) -> tuple[str, ...]:
    return tuple(
        digest
        for node in graph.apis["shop/orders"].plans
        for one in node.subscriptions
        for digest in one.key_digests
    )


def sha(*keys: str) -> tuple[str, ...]:
    return tuple(hashlib.sha256(key.encode()).hexdigest() for key in keys)


def asking(value: str, **spec: object) -> Parsed:
    return subscription(annotations={"penstock.dev/rotate-key": value}, **spec)


def test_a_subscription_without_a_key_gets_one_in_a_secret_that_it_owns() -> None:
    found = world()
    assert digests(found.graph()) == ()
    secret = write(found, FIRST)
    assert secret["metadata"]["name"] == "mobile-api-key"
    assert secret["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "penstock"}
    owner = secret["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Subscription", "mobile", "uid-of-mobile")
    assert values(secret) == {"apiKey": FIRST}
    graph = found.graph()
    assert (digests(graph), graph.keys_to_make) == (sha(FIRST), ())


def test_without_an_operator_a_missing_key_is_an_error() -> None:
    graph = build_graph(world().resources.values())
    assert [problem.reason for problem in graph.problems] == ["MissingKey"]
    assert graph.keys_to_make == ()


def test_no_key_is_made_for_what_needs_none() -> None:
    needless = world()
    needless.resources[PLAN] = plan(security={"keyless": {}})
    assert needless.graph().keys_to_make == ()
    assert World().graph().keys_to_make == ()


def test_no_key_is_made_before_the_approval() -> None:
    found = world()
    found.resources[PLAN] = plan(approval="Manual")
    assert found.graph().keys_to_make == ()
    found.resources[SUBSCRIPTION] = subscription(annotations={"penstock.dev/approval": "Approved"})
    assert len(found.graph().keys_to_make) == 1


def test_a_rotated_key_holds_beside_the_new_one_for_the_overlap_of_the_plan() -> None:
    found = world()
    found.resources[PLAN] = plan(security={"apiKey": {"rotationOverlap": "10m"}})
    write(found, FIRST)
    found.resources[SUBSCRIPTION] = asking("1")
    secret = write(found, SECOND)
    assert values(secret) == {"apiKey": SECOND, "previousApiKey": FIRST}
    until = (NOW + timedelta(minutes=10)).isoformat()
    assert secret["metadata"]["annotations"] == {
        "penstock.dev/rotated-key": "1",
        "penstock.dev/previous-key-until": until,
    }
    graph = found.graph()
    assert (digests(graph), graph.keys_to_make) == (sha(SECOND, FIRST), ())
    assert graph.next_change == (NOW + timedelta(minutes=10)).timestamp()


def test_the_overlap_shows_in_the_status() -> None:
    found = world()
    write(found, FIRST)
    found.resources[SUBSCRIPTION] = asking("1")
    write(found, SECOND)
    found.run()
    assert found.status(SUBSCRIPTION).api_key.previous_until == "2026-11-24T13:00:00Z"
    found.later(hours=1)
    found.run()
    assert found.status(SUBSCRIPTION).api_key.previous_until is None


def test_the_old_key_runs_out_without_an_edit_and_leaves_the_secret() -> None:
    found = world()
    write(found, FIRST)
    found.resources[SUBSCRIPTION] = asking("1")
    write(found, SECOND)
    found.later(hours=1)
    assert digests(found.graph()) == sha(SECOND)
    secret = write(found, THIRD)
    assert values(secret) == {"apiKey": SECOND}
    assert secret["metadata"]["annotations"] == {"penstock.dev/rotated-key": "1"}
    assert found.graph().keys_to_make == ()


def test_a_second_rotation_ends_the_oldest_key_at_once() -> None:
    found = world()
    write(found, FIRST)
    for value, key in (("1", SECOND), ("2", THIRD)):
        found.resources[SUBSCRIPTION] = asking(value)
        write(found, key)
    assert digests(found.graph()) == sha(THIRD, SECOND)


def test_an_annotation_that_is_there_from_the_start_rotates_nothing() -> None:
    found = world()
    found.resources[SUBSCRIPTION] = asking("1")
    write(found, FIRST)
    assert found.graph().keys_to_make == ()


def test_a_secret_of_the_user_in_that_place_is_used_but_never_written() -> None:
    found = world()
    own = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mobile-api-key", "namespace": "shop"}}
    found.resources[SECRET] = stored({**own, "stringData": {"apiKey": FIRST, "previousApiKey": SECOND}})
    found.resources[SUBSCRIPTION] = asking("1")
    assert (digests(found.graph()), found.graph().keys_to_make) == (sha(FIRST), ())
    found.resources[SECRET] = stored({**own, "stringData": {"other": FIRST}})
    found.run()
    assert found.graph().keys_to_make == ()
    assert found.reason(SUBSCRIPTION, "Accepted") == ("False", "MissingKey")


def test_long_names_that_are_alike_get_secrets_of_their_own() -> None:
    found = World()
    names = ["s" * 252 + end for end in "ab"]
    for name in names:
        found.resources[ResourceId("Subscription", "shop", name)] = subscription(name)
    secrets = {secret_of(work, FIRST, NOW)["metadata"]["name"] for work in found.graph().keys_to_make}
    assert len(secrets) == 2
    assert max(map(len, secrets)) <= 253


def test_no_repr_shows_a_key() -> None:
    found = world()
    write(found, FIRST)
    found.resources[SUBSCRIPTION] = asking("1")
    (work,) = found.graph().keys_to_make
    assert isinstance(work, KeyWork)
    assert FIRST not in repr(work)
