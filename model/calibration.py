"""Whether a score means what it says: along the scale, and within its plus-minus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.agreement import Estimate, Values, estimate, intercept, mean, slope

MOST_BINS = 10
PER_BIN = 5
"""Bins of the calibration, and how many photos each needs at least."""

THIRDS = 3


@dataclass(frozen=True)
class Bin:
    """Photos of neighbouring scores."""

    n: int
    predicted: float
    """Mean score told, in points as the ratings."""
    human: Estimate
    """Mean human rating."""


@dataclass(frozen=True)
class Calibration:
    """How people's ratings follow the scores told."""

    slope: Estimate
    """Of ratings on scores; 1 where a point more means a point more."""
    intercept: Estimate
    """The rating at score 0 on that line."""
    bins: tuple[Bin, ...]
    """Equally many photos each, by rising score."""


@dataclass(frozen=True)
class Coverage:
    """How often the human mean lies within one plus-minus of the score."""

    lowest: float
    highest: float
    """The scores told that this is about."""
    n: int
    plus_minus: float
    """Its mean, in points."""
    share: Estimate


def calibrate(scores: Values, human: Values) -> Calibration:
    """Slope, intercept and bins. Shape: (n,) points each."""
    count = min(MOST_BINS, len(scores) // PER_BIN) or min(1, len(scores))
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, count) if count else []
    bins = tuple(Bin(len(own), float(scores[own].mean()), estimate(mean, human[own])) for own in parts)
    return Calibration(estimate(slope, scores, human), estimate(intercept, scores, human), bins)


def cover(scores: Values, plus_minus: Values, human: Values) -> Coverage:
    """Over all photos. Shape: (n,) points each."""
    if not len(scores):
        return Coverage(np.nan, np.nan, 0, np.nan, estimate(mean, scores))
    within = (np.abs(scores - human) <= plus_minus).astype(np.float64)
    return Coverage(
        float(scores.min()),
        float(scores.max()),
        len(scores),
        float(plus_minus.mean()),
        estimate(mean, within),
    )


def cover_thirds(scores: Values, plus_minus: Values, human: Values) -> tuple[Coverage, ...]:
    """For the low, the middle and the high third of the range of scores; one without photos is left out."""
    if not len(scores):
        return ()
    edges = np.linspace(scores.min(), scores.max(), THIRDS + 1)[1:-1]
    third = np.searchsorted(edges, scores, side="right")
    parts = (third == number for number in range(THIRDS))
    return tuple(cover(scores[own], plus_minus[own], human[own]) for own in parts if own.any())
