"""What a card says of faces that the network has not learned from."""

from __future__ import annotations

import numpy as np
import pytest

from model.ratings import Rated
from model.shipping import unseen
from model.train import Outputs


def _outputs(count: int, folds: int) -> tuple[Outputs, list[Rated]]:
    """Two sets on other scales; outputs that miss by half the faces' spread, and know it."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=count)
    sets = np.where(np.arange(count) % 3 == 0, "kind", "strict")
    scores = np.clip(np.where(sets == "kind", 6.0, 4.0) + truth, 0, 9)
    rated = [
        Rated(f"{number}.jpg", str(name), "all", float(score), number % folds)
        for number, (name, score) in enumerate(zip(sets, scores, strict=True))
    ]
    outputs = truth + rng.normal(size=count) * 0.5
    return Outputs(tuple(rated), outputs, np.full(count, np.log(0.5))), rated


@pytest.mark.parametrize("folds", [1, 5])
def test_unseen_faces_are_told_by_a_scale_of_others(folds: int) -> None:
    """Each set: how many, correlation with its interval, hardly any bias, and 68 % within a plus-minus."""
    found = unseen(*_outputs(3000, folds))
    assert set(found) == {"kind", "strict"}
    assert found["kind"]["n"] == 1000
    for figure in found.values():
        pearson = figure["pearson"]
        assert pearson["low"] < pearson["value"] < pearson["high"]
        assert pearson["value"] == pytest.approx(1 / np.sqrt(1.25), abs=0.02)
        assert figure["bias"]["value"] == pytest.approx(0, abs=0.08)
        assert figure["within_plus_minus"]["value"] == pytest.approx(0.68, abs=0.05)


def test_a_handful_of_faces_is_told_as_people_rated() -> None:
    """Too few to fit a scale: nothing fails, and what cannot be told is null."""
    found = unseen(*_outputs(4, 2))
    assert found["kind"]["n"] == 2
    assert found["kind"]["pearson"]["value"] is None
