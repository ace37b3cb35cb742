"""Ours and a floor in turns, so that a noisy machine disturbs both alike: medians, spreads, CPU beside wall time."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

ROUNDS = 5
Figures = dict[str, Any]
Job = Callable[[], float | tuple[float, float] | None]


def in_turns(
    *, ours: Job, floor: Job, unit: str, more_is_better: bool = False, rounds: int = ROUNDS
) -> Figures:
    """Run both `rounds` times, alternating. A job returns its own figure (and the CPU seconds of clients that go on
    running), or None for the seconds that it took."""
    figures: dict[str, list[tuple[float, float, float]]] = {"ours": [], "floor": []}
    for _ in range(rounds):
        for name, job in (("floor", floor), ("ours", ours)):
            figures[name].append(_measured(job))
    ours_median, floor_median = (
        statistics.median(run[0] for run in figures[name]) for name in ("ours", "floor")
    )
    ratio = ours_median / floor_median
    return {
        "ours": _rounded(ours_median),
        "floor": _rounded(floor_median),
        "peer": None,
        "ratio_to_floor": _rounded(ratio),
        "ratio_to_peer": None,
        "unit": unit,
        "better": "more" if more_is_better else "less",
        "runs": rounds,
        "spread": {name: _spread([run[0] for run in runs]) for name, runs in figures.items()},
        "cpu_seconds": {
            name: {
                "client": _rounded(statistics.median(run[1] for run in runs)),
                "database": _rounded(statistics.median(run[2] for run in runs)),
            }
            for name, runs in figures.items()
        },
    }


def _measured(job: Job) -> tuple[float, float, float]:
    server, client, began = database_cpu(), client_cpu(), time.perf_counter()
    figure = job()
    wall = time.perf_counter() - began
    value, others = figure if isinstance(figure, tuple) else (wall if figure is None else figure, 0.0)
    return value, client_cpu() - client + others, database_cpu() - server


def _spread(values: list[float]) -> list[float]:
    return [_rounded(min(values)), _rounded(max(values))]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def client_cpu() -> float:
    """CPU seconds of this process and of the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def database_cpu() -> float:
    """CPU seconds of the database server and all that it started, where it runs on this machine; else 0."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    try:
        server = int(_stat(backend)[1])
        processes = [_stat(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except (OSError, ValueError, IndexError):
        return 0.0
    ticks = sum(int(one[11]) + int(one[12]) for one in processes if one and int(one[1]) == server)
    own = _stat(server)
    return (ticks + sum(int(own[place]) for place in (11, 12, 13, 14))) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of a process from its state on: [1] its parent, [11..14] its own and its ended children's ticks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []
