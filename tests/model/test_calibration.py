"""Bins, slope and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.calibration import calibrate, cover, cover_thirds


def test_a_calibrated_scorer() -> None:
    """Slope 1, intercept 0, and in each bin people say what was told."""
    rng = np.random.default_rng(0)
    told = rng.uniform(2, 7, 5000)
    found = calibrate(told, told + rng.normal(0, 1, 5000))
    assert found.slope.low < 1 < found.slope.high
    assert found.intercept.low < 0 < found.intercept.high
    assert [one.n for one in found.bins] == [500] * 10
    assert [one.predicted for one in found.bins] == sorted(one.predicted for one in found.bins)
    assert all(abs(one.human.value - one.predicted) < 0.15 for one in found.bins)


def test_a_timid_scorer_has_a_steep_slope() -> None:
    """Where scores move by half of what ratings move, a point of score is worth two."""
    human = np.linspace(0, 9, 50)
    found = calibrate(4.5 + (human - 4.5) / 2, human)
    assert (found.slope.value, found.intercept.value) == pytest.approx((2, -4.5))


@pytest.mark.parametrize(("count", "bins"), [(0, 0), (1, 1), (4, 1), (12, 2), (49, 9), (51, 10)])
def test_few_photos_make_few_bins(count: int, bins: int) -> None:
    """At least five photos each, while there are as many."""
    found = calibrate(np.arange(float(count)), np.arange(float(count)))
    assert len(found.bins) == bins
    assert sum(one.n for one in found.bins) == count


def test_coverage_counts_the_edge() -> None:
    """A rating exactly one plus-minus away lies within."""
    told, human = np.array([4.0, 4.0, 4.0, 4.0]), np.array([4.5, 3.5, 4.6, 4.0])
    found = cover(told, np.full(4, 0.5), human)
    assert (found.n, found.share.value, found.plus_minus) == (4, 0.75, 0.5)


def test_honest_normal_doubt_covers_68_percent() -> None:
    """And each third for itself, where doubt is of two sizes."""
    rng = np.random.default_rng(0)
    told = rng.uniform(0, 9, 6000)
    doubt = np.where(told > 6, 1.5, 0.5)
    human = told + rng.normal(0, 1, 6000) * doubt
    for part in (cover(told, doubt, human), *cover_thirds(told, doubt, human)):
        assert part.share.low < 0.683 < part.share.high
    assert sum(part.n for part in cover_thirds(told, doubt, human)) == 6000


def test_thirds_without_photos_are_left_out() -> None:
    """Equal scores make one, no scores none."""
    assert [part.n for part in cover_thirds(np.full(5, 4.0), np.ones(5), np.full(5, 4.0))] == [5]
    assert cover_thirds(np.array([]), np.array([]), np.array([])) == ()
    assert math.isnan(cover(np.array([]), np.array([]), np.array([])).share.value)
