"""From the network's output to what people are told: points from 0 to 9, and their plus-minus.

The scale is a monotone line of straight pieces, fitted by least squares on photos that the
network has not learned from, so that among photos told a score the people's mean is that score.
Its knots stand at evenly spaced quantiles from 2.5 to 97.5 % (Harrell 2001, "Regression
Modeling Strategies", section 2.4), so that each piece rests on many photos and the outer ones
go on into the sparse tails; least squares under "never falls" is isotonic regression (Barlow
and others 1972) on pieces instead of steps.

The plus-minus is the network's own doubt times one factor, with which 68.27 % of the people's
means lie within it: split conformal prediction with a learned width (Lei, G'Sell, Rinaldo,
Tibshirani, Wasserman 2018, "Distribution-free predictive inference for regression", section 5.2).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOWEST, HIGHEST = 0.0, 9.0
"""The scale that people see, in points."""

LEAST_DOUBT, MOST_DOUBT = 0.2, 3.0
"""Bounds of the plus-minus, in points: nobody knows it better, and more says nothing."""

WITHIN = 0.6827
"""Share of people's means within one plus-minus: that of a normal distribution's one sigma."""

MOST_PIECES = 6
PER_PIECE = 60
"""Pieces of a fitted scale, and how many photos each one needs."""

FLATTEST = 0.01
"""Points per standard unit; the least slope that plus-minuses are reckoned with."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Turns standard units into points. Raises ValueError, saying what is wrong, for a bad one."""

    knots: tuple[tuple[float, float], ...]
    """(standard units, points); units rise from knot to knot, points do not fall."""
    doubt: float
    """Factor from the network's doubt to the plus-minus."""

    def __post_init__(self) -> None:
        _check(self.knots, self.doubt)

    def told(self, outputs: ArrayLike) -> Values:
        """Points, 0 to 9. Shape: (n,) standard units -> (n,)."""
        told: Values = np.clip(self.unclipped(outputs), LOWEST, HIGHEST)
        return told

    def unclipped(self, outputs: ArrayLike) -> Values:
        """Points, beyond 0 and 9 too; beyond the knots the outer pieces go on. Shape: as `told`."""
        units, points = np.array(self.knots).T
        rises: Values = _ramps(np.asarray(outputs, np.float64), units) @ np.diff(points)
        unclipped: Values = points[0] + rises
        return unclipped

    def straight(self, outputs: ArrayLike) -> Values:
        """Points on the one straight line nearest to the scale. Shape: as `told`.

        The mean of straight points is the straight points of the mean, so that a window's can be
        read from its places; for comparing windows, not for telling.
        """
        centre, slope = self._line
        points: Values = centre + slope * np.asarray(outputs, np.float64)
        return points

    @property
    def slope(self) -> float:
        """Points per standard unit, over the whole range."""
        return self._line[1]

    def plus_minus(self, log_doubts: ArrayLike) -> Values:
        """How far people's mean may lie off, in points: 68 % do not lie further. Shape: as `told`."""
        return np.clip(self.doubt * _widths(self.slope, log_doubts), LEAST_DOUBT, MOST_DOUBT)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the weights' card."""
        return {"knots": [list(knot) for knot in self.knots], "doubt": self.doubt}

    @classmethod
    def from_json(cls, written: Any) -> Self:
        """Read it back. Raises ValueError, saying what is wrong."""
        try:
            knots = tuple((float(unit), float(point)) for unit, point in written["knots"])
            doubt = float(written["doubt"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no knots and doubt ({type(error).__name__}: {error})") from error
        return cls(knots, doubt)

    @cached_property
    def _line(self) -> tuple[float, float]:
        """Centre and slope of the line with the least squared distance from first to last knot."""
        units, points = np.array(self.knots).T
        middles, halves = (units[:-1] + units[1:]) / 2, np.diff(units) / 6
        # Simpson's rule is exact for the squares of straight pieces.
        weights = np.concatenate([halves, 4 * halves, halves])
        places = np.concatenate([units[:-1], middles, units[1:]])
        heights = np.concatenate([points[:-1], (points[:-1] + points[1:]) / 2, points[1:]])
        middle = np.average(places, weights=weights)
        level = np.average(heights, weights=weights)
        away = places - middle
        slope = float((weights * away) @ (heights - level) / ((weights * away) @ away))
        slope = max(slope, 0.0)  # rounding; the scale never falls
        return float(level) - slope * float(middle), slope


def fit(outputs: ArrayLike, log_doubts: ArrayLike, ratings: ArrayLike) -> Scale:
    """The scale on which the mean of people's ratings is the score told, along the whole range.

    Of photos that the network has not learned from: its outputs in standard units (mean over
    face and mirror image), the logarithms of its doubts, and people's means in points. Shape: (n,)
    each. Raises ValueError if they are not of one length, not finite, or the outputs all alike.
    """
    units, logs, points = (np.asarray(values, np.float64) for values in (outputs, log_doubts, ratings))
    _check_photos(units, logs, points)
    pieces = min(max(len(units) // PER_PIECE, 1), MOST_PIECES)
    at = np.unique(np.quantile(units, np.linspace(0.025, 0.975, pieces + 1)))
    if len(at) < 2:
        at = np.array([units.min(), units.max()])
    heights = _monotone(_ramps(units, at), points)
    scale = Scale(tuple(zip(at.tolist(), heights.tolist(), strict=True)), 1.0)
    errors = np.abs(points - scale.told(units))
    return Scale(scale.knots, _factor(errors, _widths(scale.slope, logs)))


def _ramps(outputs: Values, units: Values) -> Values:
    """How much of each piece's rise an output has: 0 before it, 1 after it. Shape: (n, pieces)."""
    shares: Values = (outputs[..., None] - units[:-1]) / np.diff(units)
    least, most = np.zeros(len(units) - 1), np.ones(len(units) - 1)
    least[0], most[-1] = -np.inf, np.inf
    return np.clip(shares, least, most)


def _monotone(ramps: Values, points: Values) -> Values:
    """Heights of the knots by least squares, never falling. Shape: (n, pieces), (n,) -> (pieces + 1,)."""
    columns = np.column_stack([np.ones(len(points)), ramps])
    gram, aim = columns.T @ columns, columns.T @ points
    best, least = np.zeros(columns.shape[1]), math.inf
    # The solution is the best of those with some pieces held level; with six, all can be tried.
    for rising in itertools.product((True, False), repeat=ramps.shape[1]):
        free = np.array([True, *rising])
        tried = np.zeros(len(free))
        tried[free] = np.linalg.lstsq(gram[np.ix_(free, free)], aim[free])[0]
        loss = float(tried @ gram @ tried - 2 * tried @ aim)
        if (tried[1:] >= 0).all() and loss < least:
            best, least = tried, loss
    return best.cumsum()


def _widths(slope: float, log_doubts: ArrayLike) -> Values:
    """The network's doubts in points, not yet brought to size."""
    return np.exp(np.asarray(log_doubts, np.float64)) * max(slope, FLATTEST)


def _factor(errors: Values, widths: Values) -> float:
    """The least factor with which enough errors lie within their bounded plus-minus."""
    needed = np.where(errors <= LEAST_DOUBT, 0.0, errors / widths)
    reachable = needed[errors <= MOST_DOUBT]
    enough = math.ceil(WITHIN * (len(errors) + 1))  # as if one more photo were asked about
    if enough > len(reachable):  # the bound is in the way: the widest that there is
        return max(MOST_DOUBT / float(widths.min()), 1e-6)
    return max(float(np.sort(reachable)[enough - 1]), 1e-6)


def _check_photos(*values: Values) -> None:
    if len({one.shape for one in values}) != 1 or values[0].ndim != 1:
        raise ValueError("outputs, doubts and ratings are not lists of one length")
    if not all(np.isfinite(one).all() for one in values):
        raise ValueError("some outputs, doubts or ratings are not finite")
    if len(np.unique(values[0])) < 2:
        raise ValueError("the outputs are all alike: there is no scale to fit")


def _check(knots: tuple[tuple[float, float], ...], doubt: float) -> None:
    if len(knots) < 2:
        raise ValueError(f"a scale needs 2 knots, not {len(knots)}")
    if not np.isfinite(knots).all() or not math.isfinite(doubt):
        raise ValueError("a number is not finite")
    units, points = np.array(knots).T
    if not (np.diff(units) > 0).all():
        raise ValueError("the knots' standard units do not rise")
    if not (np.diff(points) >= 0).all():
        raise ValueError("the knots' points fall")
    if doubt <= 0:
        raise ValueError(f"the doubt's factor is {doubt}, not above 0")
