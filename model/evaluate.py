"""How well scores agree with people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.data import Rated


def correlations(
    ratings: Sequence[Rated], scores: NDArray[np.floating], targets: NDArray[np.floating]
) -> dict[str, dict[str, float]]:
    """Pearson correlation per data set: over all its photos, and within its groups.

    Within group means: both variables less their group's mean, so that a scorer earns
    nothing by telling groups apart.
    """
    datasets = np.array([rated.dataset for rated in ratings])
    groups = np.array([f"{rated.dataset}/{rated.group}" for rated in ratings])
    centred = [_less_group_mean(values, groups) for values in (scores, targets)]
    return {
        str(dataset): {
            "n": int((datasets == dataset).sum()),
            "pearson": pearson(scores[datasets == dataset], targets[datasets == dataset]),
            "pearson_within_group": pearson(*(values[datasets == dataset] for values in centred)),
        }
        for dataset in np.unique(datasets)
    }


def pearson(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Pearson's correlation of two arrays of one length."""
    return float(np.corrcoef(first, second)[0, 1])


def _less_group_mean(values: NDArray[np.floating], groups: NDArray[np.str_]) -> NDArray[np.floating]:
    result = values.astype(np.float64)
    for group in np.unique(groups):
        result[groups == group] -= result[groups == group].mean()
    return result
