"""From rated photos to figures, with a scorer whose every answer is known."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from model import report
from model.data import Skipped
from model.evaluate import Scores, figures, score_photos
from model.faces import Face
from model.predict import Judged
from model.ratings import Rated
from model.robustness import ALTERATIONS


class GreyScorer:
    """Scores a picture by how bright it is: 0 for black, 9 for white."""

    def judge(self, faces: Sequence[Sequence[Image.Image]], /) -> list[Judged]:
        return [Judged(float(np.mean(self.unclipped(views))), 0.5) for views in faces]

    def unclipped(self, pictures: Sequence[Image.Image], /) -> list[float]:
        return [float(np.asarray(picture).mean()) / 255 * 9 for picture in pictures]


class MiddleFinder:
    """Finds a face in the middle of any photo that is not all black."""

    def find(self, photo: Image.Image, /) -> list[Face]:
        if photo.getextrema() == ((0, 0), (0, 0), (0, 0)):
            return []
        x, y = photo.width / 2, photo.height / 2
        marks = ((x - 7, y - 5), (x + 7, y - 5), (x, y), (x - 6, y + 9), (x + 6, y + 9))
        return [Face((x - 14, y - 18, x + 14, y + 18), marks, 1.0)]


@pytest.fixture
def photos(tmp_path: Path) -> list[Rated]:
    """Grey photos rated by their grey, one all black, one that is no picture, one that is not there."""
    rated = []
    for number, grey in enumerate(range(20, 240, 20)):
        name = f"{number}.png"
        Image.new("RGB", (120, 120), (grey, grey, grey)).save(tmp_path / name)
        rated.append(Rated(name, "d", "ab"[number % 2], grey / 255 * 9, 0))
    Image.new("RGB", (120, 120)).save(tmp_path / "black.png")
    (tmp_path / "words.png").write_bytes(b"no picture")
    return [*rated, *(Rated(name, "d", "a", 5.0, 0) for name in ("black.png", "words.png", "gone.png"))]


def _scores(count: int, seed: int = 0, datasets: str = "de") -> Scores:
    """Ratings, and scores half a point too high with an error of a point."""
    rng = np.random.default_rng(seed)
    human = np.clip(rng.normal(4.5, 1.5, count), 0, 9)
    told = human + 0.5 + rng.normal(0, 1, count)
    rated = tuple(
        Rated(f"{i}.jpg", datasets[i % len(datasets)], "xyz"[i % 3], float(human[i]), 0) for i in range(count)
    )
    return Scores(rated, tuple(Judged(float(one), 1.0) for one in told), tuple(told.tolist()), ())


def _shown(scores: Scores) -> str:
    with (console := Console(width=110, markup=False, emoji=False, highlight=False)).capture() as captured:
        report.show(figures(scores), console)
    return captured.get()


def test_photos_are_scored_or_skipped(photos: list[Rated], tmp_path: Path) -> None:
    """A face gives a score, a plus-minus and a loose window's points; all else is listed with its reason."""
    done: list[int] = []
    scores = score_photos(photos, tmp_path, GreyScorer(), MiddleFinder(), progress=done.append)
    assert scores.rated == tuple(photos[:11])
    for rated, judged, loose in zip(scores.rated, scores.judged, scores.loose, strict=True):
        assert judged.score == pytest.approx(rated.score, abs=0.01)
        assert loose == pytest.approx(rated.score, abs=0.01)
    assert [(one.image, one.reason) for one in scores.skipped] == [
        ("black.png", "no face"),
        ("words.png", "not a picture"),
        ("gone.png", "missing"),
    ]
    assert scores.altered == ()
    assert done == list(range(1, 15))
    found = figures(scores)
    assert (found.photos, found.scored, found.refused, found.lost) == (14, 11, 1, 2)
    assert found.reasons == {"no face": 1, "not a picture": 1, "missing": 1}
    assert found.overall.agreement.pearson.value == pytest.approx(1, abs=1e-4)
    assert found.overall.coverage.share.value == 1


def test_altered_copies_are_scored(photos: list[Rated], tmp_path: Path) -> None:
    """Each alteration of each photo; a plain grey hardly moves when it is mirrored."""
    scores = score_photos(photos[:4], tmp_path, GreyScorer(), MiddleFinder(), robustness=True)
    assert [list(altered) for altered in scores.altered] == [list(ALTERATIONS)] * 4
    mirrored = figures(scores).robustness[0]
    assert (mirrored.alteration, mirrored.n, mirrored.no_face) == ("mirrored", 4, 0)
    assert mirrored.median < 0.01
    assert "Altered photos" in _shown(scores)


