"""`python -m benchmarks.composition DATA`: learn the composition's weights, and measure it.

DATA holds framed portraits under the paths that its `ratings.csv` names (columns `image`,
`dataset`, `fold`); ratings are not used. Learned from folds 1 to 4 of a data set that professionals
framed: each portrait's framing against shifted and scaled versions of it, by geometry alone.
Measured on fold 0 of all: portraits are put into larger scenes, and the search is asked for a crop
of the portrait's shape; IoU tells how well it returns to the framing. First blind to frames: with
the score alone, and with the composition at several weights. Then as the worker does it, for each
kind of scene.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from model.faces import Face, FaceFinder
from model.predict import Scorer
from worker import composition, crop
from worker.crop import best_crop
from worker.frame import find_frame
from worker.framing import Aspect, Subject
from worker.settings import PACKAGED_WEIGHTS

VERSIONS = 30
"""Shifted and scaled versions of each portrait's framing."""

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0)

Values = NDArray[np.float64]
Portrait = tuple[Image.Image, Face]


def main() -> None:
    """Print the learned weights and the recovered framings as JSON."""
    options = _options()
    torch.set_num_threads(1)
    finder, scorer = FaceFinder(), Scorer.load(options.weights, "cpu")
    best, steepness = learn(list(_portraits(options, finder, True)))
    report: dict[str, object] = {
        "benchmark": "composition",
        "best": [round(value, 3) for value in best.tolist()],
        "steepness": [round(value, 2) for value in steepness.tolist()],
    }
    portraits = list(_portraits(options, finder, False))
    scenes = {kind: [_embedded(*one, kind) for one in portraits] for kind in SCENES}
    for weight in WEIGHTS:
        with patch.object(composition, "WEIGHT", weight), patch.object(crop, "find_frame", lambda *_: None):
            report[f"IoU blind to frames, weight {weight}"] = _recovered(
                scorer, scenes["blurred"], options.windows
            )
    for kind, embedded in scenes.items():
        report[f"IoU, {kind} scenes"] = _recovered(scorer, embedded, options.windows)
    print(json.dumps(report, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.composition", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--framed-well", default="mebeauty", help="the data set to learn from")
    parser.add_argument("--learn-from", type=int, default=600, help="portraits")
    parser.add_argument("--held-out", type=int, default=60, help="portraits put into scenes")
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--weights", type=Path, default=PACKAGED_WEIGHTS)
    return parser.parse_args()


def learn(portraits: list[Portrait]) -> tuple[Values, Values]:
    """`BEST` and `STEEPNESS` of `worker.composition`, by a ridge-regularised pairwise logistic loss."""
    rows = np.concatenate([_differences(*portrait, seed) for seed, portrait in enumerate(portraits)])
    weights, ridge = np.zeros(rows.shape[1]), len(rows) * 1e-6
    for _ in range(30):  # Newton's steps
        wrong = 1 / (1 + np.exp(rows @ weights))
        slope = -rows.T @ wrong + ridge * weights
        bend = (rows * (wrong * (1 - wrong))[:, None]).T @ rows + ridge * np.eye(len(weights))
        weights -= np.linalg.solve(bend, slope)
    steepness = -weights[2:]
    # Left and right are alike: the middle has no linear term.
    return np.append(weights[:2] / (2 * steepness[:2]), 0.0), steepness


def _differences(photo: Image.Image, face: Face, seed: int) -> Values:
    """A portrait's own framing less other framings of it, as terms of the quadratic."""
    chance = np.random.default_rng(seed)
    sides = np.array(photo.size) * np.exp(chance.uniform(-0.7, 0.7, (VERSIONS, 1)))
    centres = np.array(photo.size) / 2 + chance.uniform(-0.35, 0.35, (VERSIONS, 2)) * sides
    others = np.column_stack([centres - sides / 2, centres + sides / 2])
    own = np.array([[0.0, 0.0, *photo.size]])
    lengths = composition.lengths(np.concatenate([own, others]), Subject.of([face], photo.size))
    terms = np.column_stack([lengths[:, :2], lengths**2])
    return terms[:1] - terms[1:]


def _portraits(options: argparse.Namespace, finder: FaceFinder, learning: bool) -> Iterator[Portrait]:
    with (options.data / "ratings.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["fold"] != "0") == learning]
    rows = [row for row in rows if not learning or row["dataset"] == options.framed_well]
    left = options.learn_from if learning else options.held_out
    for index in np.random.default_rng(1).permutation(len(rows)).tolist():
        photo = Image.open(options.data / rows[index]["image"]).convert("RGB")
        faces = finder.find(photo)
        if len(faces) == 1 and left > 0:
            left -= 1
            yield _unframed(photo, faces[0])
        if left == 0:
            return


def _unframed(photo: Image.Image, face: Face) -> Portrait:
    """Without bars around the portrait: nobody who frames a portrait frames them."""
    left, top, right, bottom = map(round, find_frame(photo, face.box) or (0, 0, *photo.size))
    return photo.crop((left, top, right, bottom)), face.moved(-left, -top)


def _embedded(photo: Image.Image, face: Face, kind: str) -> tuple[Image.Image, Face, tuple[float, ...]]:
    """A portrait in a scene of twice its size, off the middle; its face and its framing there."""
    chance = np.random.default_rng(round(sum(face.box)))
    width, height = photo.size
    x, y = int(chance.uniform(0.1, 0.9) * width), int(chance.uniform(0.1, 0.9) * height)
    behind = SCENES[kind](photo, (2 * width, 2 * height))
    behind.paste(photo, (x, y))
    return behind, face.moved(x, y), (x, y, x + width, y + height)


def _blurred(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """An enlargement of itself, dimmed."""
    behind = photo.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(size[0] / 40))
    return ImageEnhance.Brightness(behind).enhance(0.8)


def _other(_photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(skimage.data.coffee()).resize(size)


SCENES: dict[str, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {
    "blurred": _blurred,
    "photographed": _other,
    "black": lambda _, size: Image.new("RGB", size),
    "white": lambda _, size: Image.new("RGB", size, "white"),
}


def _recovered(
    scorer: Scorer, scenes: list[tuple[Image.Image, Face, tuple[float, ...]]], windows: int
) -> dict[str, float]:
    found = []
    for photo, face, own in scenes:
        aspect = Aspect(own[2] - own[0], own[3] - own[1])
        found.append(_iou(best_crop(scorer, photo, [face], (aspect,), windows).box, own))
    return {"median": round(float(np.median(found)), 3), "quarter": round(float(np.quantile(found, 0.25)), 3)}


def _iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


if __name__ == "__main__":
    main()
