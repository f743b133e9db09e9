"""Faces found in rated photos, and what is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from model.data import CONTEXT_SIZE, DataError, Rated, Skipped, cut_faces


def _rated(*names: str) -> list[Rated]:
    return [Rated(name, "d", "g", 4.0, 0) for name in names]


def test_faces_are_cut_and_the_rest_is_listed(tmp_path: Path) -> None:
    """A photo with a face gives a context picture; all others are skipped, each with its reason."""
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "face.png")
    blank = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(blank).line((0, 0, 300, 300))
    blank.save(tmp_path / "blank.png")
    (tmp_path / "words.jpg").write_bytes(b"no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "face.png").read_bytes()[:5000])
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    names = ["blank.png", "words.jpg", "face.png", "cut.png", "folder.jpg", "pipe.jpg", "gone.jpg", "x" * 300]
    done: list[int] = []
    faces = cut_faces(_rated(*names), tmp_path, done.append)
    assert [rated.image for rated in faces.rated] == ["face.png"]
    assert faces.skipped == (
        Skipped("blank.png", "no face"),
        Skipped("words.jpg", "not a picture"),
        Skipped("cut.png", "broken picture"),
        Skipped("folder.jpg", "not a file"),
        Skipped("pipe.jpg", "not a file"),
        Skipped("gone.jpg", "missing"),
        Skipped("x" * 300, "cannot be opened: File name too long"),
    )
    assert [skipped.lost for skipped in faces.skipped] == [False, *[True] * 6]
    assert faces.contexts.shape == (1, CONTEXT_SIZE, CONTEXT_SIZE, 4)
    assert faces.contexts.dtype == np.uint8
    assert faces.contexts[0, 150:190, 150:190, 3].min() == 255
    assert done == list(range(1, len(names) + 1))


def test_photos_of_no_use_at_all_are_an_error(tmp_path: Path) -> None:
    """Most likely the folder is another; the error names it, and the first photo."""
    with pytest.raises(DataError, match=r"none of 2 photos below .* is of use; the first, a\.jpg: missing"):
        cut_faces(_rated("a.jpg", "b.jpg"), tmp_path)
    with pytest.raises(DataError, match="no photos"):
        cut_faces([], tmp_path)
