"""Prints rows and goals for people."""

from __future__ import annotations

from typing import Any

from bench.rows import Row

_COLUMNS = (
    "work", "body", "conns", "peer", "req/s", "req/CPU-s", "MB/CPU-s", "CPU", "p50 ms", "p99 ms",
    "RSS MiB", "failed", "x Envoy",
)  # fmt: skip
_TEXT_COLUMNS = 4


def print_rows(rows: list[Row]) -> None:
    """The table: medians; the last column compares requests per CPU-second with Envoy's."""
    print_columns([_COLUMNS, *(_cells(row) for row in rows)], _TEXT_COLUMNS)


def print_goals(goals: dict[str, dict[str, Any]]) -> None:
    """Each goal with what was reached."""
    print()
    lines = [("goal", "target", "reached", "")]
    for name, goal in goals.items():
        reached = "not measured" if goal["reached"] is None else f"{goal['reached']:.2f}"
        lines.append((name, goal["target"], reached, "met" if goal["met"] else "NOT MET"))
    print_columns([tuple(line) for line in lines], _TEXT_COLUMNS)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = (row["ratio_to_envoy"] or {}).get("requests_per_cpu_second")
    return (
        row["work"], row["body"], str(row["connections"]), row["peer"],
        _median(row, "requests_per_second", ",.0f"), _median(row, "requests_per_cpu_second", ",.0f"),
        _median(row, "mb_per_cpu_second", ",.1f"), _median(row, "cpu_share", ".0%"),
        _median(row, "p50_ms", ".2f"), _median(row, "p99_ms", ".2f"),
        f"{row['rss_mib']:.1f}", str(row["failed"]), f"{ratio:.2f}" if ratio else "",
    )  # fmt: skip


def _median(row: Row, name: str, form: str) -> str:
    return format(row[name]["median"], form) if row[name] else ""


def print_columns(lines: list[tuple[str, ...]], text_columns: int = 1) -> None:
    """Lines of cells; the first columns hold texts, the others numbers."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.ljust(width) if index < text_columns else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
