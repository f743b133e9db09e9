"""How well scores agree with people: figures with 95 % intervals, by the percentile bootstrap.

Efron 1979, https://doi.org/10.1214/aos/1176344552: the photos are drawn anew with replacement,
scores and ratings together, and the middle 95 % of the figure's values are its interval. Drawn from
a fixed seed, so that the same photos give the same interval. Where there is too little to say
(fewer than three photos, no spread), figures are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from model.ratings import Rated

Values = NDArray[np.float64]

Statistic = Callable[..., Values]
"""From columns of shape (draws, photos) to one value a draw, or one row of values."""

RESAMPLES = 1000

FEWEST = 3
"""Photos below which neither a correlation nor an interval says anything."""

AT_ONCE = 1_000_000
"""Numbers drawn at a time, so that many photos take no more memory than few."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Scores against ratings, both in points of 0..9."""

    n: int
    pearson: Estimate
    pearson_within_group: Estimate
    """Both less their group's mean: telling groups apart earns nothing."""
    spearman: Estimate
    mae: Estimate
    rmse: Estimate
    bias: Estimate
    """Mean of score less rating."""
    rmse_without_bias: Estimate
    """After each data set's mean difference is taken away."""


def agree(scores: Values, human: Values, datasets: NDArray[np.str_], groups: NDArray[np.str_]) -> Agreement:
    """All figures of `Agreement`. All arrays have shape (n,); a group's name includes its data set."""
    return Agreement(
        len(scores),
        estimate(pearson, scores, human),
        within(scores, human, groups),
        estimate(spearman, scores, human),
        estimate(mean_absolute, scores - human),
        estimate(root_mean_square, scores - human),
        estimate(mean, scores - human),
        spread_within(scores - human, datasets),
    )


def correlations(
    ratings: Sequence[Rated], scores: NDArray[np.floating], targets: NDArray[np.floating]
) -> dict[str, dict[str, float]]:
    """Per data set: how many, Pearson, and Pearson within group. Without intervals, so for each epoch."""
    datasets = np.array([rated.dataset for rated in ratings])
    groups = np.array([f"{rated.dataset}/{rated.group}" for rated in ratings])
    return {
        str(dataset): {
            "n": int(own.sum()),
            "pearson": float(pearson(scores[own], targets[own])),
            "pearson_within_group": float(
                pearson(_less_mean(scores[own], groups[own]), _less_mean(targets[own], groups[own]))
            ),
        }
        for dataset in np.unique(datasets)
        for own in [datasets == dataset]
    }


def estimate(statistic: Statistic, *columns: Values) -> Estimate:
    """A statistic of columns of shape (n,), with its interval."""
    if len(columns[0]) >= FEWEST:
        return from_draws(draws(statistic, *columns))
    value = float(statistic(*columns)) if len(columns[0]) else np.nan
    return Estimate(value, np.nan, np.nan)


def draws(statistic: Statistic, *columns: Values, stream: int = 0) -> Values:
    """The statistic of the columns as they are, and then of `RESAMPLES` draws from them.

    Independent samples (two groups, say) need different `stream`s.
    """
    return np.concatenate(
        [statistic(*(column[pick] for column in columns)) for pick in _picks(len(columns[0]), stream)]
    )


def from_draws(values: Values) -> Estimate:
    """The first value, and the middle 95 % of the others; no interval where most cannot be told."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or 2 * len(drawn) < len(values):
        return Estimate(float(values[0]), np.nan, np.nan)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(values[0]), float(low), float(high))


def pearson(first: NDArray[np.floating], second: NDArray[np.floating]) -> Values:
    """Pearson's correlation along the last axis; NaN for fewer than three values or no spread."""
    return _from_scatter(_scatter(first, second), first.shape[-1])


def spearman(first: Values, second: Values) -> Values:
    """Pearson's correlation of the ranks; equal values share their mean rank."""
    return pearson(rankdata(first, axis=-1), rankdata(second, axis=-1))


def slope(scores: Values, human: Values) -> Values:
    """Of human ratings on scores, by least squares: 1 where a point more means a point more."""
    scatter = _scatter(scores, human)
    enough = scatter[..., 0] > _rounding(scores.shape[-1])
    return np.where(enough, scatter[..., 2] / np.where(enough, scatter[..., 0], 1), np.nan)


def intercept(scores: Values, human: Values) -> Values:
    """The rating at score 0 on the line of `slope`."""
    at_zero: Values = human.mean(-1) - slope(scores, human) * scores.mean(-1)
    return at_zero


def mean(values: Values) -> Values:
    """Along the last axis, as all of these."""
    means: Values = values.mean(-1)
    return means


def mean_absolute(differences: Values) -> Values:
    """Mean absolute error."""
    return mean(np.abs(differences))


def root_mean_square(differences: Values) -> Values:
    """Root of the mean squared error."""
    return np.sqrt(mean(differences**2))


def within(scores: Values, human: Values, strata: NDArray[np.str_]) -> Estimate:
    """Pearson within strata: both less their stratum's mean. Each stratum is drawn from for itself."""
    if not len(scores):
        return Estimate(np.nan, np.nan, np.nan)
    return from_draws(_from_scatter(_within(scores, human, strata), len(scores)))


def spread_within(differences: Values, strata: NDArray[np.str_]) -> Estimate:
    """Root mean square of differences, less their stratum's mean."""
    if not len(differences):
        return Estimate(np.nan, np.nan, np.nan)
    scatter = _within(differences, differences, strata)
    return from_draws(np.sqrt(scatter[..., 0] / len(differences)))


def _within(first: Values, second: Values, strata: NDArray[np.str_]) -> Values:
    parts = [strata == stratum for stratum in np.unique(strata)]
    total: Values = np.sum(
        [draws(_scatter, first[own], second[own], stream=number) for number, own in enumerate(parts)], axis=0
    )
    return total


def _scatter(first: NDArray[np.floating], second: NDArray[np.floating]) -> Values:
    # Last axis: the squares' and the product's sums, both less their means.
    one = (first - first.mean(-1, keepdims=True)).astype(np.float64)
    other = (second - second.mean(-1, keepdims=True)).astype(np.float64)
    return np.stack([(one**2).sum(-1), (other**2).sum(-1), (one * other).sum(-1)], axis=-1)


def _from_scatter(scatter: Values, count: int) -> Values:
    enough = (scatter[..., :2] > _rounding(count)).all(-1) & (count >= FEWEST)
    spread = np.sqrt(scatter[..., 0]) * np.sqrt(scatter[..., 1])
    return np.where(enough, scatter[..., 2] / np.where(enough, spread, 1), np.nan)


def _rounding(count: int) -> float:
    # Equal values less their mean are not quite zero.
    return count * 1e-12


def _less_mean(values: NDArray[np.floating], groups: NDArray[np.str_]) -> Values:
    result = values.astype(np.float64)
    for group in np.unique(groups):
        result[groups == group] -= result[groups == group].mean()
    return result


def _picks(count: int, stream: int) -> Iterator[NDArray[np.int64]]:
    yield np.arange(count)[None]
    if count < FEWEST:
        # A stratum of one or two stays as it is.
        yield np.broadcast_to(np.arange(count), (RESAMPLES, count))
        return
    rng = np.random.default_rng([count, stream])
    rows = max(1, AT_ONCE // count)
    for start in range(0, RESAMPLES, rows):
        yield rng.integers(count, size=(min(rows, RESAMPLES - start), count))
