"""kafkaQuota: how much a client may send and receive."""

import gc

import pytest
from kafka_sessions import client, compiled

from gateway_runtime.kafka.quota import Quota
from gateway_runtime.kafka.rules import Rules
from gateway_runtime.policies.steps import PolicyError


def quota(configuration: dict, scope: str = "shop/orders api 0", **who: object) -> Quota:
    rules = Rules()
    compiled("kafkaQuota", configuration, scope)(client(**who), rules)
    (found,) = rules.quotas
    return found


ONE_KILOBYTE = {"ingress": 1000}


def test_bytes_sent_and_received_and_requests_are_bounded_apart() -> None:
    assert quota({"ingress": "1k"}, subscription="a").charge(20_000, 0) > 0
    assert quota({"ingress": "1k"}, subscription="b").charge(0, 20_000) == 0
    assert quota({"egress": "1k"}, subscription="c").charge(0, 20_000) > 0
    assert quota({"egress": "1k"}, subscription="d").charge(20_000, 0) == 0
    requests = quota({"requests": 1}, subscription="e")
    assert [requests.charge(9**9, 9**9) > 0 for _ in range(15)][-1]


def test_connections_of_a_subscription_share_what_it_may_use_over_reloads_too() -> None:
    first = quota(ONE_KILOBYTE)
    assert first.charge(100_000, 0) > 0
    assert quota(ONE_KILOBYTE).charge(1, 0) > 0
    assert quota(ONE_KILOBYTE, subscription="other").charge(1, 0) == 0


def test_clients_without_a_subscription_are_told_apart_by_address() -> None:
    first = quota(ONE_KILOBYTE, subscription=None)
    assert first.charge(100_000, 0) > 0
    assert quota(ONE_KILOBYTE, subscription=None).charge(1, 0) > 0
    assert quota(ONE_KILOBYTE, subscription=None, address="192.0.2.8").charge(1, 0) == 0


def test_two_steps_count_apart() -> None:
    first = quota(ONE_KILOBYTE)
    assert first.charge(100_000, 0) > 0
    assert quota(ONE_KILOBYTE, scope="shop/orders api 1").charge(1, 0) == 0


def test_what_a_client_used_is_forgotten_when_it_is_gone() -> None:
    first = quota(ONE_KILOBYTE)
    assert first.charge(100_000, 0) > 0
    del first
    gc.collect()
    assert quota(ONE_KILOBYTE).charge(1, 0) == 0


@pytest.mark.parametrize("configuration", [{}, {"ingress": 0}, {"requests": 0}, {"ingress": "x"}])
def test_a_quota_that_bounds_nothing_is_refused(configuration: dict) -> None:
    with pytest.raises(PolicyError):
        compiled("kafkaQuota", configuration)
