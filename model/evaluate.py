"""How well scores agree with people: `python -m model.evaluate` prints it for a fold as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.data import Rated, read_ratings, standardise
from model.faces import FaceFinder, canonical
from model.network import INPUT_SIZE
from model.photo import Unreadable, read_photo
from model.predict import Scorer

LOOSE = 1.4
"""Zoom of the loose windows whose scores are compared as well: the crop search looks at such."""


def main() -> None:
    """Score the photos of one fold from their files, and compare with people."""
    parser = argparse.ArgumentParser(prog="python -m model.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with ratings.csv and the photos")
    parser.add_argument("--weights", type=Path, default=Path(__file__).parent / "weights")
    parser.add_argument("--fold", type=int, default=0)
    arguments = parser.parse_args()
    ratings = read_ratings(arguments.data / "ratings.csv")
    targets = standardise(ratings)
    chosen = [number for number, rated in enumerate(ratings) if rated.fold == arguments.fold]
    fold = [ratings[number] for number in chosen]
    told, loose = _scores(fold, arguments.data, Scorer.load(arguments.weights))
    print(json.dumps(_figures(fold, told, loose, targets[chosen]), indent=2))


def correlations(
    ratings: Sequence[Rated], scores: NDArray[np.floating], targets: NDArray[np.floating]
) -> dict[str, dict[str, float]]:
    """Pearson correlation per data set: over all its photos, and within its groups.

    Within group means: both variables less their group's mean, so that a scorer earns
    nothing by telling groups apart.
    """
    datasets = np.array([rated.dataset for rated in ratings])
    centred = [_less_group_mean(values, _groups(ratings)) for values in (scores, targets)]
    return {
        str(dataset): {
            "n": int((datasets == dataset).sum()),
            "pearson": pearson(scores[datasets == dataset], targets[datasets == dataset]),
            "pearson_within_group": pearson(*(values[datasets == dataset] for values in centred)),
        }
        for dataset in np.unique(datasets)
    }


def by_group(
    ratings: Sequence[Rated], scores: NDArray[np.floating], targets: NDArray[np.floating]
) -> dict[str, dict[str, float]]:
    """Per data set and group: how many, Pearson, and the mean of score less target."""
    groups = _groups(ratings)
    return {
        str(group): {
            "n": int((groups == group).sum()),
            "pearson": pearson(scores[groups == group], targets[groups == group]),
            "bias": float((scores - targets)[groups == group].mean()),
        }
        for group in np.unique(groups)
    }


def pearson(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Pearson's correlation of two arrays of one length."""
    return float(np.corrcoef(first, second)[0, 1])


def _scores(
    ratings: Sequence[Rated], folder: Path, scorer: Scorer
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the canonical faces and of loose windows around them; NaN where there is no face."""
    finder = FaceFinder()
    scores = np.full((2, len(ratings)), np.nan)
    for number, rated in enumerate(ratings):
        photo = read_photo((folder / rated.image).read_bytes())
        faces = [] if isinstance(photo, Unreadable) else finder.find(photo)
        if isinstance(photo, Unreadable) or not faces:
            continue
        scores[0, number] = scorer.judge([canonical(photo, faces[0])])[0].score
        scores[1, number] = scorer.unclipped([canonical(photo, faces[0], INPUT_SIZE, LOOSE)])[0]
    return scores[0], scores[1]


def _figures(
    ratings: Sequence[Rated],
    told: NDArray[np.float64],
    loose: NDArray[np.float64],
    targets: NDArray[np.float32],
) -> dict[str, Any]:
    found = ~np.isnan(told)
    rated = [row for row, kept in zip(ratings, found, strict=True) if kept]
    told, loose = told[found], loose[found]
    human = targets[found] * np.std(told) + np.mean(told)
    return {
        "photos": len(ratings),
        "without_face": int((~found).sum()),
        "told_score": correlations(rated, told, human),
        "loose_window": correlations(rated, loose, human),
        "groups": by_group(rated, told, human),
        "told_range": [float(value) for value in np.percentile(told, [0, 5, 50, 95, 100])],
    }


def _groups(ratings: Sequence[Rated]) -> NDArray[np.str_]:
    return np.array([f"{rated.dataset}/{rated.group}" for rated in ratings])


def _less_group_mean(values: NDArray[np.floating], groups: NDArray[np.str_]) -> NDArray[np.floating]:
    result = values.astype(np.float64)
    for group in np.unique(groups):
        result[groups == group] -= result[groups == group].mean()
    return result


if __name__ == "__main__":
    main()
