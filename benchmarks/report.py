"""What the benchmarks share: their options, timing, and the report as text and JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"
"""Where reports go unless `--json` says otherwise; not kept in the repository."""

Measure = Callable[[bool], Mapping[str, Any]]
"""Takes whether to be quick: sizes that only show that the benchmark runs."""


def run(name: str, description: str | None, measure: Measure, arguments: Sequence[str] | None = None) -> None:
    """Parse `--quick` and `--json FILE`, measure, print the report, and write it down."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, no more")
    parser.add_argument("--json", type=Path, default=RESULTS / f"{name}.json", metavar="FILE")
    options = parser.parse_args(arguments)
    report = {"benchmark": name, "quick": options.quick, **machine(), **measure(options.quick)}
    text = json.dumps(report, indent=2)
    print(text)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(text + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cores": cores(),
        "processor": processor(),
        "torch": torch.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0))


def processor() -> str:
    """The processor's name, as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def seconds(run_once: Callable[[], object], rounds: int) -> float:
    """Median of some rounds after a warm-up."""
    run_once()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        run_once()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of `values` (at least one) lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
