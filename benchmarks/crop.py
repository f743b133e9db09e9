"""`python -m benchmarks.crop`: the crop search against scoring the same windows by themselves.

Baselines, on the same photos and the same grid: one window at a time, as anyone would write it
(Pillow's crop and resize, PyTorch); one window at a time with the worker's own cutting and engine; and
the same in batches. They are timed on a sample of the windows and reckoned up to all (`--sample 0`:
all of them). Regret is what the search loses, in points, against the best of the grid by exact scores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.photos import photos
from benchmarks.report import RESULTS, machine
from model import checkpoint
from model.faces import Face, FaceFinder
from model.network import INPUT_SIZE, TinyDarknet, normalise
from model.predict import BATCH, Scorer
from worker.composition import composition
from worker.crop import Search, allowed, best_crop
from worker.framing import Aspect, Subject, parse_aspects
from worker.pyramid import Pyramid
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
    found = [
        (photo, finder.find(photo)) for photo in photos(options.photos, options.count, options.with_room)
    ]
    report: dict[str, Any] = {
        "benchmark": "crop",
        "quick": options.quick,
        **machine(),
        "baselines": "the same windows, one by one with Pillow and PyTorch; one by one and in batches of"
        " one shape with the worker's own cutting and engine",
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
    parser.add_argument("--with-room", action="store_true", help="give the folder's photos room around them")
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
        "obvious": share * _obviously(task.photo, chosen),
        "one by one": share * _batched(scorer, task.photo, chosen, 1),
        "batched": share * _batched(scorer, task.photo, chosen, BATCH),
        "regret": max(0.0, float(totals.max()) - won.total),
        "refinement gains": search.refined(grid, won).total - float(totals.max()),
    }


def _sample(boxes: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    if count == 0 or count >= len(boxes):
        return boxes
    return boxes[np.random.default_rng(0).choice(len(boxes), count, replace=False)]


def _obviously(photo: Image.Image, boxes: NDArray[np.float64]) -> float:
    """Seconds to score windows one by one, as anyone would."""
    network = _network()
    started = time.perf_counter()
    for box in boxes.tolist():
        size = _input_size(np.array(box))
        pixels = np.array(photo.crop((*map(round, box),)).resize(size))
        with torch.inference_mode():
            network(normalise(torch.from_numpy(pixels).permute(2, 0, 1)[None])).item()
    return time.perf_counter() - started


@cache
def _network() -> TinyDarknet:
    """PyTorch's, of the shipped shape; its weights do not matter for the time."""
    _, card = checkpoint.load(PACKAGED_WEIGHTS)
    return TinyDarknet(checkpoint.read_layers(card["layers"])).eval()


def _batched(scorer: Scorer, photo: Image.Image, boxes: NDArray[np.float64], batch: int) -> float:
    """Seconds to score windows of one shape together, cut as the search cuts them."""
    started = time.perf_counter()
    pyramid = Pyramid(photo)
    shapes: dict[tuple[int, int], list[Image.Image]] = {}
    for box in boxes:
        size = _input_size(box)
        waiting = shapes.setdefault(size, [])
        waiting.append(pyramid.cut(box.tolist(), size))
        if len(waiting) == batch:
            scorer.unclipped(waiting)
            waiting.clear()
    for waiting in shapes.values():
        if waiting:
            scorer.unclipped(waiting)
    return time.perf_counter() - started


def _input_size(box: NDArray[np.float64]) -> tuple[int, int]:
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    zoom = INPUT_SIZE / min(width, height)
    return round(width * zoom), round(height * zoom)


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
        "one by one as anyone would, times as long": median([one["obvious"] / one["search"] for one in each]),
        "one by one, times as long": median([one["one by one"] / one["search"] for one in each]),
        "batched, times as long": median([one["batched"] / one["search"] for one in each]),
        "regret, median": median(column("regret")),
        "regret, worst": round(max(column("regret")), 4),
        "refined above the grid's best, median": median(column("refinement gains")),
    }


if __name__ == "__main__":
    main()
