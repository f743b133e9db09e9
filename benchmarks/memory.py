"""`python -m benchmarks.memory`: what a worker holds in memory, over many photos of many sizes.

The baseline is the same process after the first tenth of the photos.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.report import run
from benchmarks.selfies import selfie
from worker.render import render
from worker.score import Judge, Scored
from worker.settings import PACKAGED_WEIGHTS

SIZES = ((640, 480), (1280, 960), (1080, 1920), (4032, 3024))
SEEDS = 5
"""Different files of about each size."""


def measure(quick: bool) -> dict[str, Any]:
    """Megabytes after loading, after a tenth of the photos, and at the end; and the peak."""
    photos = 20 if quick else 2000
    judge = Judge.load(PACKAGED_WEIGHTS, "cpu", 1)
    judge.warm_up()
    loaded = megabytes()
    sizes = ((320, 240), (240, 320)) if quick else SIZES
    files = [
        selfie(width - 40 * seed, height - 24 * seed, seed=seed)
        for seed in range(SEEDS)
        for width, height in sizes
    ]
    settled = loaded
    for number in range(photos):
        _answer(judge, files[number % len(files)])
        if number == photos // 10:
            settled = megabytes()
    end = megabytes()
    return {
        "photos": photos,
        "baseline": "the same process after a tenth of the photos",
        "after loading (MB)": loaded,
        "baseline (MB)": settled,
        "at the end (MB)": end,
        "times the baseline": round(end / settled, 3),
        "peak (MB)": _status("VmHWM"),
    }


def megabytes() -> float:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith(name))
    return round(int(kilobytes) * 1024 / 1e6, 1)


def _answer(judge: Judge, data: bytes) -> None:
    scored = judge.score(data)
    if isinstance(scored, Scored):
        crop = judge.crop(scored.aligned)
        render(scored.aligned.photo, crop.box, scored.score, scored.plus_minus)


if __name__ == "__main__":
    run("memory", __doc__, measure)
