"""A step of the snapshot to its function: what cannot run says why, at load."""

import pytest
from policy_outcomes import passed, refusal

from gateway_runtime.expressions.errors import ExpressionError, SecretMissingError
from gateway_runtime.policies.steps import PolicyError

DENY = {"deny": ["192.0.2.7"]}


def error(steps, *arguments: object) -> PolicyError:
    with pytest.raises(PolicyError) as raised:
        steps(*arguments)
    return raised.value


def test_an_unknown_policy_is_named(steps) -> None:
    assert str(error(steps, "rateLimt", {})) == "rateLimt: there is no such policy"


@pytest.mark.parametrize(
    ("policy", "phase"), [("ipFiltering", "response"), ("transformStatusCode", "request")]
)
def test_a_policy_without_the_phase_is_named(steps, policy: str, phase: str) -> None:
    assert str(error(steps, policy, {}, phase)) == f"{policy}: the policy has no {phase} phase"


def test_an_invalid_configuration_names_its_first_wrong_field(steps) -> None:
    found = error(steps, "transformStatusCode", {"mappings": [{"from": 200, "to": 1}]}, "response")
    assert found.field == "transformStatusCode.mappings.0.to"
    assert "greater than or equal to 200" in str(found)


def test_a_snapshot_holds_durations_as_text_or_as_seconds(steps, exchange) -> None:
    for number, period in enumerate(("10s", 10.0)):
        step = steps("rateLimit", {"limit": 1, "period": period}, scope=f"a {number}")
        one = exchange()
        assert passed(step, one)
        assert one.late_headers[-1][1] == b"X-Rate-Limit-Reset: 10"


def test_a_broken_expression_or_condition_stops_the_load(steps) -> None:
    with pytest.raises(ExpressionError):
        steps("mock", {"body": "{#request.pth}"})
    with pytest.raises(ExpressionError):
        steps("mock", {}, condition="request.path")


def test_a_secret_that_is_not_there_stops_the_load(steps) -> None:
    with pytest.raises(SecretMissingError, match="orders-backend"):
        steps("mock", {"body": "{#secrets.get('orders-backend')}"})


def test_a_condition_decides_for_each_request(steps, exchange) -> None:
    step = steps("ipFiltering", DENY, condition="{#request.headers['x-check'] != none}")
    assert passed(step, exchange())
    assert refusal(step, exchange(fields=(("X-Check", ""),))) == (403, "IP_FILTERED")


def test_a_condition_reads_the_response_in_its_phase(steps, exchange) -> None:
    step = steps("transformHeaders", {"set": {"X-E": "1"}}, "response", condition="{#response.status >= 500}")
    for status, marked in ((200, False), (503, True)):
        one = exchange(status=status)
        assert passed(step, one)
        assert ("x-e" in one.response.headers) is marked


def test_a_condition_that_fails_fails_the_request_never_skips_the_step(steps, exchange) -> None:
    step = steps("ipFiltering", DENY, condition="{#request.headers['x-level'] < 3}")
    with pytest.raises(TypeError):
        step(exchange())
