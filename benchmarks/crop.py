"""`python -m benchmarks.crop`: the crop search against scoring the same windows by themselves.

Two baselines on the same photos and the same grid: one window at a time, and well-batched
windows. Both are timed on a sample of the windows and reckoned up to all (`--sample 0`: all of
them). Regret is what the search loses, in points, against the best of the grid by exact scores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.photos import photos
from benchmarks.report import RESULTS, machine
from model.faces import Face, FaceFinder
from model.network import INPUT_SIZE
from model.predict import BATCH, Scorer
from worker.composition import composition
from worker.crop import Search, allowed, best_crop
from worker.framing import Aspect, Subject, parse_aspects
from worker.settings import PACKAGED_WEIGHTS

CANDIDATES = 64
"""Windows scored exactly for the regret unless `--exhaustive`: the dense pass's best."""


@dataclass(frozen=True)
class Task:
    """One photo to search, and how."""

    photo: Image.Image
    faces: list[Face]
    aspects: tuple[Aspect, ...]
    windows: int


def main() -> None:
    """Print the report as JSON, and write it where `--json` says."""
    options = _options()
    torch.set_num_threads(options.threads)
    scorer, finder = Scorer.load(options.weights, "cpu"), FaceFinder()
    found = [(photo, finder.find(photo)) for photo in photos(options.photos, options.count)]
    report: dict[str, Any] = {
        "benchmark": "crop",
        "quick": options.quick,
        **machine(),
        "baselines": "the same windows cut with Pillow and scored one by one, and in batches of one shape",
        "threads": options.threads,
        "photos": sum(bool(faces) for _, faces in found),
    }
    for windows, aspect in options.runs:
        tasks = [Task(photo, faces[:1], parse_aspects(aspect), windows) for photo, faces in found if faces]
        each = [_compared(scorer, task, options.sample, options.exhaustive) for task in tasks]
        report[f"{aspect}, about {windows} windows"] = _summary(each)
    text = json.dumps(report, indent=2)
    print(text)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(text + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crop", description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder of photos; else drawn from the astronaut")
    parser.add_argument("--count", type=int, default=10, help="how many photos")
    parser.add_argument("--sample", type=int, default=200, help="windows timed for the baselines; 0: all")
    parser.add_argument(
        "--exhaustive", action="store_true", help="score every window exactly, for the regret"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--weights", type=Path, default=PACKAGED_WEIGHTS)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, no more")
    parser.add_argument("--json", type=Path, default=RESULTS / "crop.json", metavar="FILE")
    parser.add_argument(
        "--runs",
        type=_run,
        nargs="+",
        default=[(2000, "1:1"), (20_000, "free")],
        metavar="WINDOWS,ASPECT",
    )
    options = parser.parse_args()
    if options.quick:
        options.count, options.sample, options.runs = 1, 4, [(50, "1:1")]
    return options


def _run(text: str) -> tuple[int, str]:
    windows, _, aspect = text.partition(",")
    return int(windows), aspect or "1:1"


def _compared(scorer: Scorer, task: Task, sample: int, exhaustive: bool) -> dict[str, float]:
    """One photo: seconds of the search and of both baselines, and the regret."""
    best_crop(scorer, task.photo, task.faces, task.aspects, task.windows)  # kernels are chosen once
    started = time.perf_counter()
    best_crop(scorer, task.photo, task.faces, task.aspects, task.windows)
    seconds = time.perf_counter() - started
    subject = Subject.of(task.faces, task.photo.size)
    grid = allowed(task.photo.size, subject, task.aspects, task.windows)
    search = Search(scorer, task.photo, subject)
    windows = search.dense(grid)
    won = search.rescored(windows)
    count = len(windows.boxes) if exhaustive else CANDIDATES
    candidates = windows.best(count).boxes
    totals = search.exact(candidates) + composition(candidates, subject)
    chosen = _sample(windows.boxes, sample)
    share = len(windows.boxes) / len(chosen)
    return {
        "windows": len(windows.boxes),
        "search": seconds,
        "one by one": share * _one_by_one(scorer, task.photo, chosen),
        "batched": share * _batched(scorer, task.photo, chosen),
        "regret": max(0.0, float(totals.max()) - won.total),
        "refinement gains": search.refined(grid, won).total - float(totals.max()),
    }


def _sample(boxes: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    if count == 0 or count >= len(boxes):
        return boxes
    return boxes[np.random.default_rng(0).choice(len(boxes), count, replace=False)]


def _cut(photo: Image.Image, box: NDArray[np.float64]) -> Image.Image:
    """As anyone would cut a window: from the photo itself, with Pillow's own short cut."""
    left, top, right, bottom = box.tolist()
    within = max(0.0, left), max(0.0, top), min(photo.width, right), min(photo.height, bottom)
    zoom = INPUT_SIZE / min(right - left, bottom - top)
    size = round((right - left) * zoom), round((bottom - top) * zoom)
    return photo.resize(size, Image.Resampling.BICUBIC, within, reducing_gap=3.0)


def _one_by_one(scorer: Scorer, photo: Image.Image, boxes: NDArray[np.float64]) -> float:
    started = time.perf_counter()
    for box in boxes:
        scorer.unclipped([_cut(photo, box)])
    return time.perf_counter() - started


def _batched(scorer: Scorer, photo: Image.Image, boxes: NDArray[np.float64]) -> float:
    started = time.perf_counter()
    shapes: dict[tuple[int, int], list[Image.Image]] = {}
    for box in boxes:
        picture = _cut(photo, box)
        waiting = shapes.setdefault(picture.size, [])
        waiting.append(picture)
        if len(waiting) == BATCH:
            scorer.unclipped(waiting)
            waiting.clear()
    for waiting in shapes.values():
        if waiting:
            scorer.unclipped(waiting)
    return time.perf_counter() - started


def _summary(each: list[dict[str, float]]) -> dict[str, float]:
    def median(values: list[float]) -> float:
        return round(statistics.median(values), 4)

    def column(name: str) -> list[float]:
        return [one[name] for one in each]

    if not each:
        return {"photos": 0}
    return {
        "windows, median": median(column("windows")),
        "search (s), median": median(column("search")),
        "one by one, times as long": median([one["one by one"] / one["search"] for one in each]),
        "batched, times as long": median([one["batched"] / one["search"] for one in each]),
        "regret, median": median(column("regret")),
        "regret, worst": round(max(column("regret")), 4),
        "refined above the grid's best, median": median(column("refinement gains")),
    }


if __name__ == "__main__":
    main()
