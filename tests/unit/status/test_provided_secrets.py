"""A GatewaySecret of Vault: its status says what pods have found, as the operator asks no provider."""

import pytest
from status_world import API, GATEWAY, SECRET, World, api, resource

VAULT = {"address": "http://vault:8200", "auth": {"kubernetes": {"role": "edge"}}}
ALLOW = [{"namespaces": ["shop"], "paths": ["kv/*"]}]


@pytest.fixture
def world() -> World:
    world = World()
    provider = {"name": "vault", "vault": VAULT, "allow": ALLOW}
    endpoint = {"name": "a", "url": "http://a", "headers": {"x-a": "{#secrets.get('token')}"}}
    world.resources[GATEWAY] = resource("GatewayDeployment", "edge", {"secretProviders": [provider]})
    world.resources[SECRET] = resource(
        "GatewaySecret", "token", {"source": {"vault": {"path": "kv/orders", "key": "token"}}}
    )
    world.resources[API] = api(endpointGroups=[{"name": "a", "endpoints": [endpoint]}])
    return world


def test_a_secret_that_all_pods_have_is_ready(world: World) -> None:
    world.run()

    assert world.status(SECRET).pods == "2/2"
    assert world.reason(SECRET, "Ready") == ("True", "Resolved")
    assert (world.status(SECRET).version, world.status(SECRET).since) == ("", None)


def test_what_a_pod_says_of_the_secret_is_shown(world: World) -> None:
    world.errors[API.key] = "kv/orders of vault: permission denied"
    world.run()

    assert world.reason(SECRET, "Ready") == ("False", "NotResolved")
    assert "kv/orders of vault: permission denied" in world.condition(SECRET, "Ready").message


def test_what_a_pod_says_of_another_secret_is_not_shown(world: World) -> None:
    world.errors[API.key] = "kv/other of vault: permission denied"
    world.run()

    assert world.reason(SECRET, "Ready") == ("False", "Pending")
    assert "kv/other" not in world.condition(SECRET, "Ready").message


def test_a_secret_is_ready_again_once_the_pod_has_it(world: World) -> None:
    world.errors[API.key] = "kv/orders of vault: permission denied"
    world.run()
    world.errors.clear()

    assert SECRET in world.run()
    assert world.reason(SECRET, "Ready") == ("True", "Resolved")
    assert world.run() == {}


def test_a_secret_that_no_api_reads_was_not_asked_for(world: World) -> None:
    world.resources[API] = api()
    world.run()

    assert world.reason(SECRET, "Ready") == ("False", "NotUsed")
    assert world.status(SECRET).pods == "0/0"


def test_a_secret_whose_path_is_not_allowed_is_not_resolved(world: World) -> None:
    provider = {"name": "vault", "vault": VAULT}
    world.resources[GATEWAY] = resource("GatewayDeployment", "edge", {"secretProviders": [provider]})
    world.run()

    assert world.reason(SECRET, "ResolvedRefs") == ("False", "RefNotPermitted")
    assert world.reason(SECRET, "Ready") == ("False", "RefNotPermitted")
    assert world.reason(API, "ResolvedRefs") == ("False", "RefNotPermitted")
