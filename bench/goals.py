"""Compares what Penstock reached with what it has to reach."""

from __future__ import annotations

from typing import Any

from bench.rows import Row

_CONNECTIONS = 32


def make_goals(
    rows: list[Row], memory: dict[str, Any] | None, reload: dict[str, Any] | None
) -> dict[str, Any]:
    """Each goal's short name -> what to reach, what was reached (None: not measured), whether it is met."""
    goals = {
        f"{work}-1k-vs-envoy": at_least(2.0, _cpu_ratio(rows, work, "1k")) for work in ("plain", "policies")
    }
    goals |= {f"{work}-p99-vs-envoy": at_most(1.0, _p99_ratio(rows, work)) for work in ("plain", "policies")}
    goals["bytes-1m-vs-envoy"] = at_least(0.7, _cpu_ratio(rows, "plain", "1m"))
    goals["rss-1000-apis-mib"] = at_most(60, _value(memory, "rss_mib"))
    goals["reload-ms"] = below(100, _value(reload, "median_ms"))
    goals["reload-failed"] = at_most(0, _value(reload, "failed"))
    return goals


def _value(part: dict[str, Any] | None, name: str) -> float | None:
    return None if part is None else part[name]


def _cpu_ratio(rows: list[Row], work: str, body: str) -> float | None:
    """The ratio of requests per CPU-second, which is that of bytes too: the bodies are the same."""
    return _ratio(rows, (work, body), "requests_per_cpu_second")


def _p99_ratio(rows: list[Row], work: str) -> float | None:
    return _ratio(rows, (work, "1k"), "p99_ms")


def _ratio(rows: list[Row], place: tuple[str, str], name: str) -> float | None:
    for row in rows:
        if (row["work"], row["body"], row["connections"]) == (*place, _CONNECTIONS) and row[
            "peer"
        ] == "penstock":
            found: float | None = (row["ratio_to_envoy"] or {}).get(name)
            return found
    return None


def at_least(target: float, reached: float | None) -> dict[str, Any]:
    """A goal that is met at its target or above."""
    return {"target": f">= {target}", "reached": reached, "met": reached is not None and reached >= target}


def below(target: float, reached: float | None) -> dict[str, Any]:
    """A goal that is met below its target."""
    return {"target": f"< {target}", "reached": reached, "met": reached is not None and reached < target}


def at_most(target: float, reached: float | None) -> dict[str, Any]:
    """A goal that is met at its target or below."""
    return {"target": f"<= {target}", "reached": reached, "met": reached is not None and reached <= target}