def test_figures_by_data_set() -> None:
    """Each data set alone, and all together; bias and coverage are what was put in."""
    found = figures(_scores(1200))
    assert list(found.datasets) == ["d", "e"]
    assert [part.agreement.n for part in found.datasets.values()] == [600, 600]
    assert found.overall.agreement.n == 1200
    for part in (found.overall, *found.datasets.values()):
        assert part.agreement.bias.low < 0.5 < part.agreement.bias.high
        assert part.agreement.rmse_without_bias.low < 1 < part.agreement.rmse_without_bias.high
        assert part.coverage.share.value == pytest.approx(0.6247, abs=0.05)  # P(|N(0.5, 1)| < 1)
        assert part.loose.pearson == part.agreement.pearson
    assert [(one.dataset, one.group, one.n) for one in found.groups] == [
        (dataset, group, 200) for dataset in "de" for group in "xyz"
    ]
    assert [gap.dataset for gap in found.largest_gaps] == ["d", "e"]
    assert sum(third.n for third in found.coverage_by_third) == 1200


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_few_photos(count: int) -> None:
    """No crash: null in JSON, a dash in the tables."""
    scores = _scores(count)
    plain = json.loads(json.dumps(report.as_json(figures(scores)), allow_nan=False))
    assert plain["scored"] == count
    pearson = plain["overall"]["agreement"]["pearson"]["value"]
    assert (pearson is None) == (count < 3)
    shown = _shown(scores)
    assert "nan" not in shown
    assert shown.partition("Pearson")[2].split()[:1] == ["-"] or count > 2


def test_the_words() -> None:
    """Aligned tables with all figures; one data set stands without a second column for all."""
    shown = _shown(_scores(100, datasets="d"))
    assert shown.startswith("100 photos: 100 scored, 0 without a face, 0 missing or unreadable\n")
    for words in ("Pearson", "within group", "Spearman", "RMSE without it", "within one plus-minus", "d, x"):
        assert words in shown
    assert shown.count("photos    ") >= 1
    assert " all" not in shown.partition("photos  ")[0].splitlines()[-1]
    assert " all" in _shown(_scores(100)).partition("\n  photos")[0].splitlines()[-1]
    assert max(map(len, shown.splitlines())) <= 110


def test_names_are_no_markup() -> None:
    """A data set may be called anything."""
    assert "[red]:smile:" in _shown(
        Scores((Rated("a", "[red]:smile:", "", 4, 0),), (Judged(4, 1),), (4,), ())
    )


def test_many_skipped_photos_are_counted() -> None:
    """The first twenty in words, all in JSON."""
    scores = Scores((), (), (), tuple(Skipped(f"{i}.jpg", "missing") for i in range(25)))
    shown = _shown(scores)
    assert "  19.jpg: missing\n" in shown
    assert "20.jpg" not in shown
    assert "and 5 more" in shown
    assert len(report.as_json(figures(scores))["skipped"]) == 25


def test_a_line_a_photo(tmp_path: Path) -> None:
    """Scores and reasons as CSV."""
    scores = Scores(
        (Rated("a.jpg", "d", "g", 4, 0),), (Judged(4.25, 1),), (3.5,), (Skipped("b.jpg", "missing"),)
    )
    report.save(scores, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "image,dataset,group,human,score,plus_minus,loose_window,skipped",
        "a.jpg,d,g,4.0000,4.2500,1.0000,3.5000,",
        "b.jpg,,,,,,,missing",
    ]


def test_groups_of_two_data_sets_are_kept_apart() -> None:
    """Within group means within data set and group: scales of two data sets do not pass for agreement."""
    rng = np.random.default_rng(0)
    rated = tuple(
        Rated(str(i), "de"[i % 2], "g", float(np.clip(2 + 4 * (i % 2) + rng.normal(), 0, 9)), 0)
        for i in range(300)
    )
    told = [2 + 4 * (i % 2) + rng.normal() for i in range(300)]
    found = figures(Scores(rated, tuple(Judged(one, 1) for one in told), tuple(told), ())).overall.agreement
    assert found.pearson.value > 0.7
    assert abs(found.pearson_within_group.value) < 0.15
    assert not math.isnan(found.pearson_within_group.low)
