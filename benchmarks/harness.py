"""What every benchmark shares: alternating runs, medians, a table, and the last line as JSON."""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any


def machine() -> str:
    """Processor, cores this process may use, system and Python, in one line."""
    model = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        names = [
            line.split(":", 1)[1]
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        ]
        model = names[0].strip() if names else model
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {usable} cores, {platform.system()}, Python {platform.python_version()}"


def versions(packages: Iterable[str]) -> str:
    """Name and version of each package that is installed."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def alternate(
    contestants: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]], rounds: int
) -> dict[str, float]:
    """Median seconds of each contestant, over rounds in which each runs once, in turn.

    A contestant is (prepare, run): what ``prepare()`` returns is given to ``run``, and only
    ``run`` is timed. Taking turns lets a slow spell of the machine hit everyone alike; every
    other round goes backwards, so that nobody always runs first.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            prepare, run = contestants[name]
            prepared = prepare()
            gc.collect()
            start = time.perf_counter()
            run(prepared)
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table."""
    for row in [header, ["---"] * len(header), *rows]:
        print(f"| {' | '.join(row)} |")


def print_ratios(benchmark: str, ratios: dict[str, float]) -> None:
    """The last line: one JSON object; above 1, ours is better."""
    rounded = {name: round(ratio, 3) for name, ratio in ratios.items()}
    print(json.dumps({"benchmark": benchmark, "ratios": rounded}))
