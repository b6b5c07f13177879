"""The gateway grows and shrinks while clients call it, and no request fails."""

from e2e.installed.release import Release
from e2e.installed.shop import Orders
from e2e.installed.traffic import traffic


def test_scaling_from_one_to_three_and_back_fails_no_request(gateway: Release, orders: Orders) -> None:
    try:
        gateway.change_gateway(replicas=1)
        gateway.wait_for_pods(1)
        with traffic(orders.url, orders.headers) as load:
            gateway.change_gateway(replicas=3)
            gateway.wait_for_pods(3)
            load.wait_for(100)
            gateway.change_gateway(replicas=1)
            gateway.wait_for_pods(1)
        assert load.failures == []
    finally:
        gateway.change_gateway(replicas=2)
        gateway.wait_for_pods(2)
