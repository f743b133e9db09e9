"""Ratings files and the faces cut for training."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from model.data import CONTEXT_SIZE, Rated, cut_faces, read_ratings, standardise

HEADER = "image,dataset,group,score_0_9,fold\n"


def _write(folder: Path, *rows: str) -> Path:
    path = folder / "ratings.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def test_rows_are_read(tmp_path: Path) -> None:
    """Each row becomes a rating; columns we do not use may stand there."""
    path = tmp_path / "ratings.csv"
    path.write_text("image,raters,dataset,group,score_0_9,fold\na.jpg,60,scut,g,4.5,3\n")
    assert read_ratings(path) == [Rated("a.jpg", "scut", "g", 4.5, 3)]


@pytest.mark.parametrize("row", ["a.jpg,scut,g,9.1,0", "a.jpg,scut,g,-1,0", "a.jpg,scut,g,x,0", "a.jpg,scut"])
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, row: str) -> None:
    """The error names the file and the line."""
    path = _write(tmp_path, "ok.jpg,scut,g,5,0", row)
    with pytest.raises(ValueError, match=r"ratings\.csv, line 3"):
        read_ratings(path)


def test_scores_are_standardised_within_their_data_set() -> None:
    """Each data set gets mean 0 and deviation 1, whatever scale its people used."""
    low = [Rated(f"{i}", "low", "g", score, 0) for i, score in enumerate([1.0, 2.0, 3.0])]
    high = [Rated(f"{i}", "high", "g", score, 0) for i, score in enumerate([6.0, 7.0, 9.0])]
    targets = standardise([*low, *high])
    for part in (targets[:3], targets[3:]):
        assert abs(part.mean()) < 1e-6
        assert abs(part.std() - 1) < 1e-6


def test_faces_are_cut_and_the_rest_is_listed(tmp_path: Path) -> None:
    """A photo with a face gives a context picture; a blank and a broken file are skipped by name."""
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "face.png")
    blank = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(blank).line((0, 0, 300, 300))
    blank.save(tmp_path / "blank.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    names = ("blank.png", "face.png", "broken.jpg")
    faces = cut_faces([Rated(name, "d", "g", 4.0, 0) for name in names], tmp_path)
    assert [rated.image for rated in faces.rated] == ["face.png"]
    assert faces.skipped == ("blank.png", "broken.jpg")
    assert faces.contexts.shape == (1, CONTEXT_SIZE, CONTEXT_SIZE, 4)
    assert faces.contexts.dtype == np.uint8
