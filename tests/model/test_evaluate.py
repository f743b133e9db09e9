"""Agreement with people."""

import numpy as np
import pytest

from model.data import Rated
from model.evaluate import by_group, correlations, pearson


def test_pearson_of_known_pairs() -> None:
    """Perfect, inverse and a hand-computed correlation."""
    values = np.array([1.0, 2.0, 3.0])
    assert pearson(values, values * 2 + 1) == pytest.approx(1)
    assert pearson(values, -values) == pytest.approx(-1)
    assert pearson(values, np.array([1.0, 3.0, 2.0])) == pytest.approx(0.5)


def test_telling_groups_apart_earns_nothing_within_them() -> None:
    """A scorer that only knows the group correlates overall, but not within group."""
    rng = np.random.default_rng(0)
    ratings = [Rated(str(i), "d", "ab"[i % 2], 4.5, 0) for i in range(400)]
    offset = np.array([i % 2 for i in range(400)], float) * 4
    targets = offset + rng.normal(size=400)
    scores = offset + rng.normal(size=400)
    result = correlations(ratings, scores, targets)["d"]
    assert result["n"] == 400
    assert result["pearson"] > 0.7
    assert abs(result["pearson_within_group"]) < 0.15


def test_a_groups_bias_is_the_mean_error() -> None:
    """Per group: how many, how well they correlate, and how far the scores lie off on average."""
    ratings = [Rated(str(i), "d", "ab"[i % 2], 4.5, 0) for i in range(6)]
    targets = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    scores = targets + np.array([0.5, -1.0] * 3)
    figures = by_group(ratings, scores, targets)
    assert figures["d/a"] == pytest.approx({"n": 3, "pearson": 1.0, "bias": 0.5})
    assert figures["d/b"] == pytest.approx({"n": 3, "pearson": 1.0, "bias": -1.0})
