"""Single ratings: what a rating model makes of severe, flat and careless raters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.raters import SingleRatings, read_single_ratings, replaced, true_scores
from model.ratings import DataError

PHOTOS, RATERS = 120, 60


def _ratings(seed: int = 0, share: float = 0.2) -> tuple[SingleRatings, np.ndarray]:
    """Raters with tastes of their own, each of whom saw a fifth of the photos; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(5, 1, PHOTOS)
    offset, slope = rng.normal(0, 1.2, RATERS), rng.uniform(0.2, 1.8, RATERS)
    noise = rng.uniform(0.2, 2, RATERS)
    image, rater = np.nonzero(rng.random((PHOTOS, RATERS)) < share)
    score = 5 + offset[rater] + slope[rater] * (truth[image] - 5) + rng.normal(0, noise[rater])
    return SingleRatings(tuple(f"{number}.jpg" for number in range(PHOTOS)), image, rater, score), truth


def _means(ratings: SingleRatings) -> np.ndarray:
    return np.bincount(ratings.image, ratings.score) / np.bincount(ratings.image)


def _fitted(ratings: SingleRatings) -> np.ndarray:
    scores = true_scores(ratings)
    return np.array([scores[image] for image in ratings.images])


@pytest.mark.parametrize("seed", range(3))
def test_the_model_is_nearer_the_truth_than_means_are(seed: int) -> None:
    """Where raters differ in severity, in taste for extremes and in care."""
    ratings, truth = _ratings(seed)
    by_model, by_mean = (np.corrcoef(scores, truth)[0, 1] for scores in (_fitted(ratings), _means(ratings)))
    assert by_model > by_mean + 0.03
    assert abs(_fitted(ratings).mean() - ratings.score.mean()) < 0.3


def test_one_who_rates_everything_alike_does_no_harm() -> None:
    """A rater who gave all photos the same score moves nobody's place."""
    ratings, truth = _ratings()
    everywhere = np.arange(PHOTOS)
    lazy = SingleRatings(
        ratings.images,
        np.concatenate([ratings.image, everywhere]),
        np.concatenate([ratings.rater, np.full(PHOTOS, RATERS)]),
        np.concatenate([ratings.score, np.full(PHOTOS, 9.0)]),
    )
    before, after = (np.corrcoef(_fitted(one), truth)[0, 1] for one in (ratings, lazy))
    assert after > before - 0.01


def test_ratings_that_are_all_one_give_that_one() -> None:
    """Nothing to learn about raters, and no division by nothing."""
    same = SingleRatings(("a", "b"), np.array([0, 0, 1]), np.array([0, 1, 0]), np.full(3, 4.0))
    assert true_scores(same) == pytest.approx({"a": 4.0, "b": 4.0})
    assert true_scores(same.only([])) == {}


def test_only_some_photos() -> None:
    """Photos and raters that are left are numbered anew; strangers are ignored."""
    ratings = SingleRatings(
        ("a", "b", "c"), np.array([0, 1, 2, 2]), np.array([5, 6, 7, 5]), np.array([1.0, 2.0, 3.0, 4.0])
    )
    kept = ratings.only(["c", "a", "stranger"])
    assert kept.images == ("a", "c")
    assert kept.image.tolist() == [0, 1, 1]
    assert kept.rater.tolist() == [0, 1, 0]
    assert kept.score.tolist() == [1.0, 3.0, 4.0]


def test_replaced_targets_keep_their_scale() -> None:
    """The known ones take the model's order on their own mean and spread; the others stay as they are."""
    targets = np.array([0.3, -1.0, 2.0, 0.5, -0.2])
    images = ("a", "x", "b", "c", "y")
    result = replaced({"a": 90.0, "b": 10.0, "c": 20.0}, images, targets)
    known = [0, 2, 3]
    assert result[[1, 4]].tolist() == [-1.0, -0.2]
    assert result[known].mean() == pytest.approx(targets[known].mean())
    assert result[known].std() == pytest.approx(targets[known].std())
    assert np.argsort(result[known]).tolist() == [1, 2, 0]
    assert targets.tolist() == [0.3, -1.0, 2.0, 0.5, -0.2]


@pytest.mark.parametrize("scores", [{}, {"a": 3.0}, {"stranger": 1.0, "other": 2.0}])
def test_too_few_known_change_nothing(scores: dict[str, float]) -> None:
    """One photo alone has no spread."""
    targets = np.array([0.5, -0.5])
    assert replaced(scores, ("a", "b"), targets).tolist() == [0.5, -0.5]


def test_reading(tmp_path: Path) -> None:
    """Photos and raters are numbered as they come; other columns are passed over."""
    path = tmp_path / "single_ratings.csv"
    path.write_text("\ufeffrater,image,score,when\nann,a.jpg,3,1\nbob,b.jpg,4.5,2\nann,b.jpg,2,3\n")
    ratings = read_single_ratings(path)
    assert ratings.images == ("a.jpg", "b.jpg")
    assert ratings.image.tolist() == [0, 1, 1]
    assert ratings.rater.tolist() == [0, 1, 0]
    assert ratings.score.tolist() == [3.0, 4.5, 2.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,score\na.jpg,3\n", r"single\.csv has no column 'rater': needed are image, rater and score"),
        ("image,rater,score\na.jpg,ann,3\nb.jpg,ann,nice\n", r"single\.csv, line 3: score is 'nice', not a"),
        ("image,rater,score\na.jpg,ann,nan\n", r"single\.csv, line 2: score is 'nan', not a number"),
        ("image,rater,score\na.jpg,ann\n", r"single\.csv, line 2: score is None, not a number"),
        ("image,rater,score\n", r"single\.csv holds no ratings"),
        ("", r"single\.csv holds no ratings"),
        (b"image,rater,score\n\xff,ann,3\n", r"single\.csv cannot be read: .*utf-8"),
        (None, r"single\.csv cannot be read: .*No such file"),
    ],
)
def test_a_slip_in_the_file_is_named(tmp_path: Path, text: str | bytes | None, said: str) -> None:
    """The file, and the line where there is one."""
    path = tmp_path / "single.csv"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=said):
        read_single_ratings(path)
