"""From rated photos to a scorer: one fold held out, or all of them in turn and then none."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import figures
from model.agreement import correlations
from model.data import RatedFaces
from model.fit import Fitted, Lessons, fit
from model.network import FaceNetwork
from model.raters import SingleRatings, replaced, true_scores
from model.ratings import Rated, standardise
from model.recipe import Recipe
from model.run import WITHIN, Point
from model.training import Watch, predict_faces

FOLDS = 5
HELD_OUT = "held_out.csv"

ONE_RATER = 1.2
"""Variance of one person's rating about the photo's mean, in variances of the means (MEBeauty)."""

MODEL = 0.3
"""Variance that a scorer leaves unexplained even of perfect ratings: noise much below it hardly matters."""


@dataclass(frozen=True)
class Outputs:
    """What a network says of faces that it has not learned from; the arrays share their axis."""

    rated: tuple[Rated, ...]
    scores: NDArray[np.float64]
    """In standard units. Shape (n,)."""
    doubts: NDArray[np.float64]
    """Logarithms, of standard units. Shape (n,)."""

    def only(self, chosen: NDArray[np.bool_]) -> Outputs:
        """Some of them. `chosen`: shape (n,)."""
        rated = tuple(row for row, kept in zip(self.rated, chosen, strict=True) if kept)
        return Outputs(rated, self.scores[chosen], self.doubts[chosen])


@dataclass(frozen=True)
class Run:
    """Everything that stays the same over the folds of a run."""

    faces: RatedFaces
    recipe: Recipe
    singles: SingleRatings | None = None
    device: str = "cpu"
    seconds: float = math.inf
    """At most, for one training."""

    @property
    def data_hash(self) -> str:
        """SHA-256 of the ratings that are learned from."""
        rows = sorted((row.image, row.score, row.dataset) for row in self.faces.rated)
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def key(self, hold_out: int | None) -> dict[str, Any]:
        """What tells this run's files from others'."""
        return {"ratings": self.data_hash, "hold_out": hold_out, "singles": self.singles is not None}

    def lessons(self, hold_out: int | None) -> Lessons:
        """What there is to learn from all folds but one."""
        return _lessons(split(self.faces, hold_out)[0], self.singles)


class Validation:
    """A `Watch`'s half that measures: agreement with people on the held-out faces."""

    def __init__(self, held_out: RatedFaces, device: str) -> None:
        self._held_out, self._device = held_out, device

    def __call__(self, network: FaceNetwork) -> dict[str, float]:
        """Correlations by data set, within groups too; empty where nothing is held out."""
        if not len(self._held_out.targets):
            return {}
        scores = predict_faces(network, self._held_out.contexts, self._device)[:, 0]
        found = correlations(self._held_out.rated, scores.astype(float), self._held_out.targets)
        whole = {name: figure["pearson"] for name, figure in found.items()}
        return whole | {name + WITHIN: figure["pearson_within_group"] for name, figure in found.items()}


def train(run: Run, hold_out: int | None, folder: Path, watch: Watch) -> tuple[Fitted, Outputs]:
    """Train on all folds but `hold_out` (None: on all), and say what the network makes of that one.

    `folder` keeps the run, from which it goes on when started again, and gets `held_out.csv`.
    """
    fitted = fit(
        run.lessons(hold_out),
        run.recipe,
        folder,
        watch,
        key=run.key(hold_out),
        seconds=run.seconds,
        device=run.device,
    )
    outputs = judge(fitted.network, run.faces, hold_out, run.device)
    save_outputs(outputs, folder / HELD_OUT)
    return fitted, outputs


def split(faces: RatedFaces, hold_out: int | None) -> tuple[RatedFaces, RatedFaces]:
    """All folds but one, and that one."""
    folds = np.array([row.fold for row in faces.rated])
    return _select(faces, np.flatnonzero(folds != hold_out)), _select(
        faces, np.flatnonzero(folds == hold_out)
    )


def judge(network: FaceNetwork, faces: RatedFaces, hold_out: int | None, device: str) -> Outputs:
    """What `network` says of the faces of one fold."""
    held_out = split(faces, hold_out)[1]
    told = predict_faces(network, held_out.contexts, device).astype(np.float64)
    return Outputs(held_out.rated, told[:, 0], told[:, 1])


def joined(parts: Sequence[Outputs]) -> Outputs:
    """The outputs of several folds as one."""
    rated = tuple(row for part in parts for row in part.rated)
    scores, doubts = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "doubts")
    )
    return Outputs(rated, scores, doubts)


def save_curves(folder: Path, curves: dict[str, Sequence[Point]]) -> None:
    """Write the learning curves, as numbers and as a picture."""
    rows = [
        {
            "stretch": name,
            "epoch": point.epoch,
            "loss": point.loss,
            "seconds": point.seconds,
            **point.agreement,
        }
        for name, curve in curves.items()
        for point in curve
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    figures.curves(folder / "curves.png", curves)


def save_outputs(outputs: Outputs, path: Path) -> None:
    """Write a line a face: image, data set, group, rating (0..9), output and log doubt."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "dataset", "group", "rating", "output", "log_doubt"])
        for row, score, doubt in zip(outputs.rated, outputs.scores, outputs.doubts, strict=True):
            writer.writerow([row.image, row.dataset, row.group, row.score, f"{score:.6f}", f"{doubt:.6f}"])


def _select(faces: RatedFaces, chosen: NDArray[np.int64]) -> RatedFaces:
    rated = tuple(faces.rated[number] for number in chosen)
    return RatedFaces(rated, faces.contexts[chosen], faces.targets[chosen], faces.skipped)


def _lessons(faces: RatedFaces, singles: SingleRatings | None) -> Lessons:
    """What to learn: the rating model's scores where single ratings are known, trusted as they deserve."""
    images = tuple(row.image for row in faces.rated)
    targets = standardise(faces.rated).astype(np.float64)
    if singles is not None:
        targets = replaced(true_scores(singles.only(images)), images, targets)
    noise = np.array([ONE_RATER / row.raters if row.raters else 0.0 for row in faces.rated])
    weights = 1 / (MODEL + noise)
    return Lessons(faces.contexts, targets.astype(np.float32), (weights / weights.mean()).astype(np.float32))
