"""What is near a resource, found without looking at all."""

from admission_world import api, gateway, index, kafka_api, parsed, plan, resource, secret, subscription

from penstock_operator.admission.neighbours import NeighbourIndex, id_of, neighbourhood
from penstock_operator.graph.routes import Claim
from penstock_operator.resources.kube import KubeObject


def around(manifest: KubeObject, neighbours: NeighbourIndex) -> set[str]:
    found = neighbourhood(parsed(manifest), neighbours)
    return {f"{one.kind} {one.name}" for one in found}


def test_an_api_has_the_gateways_and_the_apis_that_claim_its_paths() -> None:
    neighbours = index(gateway("edge"), api("a", "/a"), api("b", "/b"), api("c", "/c"))
    assert around(api("new", "/b", "/d"), neighbours) == {"GatewayDeployment edge", "ApiDefinition b"}


def test_apis_that_decide_about_those_are_followed() -> None:
    neighbours = index(api("a", "/1", "/2"), api("b", "/2", "/3"), api("far", "/9"))
    assert around(api("new", "/1"), neighbours) == {"ApiDefinition a", "ApiDefinition b"}


def test_kafka_apis_may_meet_each_other_but_no_apis_of_http() -> None:
    neighbours = index(kafka_api("a"), kafka_api("b"), api("c"))
    assert around(kafka_api("new"), neighbours) == {"ApiDefinition a", "ApiDefinition b"}
    assert around(api("other", "/orders"), neighbours) == {"ApiDefinition c"}


def test_a_gateway_has_the_certificates_of_its_listeners() -> None:
    routing = {"type": "Host", "bootstrap": "{api}", "broker": "{api}-{broker}"}
    tls = {"certificateRefs": [{"name": "one"}, {"name": "two"}], "clientCaRef": {"name": "three"}}
    listener = {"name": "a", "protocol": "Kafka", "port": 9092, "tls": tls, "routing": routing}
    neighbours = index(*(secret(name, "x") for name in ("one", "two", "three", "else")))
    found = around(resource("GatewayDeployment", "edge", {"listeners": [listener]}), neighbours)
    assert found == {"Secret one", "Secret two", "Secret three"}


def test_a_chain_of_conflicts_ends() -> None:
    chain = [api(f"a{number}", f"/{number}", f"/{number + 1}") for number in range(400)]
    assert len(around(api("new", "/0"), index(*chain))) == 256


def test_a_resource_is_no_neighbour_of_itself() -> None:
    assert around(api("a"), index(api("a"))) == set()


def test_a_plan_has_its_api_and_the_secrets_that_it_reads() -> None:
    jwt = {"algorithms": ["HS256"], "key": {"secretRef": {"name": "shared", "key": "key"}}}
    neighbours = index(api("a"), plan("other", "a"), secret("shared", "x" * 32), secret("else", "y"))
    assert around(plan("gold", "a", jwt=jwt), neighbours) == {"ApiDefinition a", "Secret shared"}


def test_a_subscription_has_its_plan_and_the_keys_of_its_api() -> None:
    neighbours = index(
        api("a"),
        plan("gold", "a", apiKey={}),
        plan("basic", "a", apiKey={}),
        plan("far", "b", apiKey={}),
        subscription("one", "basic", "k1"),
        subscription("two", "far", "k2"),
        *(secret(name, "x" * 16) for name in ("k1", "k2", "k3")),
    )
    assert around(subscription("new", "gold", "k3"), neighbours) == {
        "ApiDefinition a",
        "Plan gold",
        "Plan basic",
        "Subscription one",
        "Secret k1",
        "Secret k3",
    }


def test_secrets_are_followed_through_gateway_secrets() -> None:
    named = resource("GatewaySecret", "token", {"source": {"kubernetes": {"name": "raw", "key": "key"}}})
    flows = [{"request": [{"transformHeaders": {"set": {"X-T": "{#secrets.get('token')}"}}}]}]
    neighbours = index(named, secret("raw", "value"))
    assert around(api("a", flows=flows), neighbours) == {"GatewaySecret token", "Secret raw"}


def test_the_index_follows_edits_and_deletions() -> None:
    neighbours = index(api("a", "/1"), plan("gold", "a"))
    neighbours.upsert(parsed(api("a", "/2")))
    neighbours.upsert(parsed(plan("gold", "b")))
    assert list(neighbours.claimants(Claim("*", "/1"))) == []
    assert [id_of(one).name for one in neighbours.claimants(Claim("*", "/2"))] == ["a"]
    assert list(neighbours.plans_of("shop/a")) == []
    assert [id_of(one).name for one in neighbours.plans_of("shop/b")] == ["gold"]
    neighbours.remove(id_of(parsed(api("a"))))
    assert list(neighbours.claimants(Claim("*", "/2"))) == []
    assert neighbours.get(id_of(parsed(api("a")))) is None


def test_a_gateway_that_is_gone_is_no_neighbour() -> None:
    neighbours = index(gateway("edge"))
    neighbours.remove(id_of(parsed(gateway("edge"))))
    neighbours.remove(id_of(parsed(gateway("edge"))))
    assert list(neighbours.gateways()) == []
