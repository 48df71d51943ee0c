"""Medians over rounds, ratios to the floor, as a table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from statistics import median
from typing import Any

_FIGURES = (
    "rate", "p50_ms", "p99_ms", "max_ms", "service_cpu_ms", "database_cpu_ms", "generator_cpu_ms",
    "peak_mib",
)  # fmt: skip


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value below which ``part`` of the ordered values lie; 0 for none."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def summary(
    rounds: list[dict[str, Any]], large: dict[str, Any], **conditions: Any
) -> dict[str, Any]:
    """Medians of all rounds, and the ratios that the requirements name."""
    names = [name for name in rounds[0] if not name.startswith("floor")]
    floors = {
        name: median(one[name]["rate"] for one in rounds)
        for name in rounds[0]
        if name.startswith("floor")
    }
    found = {
        name: {figure: round(median(one[name][figure] for one in rounds), 2) for figure in _FIGURES}
        | {
            # Ratios of one round share the machine's mood, so they are taken before the median.
            "of_sqlite_floor": round(
                median(one[name]["rate"] / one["floor-sqlite"]["rate"] for one in rounds), 3
            ),
            "refused": sum(sum(one[name]["refused"].values()) for one in rounds),
        }
        for name in names
    }
    gains = {
        database: round(
            median(
                one[f"{database}-grouped"]["rate"] / one[f"{database}-single"]["rate"]
                for one in rounds
            ),
            2,
        )
        for database in ("sqlite", "postgresql")
        if f"{database}-grouped" in names and f"{database}-single" in names
    }
    return {
        "conditions": {
            **conditions,
            "rounds": len(rounds),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "load_at_end": round(os.getloadavg()[0], 2),
        },
        "floors_per_second": {name: round(rate, 1) for name, rate in floors.items()},
        "dispatch": found,
        "group_commit_gain": gains,
        "large_notice": large,
    }


def print_report(report: dict[str, Any]) -> None:
    """Print the summary for people."""
    conditions = report["conditions"]
    print(
        f"\ndispatch of {conditions['document_bytes']} byte notices over HTTP, "
        f"{conditions['connections']} connections, {conditions['citizens']} citizens, "
        f"{conditions['processors']} processors, load generator included, "
        f"medians of {conditions['rounds']} rounds\n"
    )
    for name, rate in report["floors_per_second"].items():
        print(f"{name:22} {rate:8.0f}/s   raw commits of one blob each")
    print(
        f"\n{'':22} {'notices/s':>9} {'of floor':>9} {'p50 ms':>8} {'p99 ms':>8}"
        f" {'cpu ms':>8} {'db ms':>7} {'gen ms':>7} {'peak MiB':>9}"
    )
    for name, row in report["dispatch"].items():
        print(
            f"{name:22} {row['rate']:9.0f} {row['of_sqlite_floor']:9.2f} {row['p50_ms']:8.1f}"
            f" {row['p99_ms']:8.1f} {row['service_cpu_ms']:8.2f} {row['database_cpu_ms']:7.2f}"
            f" {row['generator_cpu_ms']:7.2f} {row['peak_mib']:9.0f}"
        )
        if row["refused"]:
            print(f"{'':22} {row['refused']} calls refused")
    for database, gain in report["group_commit_gain"].items():
        print(f"\ngroup commit against one commit a notice, {database}: {gain:.2f} times", end="")
    large = report["large_notice"]
    print(
        f"\n\none notice of {large['document_bytes']} bytes: "
        f"{large['above_idle_mib']:.0f} MiB above {large['idle_mib']:.0f} MiB idle"
    )
