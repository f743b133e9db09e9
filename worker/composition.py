"""How a window frames a face: what people who frame portraits do, learned without labels.

A window's *composition* is a quadratic of a few lengths around the face, in points. Its weights
were learned by telling framed portraits from shifted and scaled versions of themselves
(`benchmarks.composition`; RankNet's pairwise logistic loss, Burges and others 2005).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.framing import Subject

Values = NDArray[np.float64]

BEST = (-0.40, 0.437, 0.0)
"""Where the composition is best: logarithm of the face's height over the root of the area; the eye line
as a share of the height; the face's middle, from the window's, as a share of the width."""

STEEPNESS = (6.23, 88.6, 100.1)
"""How much of the learned preference a squared distance from there costs."""

WEIGHT = 0.5
"""Points of score that a unit of the learned preference is worth."""


FRAMED = 3.0
"""Points of score that all of a picture is worth where someone framed it."""


def lengths(windows: Values, subject: Subject) -> Values:
    """What the composition is judged by, as `BEST` lists it. Shape: (n, 4) boxes -> (n, 3)."""
    left, top, right, bottom = np.asarray(windows, np.float64).T
    width, height = right - left, bottom - top
    face = np.log(subject.extent / np.sqrt(width * height))
    eyes = (subject.eye_line - top) / height
    middle = (subject.middle - (left + right) / 2) / width
    return np.column_stack([face, eyes, middle])


def composition(windows: Values, subject: Subject) -> Values:
    """Points for how windows frame the subject: 0 for the best framing, below for others.

    Windows of every aspect compare fairly by it: each can reach 0. Shape: (n, 4) boxes -> (n,).
    """
    away = (lengths(windows, subject) - np.array(BEST)) ** 2
    points: Values = -WEIGHT * (away @ np.array(STEEPNESS))
    return points


def kept(windows: Values, photo_size: tuple[int, int]) -> Values:
    """Points for how much windows keep of a picture that someone framed before us.

    0 for the largest window of its shape, below for others. Shape: (n, 4) boxes -> (n,).
    """
    left, top, right, bottom = np.asarray(windows, np.float64).T
    share = np.maximum((right - left) / photo_size[0], (bottom - top) / photo_size[1])
    points: Values = -FRAMED * (1 - share**2)
    return points
