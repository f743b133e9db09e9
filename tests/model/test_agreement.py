"""Figures of agreement and their intervals, against references."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from model.agreement import (
    RESAMPLES,
    Estimate,
    Values,
    agree,
    correlations,
    draws,
    estimate,
    intercept,
    mean,
    mean_absolute,
    pearson,
    root_mean_square,
    slope,
    spearman,
    spread_within,
    within,
)
from model.ratings import Rated


def _pair(count: int, seed: int = 0, noise: float = 1.0) -> tuple[Values, Values]:
    rng = np.random.default_rng(seed)
    first = rng.normal(4.5, 1.5, count)
    return first, first + rng.normal(0.3, noise, count)


def test_pearson_of_known_pairs() -> None:
    """Perfect, inverse and a hand-computed correlation."""
    values = np.array([1.0, 2.0, 3.0])
    assert pearson(values, values * 2 + 1) == pytest.approx(1)
    assert pearson(values, -values) == pytest.approx(-1)
    assert pearson(values, np.array([1.0, 3.0, 2.0])) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30))
def test_correlations_are_scipys(pairs: list[tuple[int, int]]) -> None:
    """Ties included; where one side has no spread, NaN."""
    first, second = np.array(pairs, np.float64).T
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(pearson(first, second))
        assert np.isnan(spearman(first, second))
        return
    assert pearson(first, second) == pytest.approx(scipy.stats.pearsonr(first, second).statistic)
    assert spearman(first, second) == pytest.approx(scipy.stats.spearmanr(first, second).statistic)


def test_figures_against_their_formulas() -> None:
    """Errors, bias, slope and intercept as written down in any book."""
    told, human = _pair(200)
    assert estimate(mean_absolute, told - human).value == pytest.approx(np.abs(told - human).mean())
    assert estimate(root_mean_square, told - human).value == pytest.approx(
        math.sqrt(((told - human) ** 2).mean())
    )
    fitted = np.polynomial.Polynomial.fit(told, human, 1).convert().coef
    assert intercept(told, human) == pytest.approx(fitted[0])
    assert slope(told, human) == pytest.approx(fitted[1])


def test_draws_are_rows() -> None:
    """A figure of many draws at once is the figure of each: nothing leaks from row to row."""
    told, human = _pair(40)
    pick = np.random.default_rng(1).integers(40, size=(6, 40))
    for statistic in (pearson, spearman, slope, intercept):
        at_once = statistic(told[pick], human[pick])
        assert at_once == pytest.approx([float(statistic(told[row], human[row])) for row in pick])


def test_the_means_interval_is_the_textbooks() -> None:
    """1.96 standard errors to either side, for many values."""
    values, _ = _pair(2000)
    found = estimate(mean, values)
    error = values.std() / math.sqrt(2000)
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.25 * error)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.25 * error)


def test_pearsons_interval_is_fishers() -> None:
    """For normal pairs, that of Fisher's transformation; scipy's own bootstrap gives the same."""
    told, human = _pair(800)
    found = estimate(pearson, told, human)
    fisher = scipy.stats.pearsonr(told, human).confidence_interval()
    scipys = scipy.stats.bootstrap(
        (told, human), pearson, paired=True, n_resamples=RESAMPLES, method="percentile", rng=0
    ).confidence_interval
    for other in (fisher, scipys):
        assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=0.012)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples, the true correlation lies within the interval of some 95 %."""
    truth = 1.5 / math.sqrt(1.5**2 + 1)
    estimates = [estimate(pearson, *_pair(100, seed)) for seed in range(200)]
    assert 0.89 <= np.mean([found.low <= truth <= found.high for found in estimates]) <= 0.99


def test_the_same_photos_give_the_same_interval() -> None:
    """Drawn from a fixed seed; another stream draws others."""
    told, human = _pair(50)
    assert estimate(pearson, told, human) == estimate(pearson, told, human)
    assert draws(mean, told)[1:].tolist() != draws(mean, told, stream=1)[1:].tolist()
    assert draws(mean, told).shape == (RESAMPLES + 1,)


def test_within_group_removes_the_groups() -> None:
    """A scorer that only tells groups apart correlates overall and not within; the interval holds 0."""
    rng = np.random.default_rng(0)
    offset = np.arange(400) % 2 * 4.0
    told, human = offset + rng.normal(size=400), offset + rng.normal(size=400)
    groups = np.where(offset > 0, "a", "b")
    assert estimate(pearson, told, human).low > 0.7
    found = within(told, human, groups)
    centred = [values - np.where(offset > 0, values[offset > 0].mean(), values[offset == 0].mean())
               for values in (told, human)]  # fmt: skip
    assert found.value == pytest.approx(np.corrcoef(*centred)[0, 1])
    assert found.low < 0 < found.high


def test_rmse_without_bias_forgets_each_data_sets_mean() -> None:
    """Moving one data set's scores changes the RMSE, and not this."""
    told, human = _pair(100)
    datasets = np.array(["a", "b"] * 50)
    moved = told + np.where(datasets == "a", 3.0, 0.0)
    before = agree(told, human, datasets, datasets)
    after = agree(moved, human, datasets, datasets)
    assert after.rmse.value > before.rmse.value + 0.5
    assert after.rmse_without_bias == pytest.approx(before.rmse_without_bias)
    alone = spread_within(told - human, np.array(["a"] * 100))
    assert alone.value == pytest.approx((told - human).std())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_photos(count: int) -> None:
    """No correlation and no interval; errors are told while there is a photo."""
    told, human = _pair(count)
    names = np.array(["a"] * count, np.str_)
    found = agree(told, human, names, names)
    assert found.n == count
    assert all(map(math.isnan, (found.pearson.value, found.spearman.value, found.pearson_within_group.value)))
    assert math.isnan(found.mae.value) == (count == 0)
    assert math.isnan(found.mae.low)


def test_equal_scores_have_no_correlation() -> None:
    """A scorer that always says the same: NaN, no warning, and errors as ever."""
    told, human = np.full(30, 4.1), _pair(30)[0]
    names = np.array(["a"] * 30)
    with np.errstate(all="raise"):
        found = agree(told, human, names, names)
    assert math.isnan(found.pearson.value)
    assert math.isnan(found.pearson_within_group.value)
    assert found.rmse.low < found.rmse.value < found.rmse.high
    assert np.isnan(slope(told, human))


def test_groups_of_one_add_nothing() -> None:
    """A lone photo has no mean to differ from, and makes no NaN."""
    told, human = _pair(30)
    groups = np.array(["lone", *["many"] * 29])
    assert within(told, human, groups).value == pytest.approx(float(pearson(told[1:], human[1:])))


def test_correlations_for_each_epoch() -> None:
    """The same figures without intervals, by data set."""
    told, human = _pair(60)
    rated = [Rated(str(i), "dh"[i % 2], "abc"[i % 3], 4.5, 0) for i in range(60)]
    found = correlations(rated, told.astype(np.float32), human)
    own = np.arange(60) % 2 == 0
    groups = np.array([row.group for row in rated])
    assert found["d"]["n"] == 30
    assert found["d"]["pearson"] == pytest.approx(float(pearson(told[own], human[own])), abs=1e-6)
    assert found["d"]["pearson_within_group"] == pytest.approx(
        within(told[own], human[own], groups[own]).value, abs=1e-6
    )


def test_an_estimate_of_nothing() -> None:
    """NaN throughout."""
    assert all(math.isnan(part) for part in vars(estimate(mean, np.array([]))).values())
    assert isinstance(estimate(mean, np.array([1.0])), Estimate)
