"""Faces cut once, and read back ever after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from model.data import DataError, Rated, RatedFaces, Skipped
from model.face_store import stored_faces


@pytest.fixture
def photos(tmp_path: Path) -> list[Rated]:
    """Two portraits and one that is not there."""
    portrait = Image.fromarray(skimage.data.astronaut()).crop((148, 44, 298, 194))
    portrait.save(tmp_path / "a.png")
    portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "b.png")
    names = ("a.png", "gone.png", "b.png")
    return [Rated(name, "d", "g", 3.0 + number, number) for number, name in enumerate(names)]


def _stored(photos: list[Rated], folder: Path) -> tuple[RatedFaces, list[int]]:
    """The faces, and what was told of finding them."""
    told: list[int] = []
    return stored_faces(photos, folder, folder / "cache", told.append), told


def test_stored_faces_are_read_back(tmp_path: Path, photos: list[Rated]) -> None:
    """The second call looks for no face, and gives the same; what is missing is listed both times."""
    first, told = _stored(photos, tmp_path)
    again, silence = _stored(photos, tmp_path)
    assert (told, silence) == ([1, 2, 3], [])
    assert first.skipped == again.skipped == (Skipped("gone.png", "missing"),)
    assert first.rated == again.rated == (photos[0], photos[2])
    assert first.contexts.shape[0] == 2
    assert np.array_equal(first.contexts, again.contexts)
    assert not np.array_equal(first.contexts[0], first.contexts[1])
    assert np.array_equal(first.targets, again.targets)


def test_other_ratings_of_the_same_photos_share_them(tmp_path: Path, photos: list[Rated]) -> None:
    """Faces do not depend on what people say of them; targets do."""
    first, _ = _stored(photos, tmp_path)
    again, told = _stored([replace(row, score=9 - row.score, fold=0) for row in photos], tmp_path)
    assert told == []
    assert np.allclose(again.targets, -first.targets)
    assert [row.fold for row in again.rated] == [0, 0]


@pytest.mark.parametrize("change", ["another size", "one more", "found again", "one less"])
def test_other_photos_make_another_store(tmp_path: Path, photos: list[Rated], change: str) -> None:
    """Where a photo was changed, came, or went, faces are looked for anew."""
    _stored(photos, tmp_path)
    if change == "another size":
        Image.open(tmp_path / "b.png").resize((140, 140)).save(tmp_path / "b.png")
    elif change == "one more":
        photos = [*photos, Rated("other.png", "d", "g", 5.0, 0)]
    elif change == "found again":
        (tmp_path / "gone.png").write_bytes((tmp_path / "a.png").read_bytes())
    else:
        photos = photos[:2]
    faces, told = _stored(photos, tmp_path)
    assert told == list(range(1, len(photos) + 1))
    assert len(faces.rated) + len(faces.skipped) == len(photos)
    assert len(faces.rated) == {"found again": 3, "one less": 1}.get(change, 2)


def test_no_face_at_all_is_an_error_and_stores_nothing(tmp_path: Path, photos: list[Rated]) -> None:
    """So that it is looked for again next time."""
    with pytest.raises(DataError, match="none of 1 photos"):
        _stored(photos[1:2], tmp_path)
    assert not list(tmp_path.glob("cache/*/faces.json"))
