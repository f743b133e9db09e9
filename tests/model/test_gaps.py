"""Gaps between groups."""

from __future__ import annotations

import numpy as np
import pytest

from model.gaps import compare_groups, largest_gaps


def test_a_groups_bias_is_the_mean_error() -> None:
    """Per group: how many, how well they correlate, and how far the scores lie off on average."""
    human = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    told = human + np.array([0.5, -1.0] * 3)
    groups, datasets = np.array(["b", "a"] * 3), np.array(["d"] * 6)
    first, second = compare_groups(told, human, datasets, groups)
    assert (first.dataset, first.group, first.n, first.bias.value) == ("d", "a", 3, -1.0)
    assert second.group == "b"
    assert second.pearson.value == pytest.approx(1)
    assert second.bias.value == 0.5


def test_groups_of_one_name_in_two_data_sets_are_two() -> None:
    """Ratings of different people are not thrown together."""
    names = [(one.dataset, one.group, one.n) for one in compare_groups(
        np.zeros(4), np.zeros(4), np.array(["d", "e", "d", "e"]), np.array(["g"] * 4))]  # fmt: skip
    assert names == [("d", "g", 2), ("e", "g", 2)]


def test_the_largest_gap() -> None:
    """Between groups whose biases lie furthest apart; tiny groups and other data sets are left out."""
    rng = np.random.default_rng(0)
    groups = np.array(["a"] * 200 + ["b"] * 200 + ["c"] * 200 + ["tiny"] * 3 + ["f"] * 20)
    datasets = np.array(["d"] * 603 + ["e"] * 20)
    offset = {"a": 0.0, "b": 0.4, "c": 0.1, "tiny": 5.0, "f": 9.0}
    differences = np.array([offset[str(group)] for group in groups]) + rng.normal(0, 0.5, len(groups))
    [gap] = largest_gaps(differences, datasets, groups)
    assert (gap.dataset, gap.highest, gap.lowest) == ("d", "b", "a")
    assert gap.points.low < 0.4 < gap.points.high
    error = 0.5 * np.sqrt(2 / 200)
    assert gap.points.high - gap.points.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_equal_groups_have_a_gap_of_zero() -> None:
    """Two groups are still two where both biases are alike."""
    groups = np.array(["a"] * 10 + ["b"] * 10)
    [gap] = largest_gaps(np.zeros(20), np.array(["d"] * 20), groups)
    assert gap.highest != gap.lowest
    assert gap.points.value == 0
