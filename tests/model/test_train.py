"""From rated faces to a scorer, with faces that we draw."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import checkpoint
from model.network import LAYERS, Layer
from model.predict import Scorer
from model.raters import SingleRatings
from model.ratings import Rated
from model.recipe import Recipe, Stretch
from model.shipping import calibrated, common_points, common_scale, ship
from model.train import HELD_OUT, Outputs, Run, Validation, joined, save_curves, split, train
from tests.model import drawn
from tests.model.drawn import Onlooker

NARROW: tuple[Layer, ...] = tuple(
    layer if layer == "pool" or layer[0] == "residual" else (4, layer[1]) for layer in LAYERS
)
"""Our network's geometry, as the scorer needs it."""

RECIPE = Recipe((Stretch("finetune", "scores", epochs=1),), NARROW, batch=4)


def _run(count: int = 12, folds: int = 3) -> Run:
    return Run(drawn.striped_faces(count, folds), RECIPE)


def test_every_face_is_judged_once_by_one_that_has_not_seen_it(tmp_path: Path) -> None:
    """Over all folds: each network learns from the other folds only, and judges its own."""
    run = _run()
    parts = [train(run, fold, tmp_path / str(fold), Onlooker())[1] for fold in range(3)]
    outputs = joined(parts)
    assert sorted(row.image for row in outputs.rated) == sorted(row.image for row in run.faces.rated)
    assert [{row.fold for row in part.rated} for part in parts] == [{0}, {1}, {2}]
    assert outputs.scores.shape == outputs.doubts.shape == (12,)
    # Whatever the held-out faces show and were rated, the network is the same.
    faces = run.faces
    own = np.array([row.fold == 0 for row in faces.rated])
    contexts = np.where(own[:, None, None, None], 255, faces.contexts).astype(np.uint8)
    rated = tuple(replace(row, score=9.0) if row.fold == 0 else row for row in faces.rated)
    other = replace(run, faces=replace(faces, contexts=contexts, rated=rated))
    first, again = (
        train(one, 0, tmp_path / f"again-{n}", Onlooker())[0] for n, one in enumerate((run, other))
    )
    assert drawn.weights(first.network).equal(drawn.weights(again.network))


def test_split() -> None:
    """All folds but one, and that one; none held out gives all and nothing."""
    faces = drawn.striped_faces(6, 3)
    learned, held_out = split(faces, 1)
    assert {row.fold for row in learned.rated} == {0, 2}
    assert [row.image for row in held_out.rated] == ["1.jpg", "4.jpg"]
    assert np.array_equal(held_out.contexts, faces.contexts[[1, 4]])
    assert np.array_equal(held_out.targets, faces.targets[[1, 4]])
    assert [len(part.rated) for part in split(faces, None)] == [6, 0]


@pytest.mark.parametrize("hold_out", [0, None])
def test_what_is_shipped_can_be_used(tmp_path: Path, hold_out: int | None) -> None:
    """A scorer with its card; calibrated on the held-out faces, or on nothing but people's spread."""
    run = _run()
    fitted, outputs = train(run, hold_out, tmp_path, Onlooker())
    card = ship(tmp_path, run, fitted, outputs, hold_out)
    stored = json.loads((tmp_path / checkpoint.CARD).read_text())
    assert stored["trained"] == json.loads(json.dumps(card["trained"]))
    assert stored["trained"]["faces"] == (8 if hold_out == 0 else 12)
    assert stored["trained"]["ratings_sha256"] == run.data_hash
    assert (tmp_path / "calibration.png").exists() is (hold_out == 0)
    told = Scorer.load(tmp_path, "cpu").judge([])
    assert told == []
    with (tmp_path / HELD_OUT).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [row.image for row in outputs.rated]
    assert [float(row["output"]) for row in rows] == pytest.approx(outputs.scores.tolist(), abs=1e-5)


def test_validation_tells_correlations() -> None:
    """By data set, and within groups; nothing where nothing is held out."""
    faces = drawn.striped_faces(6)
    assert set(Validation(faces, "cpu")(drawn.network())) == {"drawn", "drawn within"}
    assert Validation(split(faces, None)[1], "cpu")(drawn.network()) == {}


def test_the_common_scale() -> None:
    """The mean of the sets' centres and spreads, each set counting alike."""
    low = [Rated(f"{n}", "low", "", score, 0) for n, score in enumerate([1.0, 3.0] * 5)]
    high = [Rated(f"h{n}", "high", "", score, 0) for n, score in enumerate([4.0, 8.0])]
    assert common_scale([*low, *high]) == (4.0, 1.5)


def test_calibration_is_on_the_common_scale() -> None:
    """Ratings of unseen faces in points: each set in standard units, then on the common scale."""
    low = [Rated(f"{n}", "low", "", score, 0) for n, score in enumerate([1.0, 3.0])]
    high = [Rated(f"h{n}", "high", "", score, 0) for n, score in enumerate([4.0, 8.0])]
    outputs = Outputs((*low, *high), np.array([-1.0, 1.0, -1.0, 1.0]), np.zeros(4))
    scale = calibrated(outputs, [*low, *high])
    assert common_points(outputs.rated, [*low, *high]) == pytest.approx([2.5, 5.5, 2.5, 5.5])
    assert scale.told([-1.0, 1.0]) == pytest.approx([2.5, 5.5])


def test_ratings_of_many_count_more() -> None:
    """Where the number of raters is known; and the mean weight is 1."""
    faces = drawn.striped_faces(6)
    raters = [1, 2, 10, 50, 500, None]
    rated = tuple(replace(row, raters=count) for row, count in zip(faces.rated, raters, strict=True))
    weights = Run(replace(faces, rated=rated), RECIPE).lessons(None).weights
    assert weights.mean() == pytest.approx(1)
    assert (np.diff(weights) > 0).all()
    assert np.unique(_run().lessons(None).weights).tolist() == [1.0]


def test_single_ratings_change_the_targets() -> None:
    """On the scale of the means; faces that have none keep theirs, and held-out ones are not asked."""
    run = _run(6, 3)
    images = tuple(row.image for row in run.faces.rated)
    numbers = np.arange(6)
    singles = SingleRatings(
        images, np.tile(numbers, 2), np.repeat([0, 1], 6), np.concatenate([-numbers, -2.0 * numbers])
    )
    plain, better = run.lessons(0).targets, replace(run, singles=singles).lessons(0).targets
    assert np.corrcoef(plain, better)[0, 1] < -0.9
    assert (better.mean(), better.std()) == pytest.approx((plain.mean(), plain.std()), abs=1e-5)


def test_ratings_have_a_name() -> None:
    """The same in any order; another for another score."""
    run = _run()
    turned = replace(run, faces=replace(run.faces, rated=run.faces.rated[::-1]))
    other = replace(run.faces.rated[0], score=1.0)
    changed = replace(run, faces=replace(run.faces, rated=(other, *run.faces.rated[1:])))
    assert run.data_hash == turned.data_hash != changed.data_hash


def test_curves_of_several_stretches(tmp_path: Path) -> None:
    """One table, with a column for whatever any epoch was judged by."""
    fitted, _ = train(_run(), 0, tmp_path, Onlooker(0.5))
    save_curves(tmp_path, {"pretrain": [], "finetune": fitted.stages[0].curve})
    with (tmp_path / "curves.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["stretch"], row["epoch"], row["drawn"]) == ("finetune", "1", "0.5")
