"""The pictures of a training run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import figures
from model.run import Point
from model.scale import Scale


def _curve(*values: float) -> list[Point]:
    """An epoch a minute, with two data sets."""
    return [
        Point(epoch, 1 / epoch, 60.0 * epoch, {"a": value, "a within": value / 2, "b": value, "b within": 0})
        for epoch, value in enumerate(values, start=1)
    ]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.convert("L")


@pytest.mark.parametrize(
    "curves",
    [
        {"pretrain": _curve(0.1), "finetune": _curve(0.3, 0.5, 0.6)},
        {"finetune": [Point(1, 0.5, 10.0, {}), Point(2, 0.4, 20.0, {})]},
        {"finetune": [Point(1, 0.5, 10.0, {}), Point(2, 0.4, 20.0, {"a": 0.5, "a within": 0.4})]},
        {"finetune": []},
    ],
    ids=["two stretches", "nothing held out", "not each epoch judged", "nothing yet"],
)
def test_curves(tmp_path: Path, curves: dict[str, list[Point]]) -> None:
    """A picture that opens and shows something, whatever is known."""
    figures.curves(tmp_path / "curves.png", curves)
    picture = _opened(tmp_path / "curves.png")
    assert min(picture.size) > 500
    assert np.ptp(np.asarray(picture)) > 100


def test_agreement_is_drawn(tmp_path: Path) -> None:
    """With held-out faces there is more ink than without, also where only some epochs were judged."""
    bare = [Point(epoch, 1 / epoch, 60.0 * epoch, {}) for epoch in range(1, 5)]
    judged = [*bare[:1], *_curve(0.3, 0.5, 0.6, 0.6)[1:]]
    inks = []
    for curve in (bare, judged):
        figures.curves(tmp_path / "curves.png", {"finetune": curve})
        inks.append((np.asarray(_opened(tmp_path / "curves.png")) < 200).sum())
    assert inks[1] > inks[0] + 500


@pytest.mark.parametrize("count", [2, 7, 300])
def test_calibration(tmp_path: Path, count: int) -> None:
    """With few faces and with many, also where many are told the same."""
    outputs = np.random.default_rng(0).normal(size=count)
    ratings = np.clip(4.5 + outputs, 0, 9)
    figures.calibration(tmp_path / "calibration.png", Scale(((-1.0, 3.5), (1.0, 5.5)), 1.0), outputs, ratings)
    assert np.ptp(np.asarray(_opened(tmp_path / "calibration.png"))) > 100
    flat = Scale(((-1.0, 4.0), (1.0, 4.0)), 1.0)
    figures.calibration(tmp_path / "flat.png", flat, outputs, ratings)
    assert _opened(tmp_path / "flat.png").size == _opened(tmp_path / "calibration.png").size
