"""From a trained network to a usable scorer: its scale, its card, and how good it was seen to be."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import agreement, checkpoint, figures
from model.calibration import cover
from model.fit import Fitted
from model.network import INPUT_SIZE
from model.ratings import Rated, standardise
from model.scale import Scale
from model.scale import fit as fit_scale
from model.train import Outputs, Run, split

Values = NDArray[np.float64]

FEWEST = 10
"""Unseen faces that a scale needs."""


def ship(folder: Path, run: Run, fitted: Fitted, outputs: Outputs, hold_out: int | None) -> dict[str, Any]:
    """Write the scorer, its card and its figures to `folder`; returns the card.

    `outputs`: of faces unseen in training, which calibrate the scale: the fold that was held
    out, or all folds of a cross-validation.
    """
    scale = calibrated(outputs, run.faces.rated)
    card = {
        "network": "tiny-darknet-elu-unpadded",
        "layers": fitted.network.layers,
        "input_size": INPUT_SIZE,
        "scale": scale.to_json(),
        "recipe": run.recipe.to_json(),
        "trained": _trained(run, fitted, hold_out),
        "unseen": unseen(outputs, run.faces.rated) if outputs.rated else {},
    }
    checkpoint.save(folder, fitted.network.state_dict(), card, halved=True)
    if outputs.rated:
        points = common_points(outputs.rated, run.faces.rated)
        figures.calibration(folder / "calibration.png", scale, outputs.scores, points)
    return card


def common_scale(ratings: Sequence[Rated]) -> tuple[float, float]:
    """Centre and spread of the points that people are told, on 0..9.

    Each data set's raters used a scale of their own. Every set is brought to standard units, and
    these to the centre and the spread that the sets have on the mean, each set counting alike.
    """
    names = sorted({row.dataset for row in ratings})
    sets = [np.array([row.score for row in ratings if row.dataset == name]) for name in names]
    spread = float(np.mean([scores.std() for scores in sets]))
    return float(np.mean([scores.mean() for scores in sets])), max(spread, 1e-6)


def common_points(chosen: Sequence[Rated], ratings: Sequence[Rated]) -> Values:
    """People's ratings of the chosen photos in common points; `ratings` says what is common. Shape: (n,)."""
    centre, spread = common_scale(ratings)
    standard = dict(zip((row.image for row in ratings), standardise(ratings), strict=True))
    return np.array([centre + spread * standard[row.image] for row in chosen], np.float64)


def calibrated(outputs: Outputs, ratings: Sequence[Rated]) -> Scale:
    """The scale on which these outputs of unseen faces tell people's ratings, in common points."""
    if len(np.unique(outputs.scores)) < FEWEST:
        # Too little to fit: as people's ratings are spread, and doubts as they stand.
        centre, spread = common_scale(ratings)
        return Scale(tuple((unit, centre + unit * spread) for unit in (-3.0, 3.0)), 1.0)
    return fit_scale(outputs.scores, outputs.doubts, common_points(outputs.rated, ratings))


def unseen(outputs: Outputs, ratings: Sequence[Rated]) -> dict[str, Any]:
    """How scores of unseen faces agree with people: by data set, with 95 % bootstrap intervals.

    The scale that tells a face is fitted on faces of the other folds (of a single fold: on every
    second face), so that errors and the plus-minus's coverage are not flattered.
    """
    points = common_points(outputs.rated, ratings)
    told, plus_minus = _told(outputs, ratings)
    datasets = np.array([row.dataset for row in outputs.rated])
    groups = np.array([f"{row.dataset}/{row.group}" for row in outputs.rated])
    found = {}
    for name in np.unique(datasets):
        own = datasets == name
        agreed = agreement.agree(told[own], points[own], datasets[own], groups[own])
        figure = {
            key: _rounded(value) if isinstance(value, agreement.Estimate) else value
            for key, value in vars(agreed).items()
        }
        covered = cover(told[own], plus_minus[own], points[own])
        found[str(name)] = figure | {"within_plus_minus": _rounded(covered.share)}
    return found


def _told(outputs: Outputs, ratings: Sequence[Rated]) -> tuple[Values, Values]:
    folds = np.array([row.fold for row in outputs.rated])
    if len(np.unique(folds)) == 1:
        folds = np.arange(len(folds)) % 2
    told, plus_minus = np.empty(len(folds)), np.empty(len(folds))
    for fold in np.unique(folds):
        own = folds == fold
        scale = calibrated(outputs.only(~own), ratings)
        told[own], plus_minus[own] = scale.told(outputs.scores[own]), scale.plus_minus(outputs.doubts[own])
    return told, plus_minus


def _rounded(estimate: agreement.Estimate) -> dict[str, float | None]:
    return {
        key: round(value, 4) if np.isfinite(value) else None
        for key, value in dataclasses.asdict(estimate).items()
    }


def _trained(run: Run, fitted: Fitted, hold_out: int | None) -> dict[str, Any]:
    return {
        "faces": len(split(run.faces, hold_out)[0].rated),
        "held_out_fold": hold_out,
        "ratings_sha256": run.data_hash,
        "seconds": round(sum(stage.curve[-1].seconds for stage in fitted.stages if stage.curve)),
        "stages": [
            {
                "name": stage.stretch.name,
                "parameters": stage.parameters,
                "epochs": len(stage.curve),
                "kept": stage.kept,
            }
            for stage in fitted.stages
        ],
    }
