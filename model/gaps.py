"""Whether groups of people are judged alike: per group, and the largest gap between two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.agreement import Estimate, Values, draws, estimate, from_draws, mean, pearson

ENOUGH = 10
"""Photos that a group needs to be compared with others; smaller ones are listed only."""


@dataclass(frozen=True)
class GroupFigures:
    """One group of a data set."""

    dataset: str
    group: str
    n: int
    pearson: Estimate
    bias: Estimate
    """Mean of score less rating, in points."""


@dataclass(frozen=True)
class Gap:
    """The two groups of a data set that lie furthest apart."""

    dataset: str
    highest: str
    """The group whose scores lie highest above its ratings."""
    lowest: str
    points: Estimate
    """Difference of their biases. The largest of many is large by chance, too."""


def compare_groups(
    scores: Values, human: Values, datasets: NDArray[np.str_], groups: NDArray[np.str_]
) -> tuple[GroupFigures, ...]:
    """Figures of each group of each data set. All arrays have shape (n,)."""
    return tuple(
        GroupFigures(
            dataset,
            group,
            int(own.sum()),
            estimate(pearson, scores[own], human[own]),
            estimate(mean, (scores - human)[own]),
        )
        for dataset, group in sorted(set(zip(datasets.tolist(), groups.tolist(), strict=True)))
        for own in [(datasets == dataset) & (groups == group)]
    )


def largest_gaps(
    differences: Values, datasets: NDArray[np.str_], groups: NDArray[np.str_]
) -> tuple[Gap, ...]:
    """For each data set with two groups or more that are large enough. Shape: (n,) each.

    Never between data sets: their people used other scales.
    """
    gaps = (
        _largest(str(dataset), differences[datasets == dataset], groups[datasets == dataset])
        for dataset in np.unique(datasets)
    )
    return tuple(gap for gap in gaps if gap is not None)


def _largest(dataset: str, differences: Values, groups: NDArray[np.str_]) -> Gap | None:
    names, counts = np.unique(groups, return_counts=True)
    named = [str(name) for name in names[counts >= ENOUGH]]
    if len(named) < 2:
        return None
    biases = {name: float(differences[groups == name].mean()) for name in named}
    highest, lowest = max(named, key=biases.__getitem__), min(reversed(named), key=biases.__getitem__)
    high = draws(mean, differences[groups == highest], stream=0)
    low = draws(mean, differences[groups == lowest], stream=1)
    return Gap(dataset, highest, lowest, from_draws(high - low))
