"""Single ratings behind a photo's mean: what each rater's severity and taste for extremes hide.

People use a scale differently: some rate all a point lower, some use only its middle, some rate
nearly at random. Where the single ratings are known, a photo's *true* score is estimated with a
rating model (Raykar et al. 2010, section 4, with a slope for each rater): rating = mean + offset
of the rater + slope of the rater * score of the photo + noise of the rater. All are fitted in
turn (expectation-maximisation), with weak priors, so that a rater of few photos changes little.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.ratings import DataError

Floats = NDArray[np.float64]

ROUNDS = 50
WEIGHT = 5.0
"""The priors on a rater's slope (1) and noise (the mean noise) count as so many ratings."""


@dataclass(frozen=True)
class SingleRatings:
    """Who rated what how; the arrays share their axis."""

    images: tuple[str, ...]
    """The distinct photos."""
    image: NDArray[np.int64]
    """Which of `images`. Shape (n,)."""
    rater: NDArray[np.int64]
    """Raters' numbers from 0. Shape (n,)."""
    score: Floats
    """On the raters' own scale. Shape (n,)."""

    def only(self, images: Collection[str]) -> SingleRatings:
        """The ratings of these photos."""
        wanted = set(images)
        kept = tuple(image for image in self.images if image in wanted)
        place = {image: number for number, image in enumerate(kept)}
        numbers = np.array([place.get(image, -1) for image in self.images], np.int64)[self.image]
        chosen = numbers >= 0
        raters = np.unique(self.rater[chosen], return_inverse=True)[1]
        return SingleRatings(kept, numbers[chosen], raters, self.score[chosen])


def read_single_ratings(path: Path) -> SingleRatings:
    """Read a file with the columns image, rater and score, one row a rating.

    Raises DataError, naming the file and the line.
    """
    images: dict[str, int] = {}
    raters: dict[str, int] = {}
    rows = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            for line, row in enumerate(csv.DictReader(lines), start=2):
                image = images.setdefault(row["image"], len(images))
                rater = raters.setdefault(row["rater"], len(raters))
                rows.append((image, rater, _number(row["score"], path, line)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except KeyError as error:
        raise DataError(f"{path} has no column {error}: needed are image, rater and score") from error
    if not rows:
        raise DataError(f"{path} holds no ratings")
    table = np.array(rows, np.float64)
    return SingleRatings(tuple(images), table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2])


def true_scores(ratings: SingleRatings) -> dict[str, float]:
    """Each photo's score as the rating model has it, on the raters' scale; empty if there are no ratings."""
    if not len(ratings.score):
        return {}
    mean, scores = _fit(ratings)
    return {image: float(mean + score) for image, score in zip(ratings.images, scores, strict=True)}


def replaced(scores: Mapping[str, float], images: tuple[str, ...], targets: Floats) -> Floats:
    """`targets` with the rating model's scores where it has one, on the targets' mean and spread.

    Only the order and the distances among the photos change, not the scale they stand on. Shape: (n,).
    """
    known = np.array([image in scores for image in images])
    if known.sum() < 2:
        return targets
    better = np.array([scores[image] for image in images if image in scores])
    result = targets.copy()
    spread = max(float(better.std()), 1e-9)
    result[known] = (better - better.mean()) / spread * targets[known].std() + targets[known].mean()
    return result


def _number(text: str | None, path: Path, line: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise DataError(f"{path}, line {line}: score is {text!r}, not a number")
    return value


def _fit(ratings: SingleRatings) -> tuple[float, Floats]:
    """The scale's mean, and each photo's score about it."""
    image, rater = ratings.image, ratings.rater
    count = np.bincount(rater)
    mean, spread = float(ratings.score.mean()), max(float(ratings.score.var()), 1e-9)
    centred = ratings.score - mean
    offset, slope = np.zeros(len(count)), np.ones(len(count))
    noise = np.full(len(count), spread / 2)
    for _ in range(ROUNDS):
        weight = slope[rater] / noise[rater]
        precision = np.bincount(image, weight * slope[rater]) + 2 / spread
        score = np.bincount(image, weight * (centred - offset[rater])) / precision
        offset = np.bincount(rater, centred - slope[rater] * score[image]) / (count + 2)
        rest = centred - offset[rater]
        moment = np.bincount(rater, score[image] ** 2 + 1 / precision[image])
        slope = (np.bincount(rater, rest * score[image]) + WEIGHT) / (moment + WEIGHT)
        left = np.bincount(rater, (rest - slope[rater] * score[image]) ** 2)
        noise = np.maximum((left + WEIGHT * left.sum() / count.sum()) / (count + WEIGHT), 1e-6)
    return mean, score
