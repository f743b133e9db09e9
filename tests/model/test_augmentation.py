"""What training shows of a face, and what it does to it before."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from model import faces
from model.augmentation import Picture, augment, views
from model.data import CONTEXT_SIZE, CONTEXT_ZOOM
from model.faces import BORDER, EYE_DISTANCE, EYE_LINE, Face, canonical
from model.network import INPUT_SIZE

MARGIN = (CONTEXT_SIZE - INPUT_SIZE) // 2


def _contexts(count: int, seed: int = 0) -> Picture:
    """Coloured clouds, opaque, and read-only as those on disk are."""
    rng = np.random.default_rng(seed)
    clouds = rng.integers(0, 256, (count, 9, 9, 4), dtype=np.uint8)
    pictures = np.stack([cv2.resize(cloud, (CONTEXT_SIZE, CONTEXT_SIZE)) for cloud in clouds])
    pictures[..., 3] = 255
    pictures.flags.writeable = False
    return pictures.astype(np.uint8, copy=False)


def _draws(context: Picture, count: int) -> Picture:
    """Many augmentations of one context."""
    return augment(np.repeat(context[None], count, axis=0), np.random.default_rng(0))


def test_pictures_of_the_networks_size() -> None:
    """Bytes, whatever is drawn; the contexts stay as they are."""
    contexts = _contexts(3)
    before = contexts.copy()
    pictures = augment(contexts, np.random.default_rng(0))
    assert pictures.shape == (3, INPUT_SIZE, INPUT_SIZE, 3)
    assert pictures.dtype == np.uint8
    assert np.array_equal(contexts, before)


def test_one_generator_gives_one_picture() -> None:
    """The same seed gives the same pictures, another seed others."""
    contexts = _contexts(2)
    first, again, other = (augment(contexts, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_two_draws_are_alike() -> None:
    """One face, shown eight times, is eight pictures."""
    pictures = _draws(_contexts(1)[0], 8)
    assert len({picture.tobytes() for picture in pictures}) == 8


def test_beyond_the_photo_lies_one_plain_colour() -> None:
    """Where alpha is 0 there is one colour, and not always the same: it must not tell the source."""
    nothing = np.full((CONTEXT_SIZE, CONTEXT_SIZE, 4), (*BORDER, 0), np.uint8)
    pictures = _draws(nothing, 30).reshape(30, -1, 3).astype(int)
    assert (np.ptp(pictures, axis=1) <= 1).all()
    assert len(np.unique(pictures[:, 0], axis=0)) > 15


def test_views_are_those_of_the_photo() -> None:
    """Cut from the context as `model.faces.views` cuts from the photo: a little nearer, a little farther."""
    photo = Image.fromarray(skimage.data.astronaut()).convert("RGBA")
    face = Face((170, 60, 280, 200), ((201, 108), (246, 110), (226, 137), (206, 158), (244, 159)), 1.0)
    context = np.asarray(canonical(photo, face, CONTEXT_SIZE, CONTEXT_ZOOM))[None]
    expected = [np.asarray(view, float) for view in faces.views(photo.convert("RGB"), face)]
    for seen, wanted in zip(views(context)[:, 0], expected, strict=True):
        assert np.abs(seen - wanted).mean() < 4
        assert np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.99


def test_views_are_grey_beyond_the_photo() -> None:
    """Alpha 0 gives the border's colour, half of it the mean of both."""
    contexts = _contexts(1).copy()
    contexts[..., :3] = 28
    contexts[:, :, : CONTEXT_SIZE // 2, 3] = 0
    contexts[:, CONTEXT_SIZE // 2 :, CONTEXT_SIZE // 2 :, 3] = 128
    for picture in views(contexts)[:, 0]:
        assert tuple(picture[0, 0]) == BORDER
        assert tuple(picture[0, -1]) == (28, 28, 28)
        assert tuple(picture[-1, -1]) == (78, 78, 78)


def test_half_of_the_pictures_are_mirrored() -> None:
    """A picture that is light on its left is light on its right about every other time."""
    context = np.full((CONTEXT_SIZE, CONTEXT_SIZE, 4), 255, np.uint8)
    context[:, CONTEXT_SIZE // 2 :, :3] = 0
    pictures = _draws(context, 200).astype(float)
    half = INPUT_SIZE // 2
    mirrored = pictures[:, :, :half].mean(axis=(1, 2, 3)) < pictures[:, :, half:].mean(axis=(1, 2, 3))
    assert 0.4 < mirrored.mean() < 0.6


def test_the_eyes_stay_near_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a loose window of the photo is shown: then the face may be anywhere."""
    monkeypatch.setattr("model.augmentation.WINDOW_SHARE", 0.0)
    monkeypatch.setattr("model.augmentation.BACKGROUND_SHARE", 0.0)
    places = np.array([[0.5 - EYE_DISTANCE / 2, EYE_LINE], [0.5 + EYE_DISTANCE / 2, EYE_LINE]]) * INPUT_SIZE
    context = np.zeros((CONTEXT_SIZE, CONTEXT_SIZE, 4), np.uint8)
    context[..., 3] = 255
    for x, y in (places + MARGIN).round().astype(int):
        cv2.circle(context, (int(x), int(y)), 6, (255, 255, 255, 255), -1)
    shifts = []
    for picture in _draws(context, 60).astype(float).mean(axis=3):
        rows, columns = np.nonzero(picture > (picture.min() + picture.max()) / 2)
        left = columns < INPUT_SIZE / 2
        found = [(columns[own].mean(), rows[own].mean()) for own in (left, ~left)]
        shifts.append(np.linalg.norm(np.array(found) - places, axis=1).max())
    assert max(shifts) < 0.11 * INPUT_SIZE
    assert np.mean(shifts) < 0.06 * INPUT_SIZE
    assert len({round(float(shift), 3) for shift in shifts}) > 50


def test_some_pictures_lose_their_colour() -> None:
    """About one in eight is grey: people's scores hold for such photos too."""
    pictures = _draws(_contexts(1)[0], 200).astype(int)
    grey = np.ptp(pictures, axis=3).max(axis=(1, 2)) <= 1
    assert 0.05 < grey.mean() < 0.2
