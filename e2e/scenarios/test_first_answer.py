"""How soon an API is served: from `kubectl apply` of its ApiDefinition to the first answer to a client."""

import json
import os
import statistics
import time
from pathlib import Path

from e2e.components.progress import say
from e2e.installed.release import Release
from e2e.installed.shop import Shop

APIS = 50
RESULTS = Path(__file__).parents[1] / "results" / "first_answer.json"


def test_fifty_apis_are_served_soon_after_kubectl_apply(gateway: Release, shop: Shop) -> None:
    from_start, from_end = [], []
    for number in range(APIS):
        name = f"hello-{number}"
        shop.plan(name)
        begin = time.monotonic()
        shop.api(name, name)
        applied = time.monotonic()
        answered = first_answer(shop, name)
        from_start.append(answered - begin)
        from_end.append(answered - applied)
    figures = {"from the start of kubectl apply": summary(from_start), "from its end": summary(from_end)}
    report = {
        "apis": APIS,
        "pods": len(gateway.pods()),
        "cpus": os.cpu_count(),
        "load average": os.getloadavg()[0],
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": figures,
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    say(f"first answer after kubectl apply, in seconds: {figures}")
    assert figures["from its end"]["p99"] < 10


def first_answer(shop: Shop, name: str) -> float:
    """When the first request was answered, of requests one right after the other."""
    deadline = time.monotonic() + 30
    while shop.ask(shop.path(name)).text != name:
        assert time.monotonic() < deadline, f"{name} is not served"
    return time.monotonic()


def summary(times: list[float]) -> dict[str, float]:
    """The median, the 99th percentile and the worst."""
    p99 = statistics.quantiles(times, n=100, method="inclusive")[-1]
    return {
        name: round(value, 3)
        for name, value in (("p50", statistics.median(times)), ("p99", p99), ("max", max(times)))
    }
