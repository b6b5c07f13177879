"""Policies are found by name: those of the package, and those that installed plug-ins register."""

import logging
from pathlib import Path

import pytest
from policy_outcomes import outcome

from gateway_runtime.policies.error_keys import known_error_keys
from gateway_runtime.policies.registry import built_in_policies, find_policy

PLUG_IN = """
from gateway_runtime.exchange import Reply
from gateway_runtime.policies.base import PolicyConfiguration, PolicyType

class Teapot(PolicyConfiguration):
    cups: int = 1

def request(configuration, environment):
    return lambda exchange: Reply(418, "TEAPOT", f"{configuration.cups} cups")

POLICY = PolicyType("teapot", Teapot, request=request, errors={"TEAPOT": 418})
"""


def test_each_policy_is_named_after_its_module() -> None:
    for name, policy in built_in_policies().items():
        assert policy.name == name
        module = policy.configuration.__module__.rpartition(".")[2]
        first, *others = module.split("_")
        assert name == first + "".join(map(str.title, others))


def test_each_policy_has_a_test_of_its_own() -> None:
    here = Path(__file__).parent
    modules = [policy.configuration.__module__.rpartition(".")[2] for policy in built_in_policies().values()]
    assert [module for module in modules if not (here / f"test_{module}.py").exists()] == []


def test_each_policy_says_what_it_does_and_has_a_phase() -> None:
    for policy in built_in_policies().values():
        assert policy.configuration.__doc__
        phases = (policy.request, policy.response, policy.connect, policy.interact, policy.publish)
        assert any((*phases, policy.subscribe))


def test_an_unknown_name_is_no_policy() -> None:
    assert find_policy("rateLimit") is built_in_policies()["rateLimit"]
    assert find_policy("ratelimit") is None
    assert find_policy("") is None


def test_an_installed_plug_in_is_found_and_runs(install, steps, exchange) -> None:
    install("teapot_plug_in", PLUG_IN, teapot="teapot_plug_in:POLICY")
    reply = outcome(steps("teapot", {"cups": 3}), exchange())
    assert reply is not None
    assert (reply.status, reply.key, reply.message) == (418, "TEAPOT", "3 cups")


def test_the_errors_of_plug_ins_are_known_beside_all_others(install) -> None:
    assert "TEAPOT" not in known_error_keys()
    install("teapot_plug_in", PLUG_IN, teapot="teapot_plug_in:POLICY")
    assert {"TEAPOT", "IP_FILTERED", "API_KEY_MISSING"} <= known_error_keys()


def test_a_plug_in_goes_by_the_name_that_it_registers(install) -> None:
    install("teapot_plug_in", PLUG_IN, **{"acme.teapot": "teapot_plug_in:POLICY"})
    assert find_policy("acme.teapot") is not None
    assert find_policy("teapot") is None


def test_a_plug_in_never_takes_the_place_of_a_built_in_policy(install) -> None:
    install("teapot_plug_in", PLUG_IN, ipFiltering="teapot_plug_in:POLICY")
    assert find_policy("ipFiltering") is built_in_policies()["ipFiltering"]


BROKEN = [
    ("raise OSError('no leaves')", "no leaves"),
    ("import no_such_module", "no_such_module"),
    ("", "POLICY"),
    ("POLICY = 'teapot'", "is no PolicyType"),
]


@pytest.mark.parametrize(("source", "told"), BROKEN)
def test_a_broken_plug_in_is_logged_and_stops_no_other(install, caplog, source: str, told: str) -> None:
    install("teapot_plug_in", PLUG_IN, teapot="teapot_plug_in:POLICY")
    install("broken_plug_in", source, broken="broken_plug_in:POLICY")
    with caplog.at_level(logging.WARNING):
        assert find_policy("broken") is None
        assert find_policy("teapot") is not None
    assert len(caplog.messages) == 1
    assert "broken (broken_plug_in:POLICY)" in caplog.messages[0]
    assert told in caplog.messages[0]
