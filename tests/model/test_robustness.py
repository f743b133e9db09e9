"""The alterations, on an astronaut and on drawn pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.data
from PIL import Image

from model.faces import Face, FaceFinder
from model.robustness import (
    ALTERATIONS,
    Alteration,
    bordered,
    colourless,
    enlarged,
    halved,
    mirrored,
    movements,
    on_noise,
    on_plain_background,
    recompressed,
    turned_on_black,
    turned_on_edges,
    turned_on_white,
)

FACE = Face((80, 60, 120, 110), ((90, 80), (110, 80), (100, 90), (92, 100), (108, 100)), 1.0)


def _photo() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(60, 200, (150, 200, 3), np.uint8))


def _pixel(photo: Image.Image, x: int, y: int) -> tuple[int, ...]:
    return tuple(np.asarray(photo)[y, x].tolist())


@pytest.mark.parametrize("name", ALTERATIONS)
def test_alterations_are_pure(name: str) -> None:
    """RGB in, RGB out; the photo itself stays as it is, and the same photo gives the same copy."""
    photo = _photo()
    before = photo.tobytes()
    copy = ALTERATIONS[name](photo, [FACE])
    assert copy.mode == "RGB"
    assert photo.tobytes() == before
    assert copy.tobytes() != before
    assert copy.tobytes() == ALTERATIONS[name](photo, [FACE]).tobytes()


def test_sizes() -> None:
    """Resizing and borders change the size as they say; the rest of the photo is all there."""
    photo = _photo()
    assert halved(photo, ()).size == (100, 75)
    assert enlarged(photo, ()).size == (300, 225)
    assert bordered(photo, ()).size == (260, 210)
    assert bordered(photo, ()).crop((30, 30, 230, 180)).tobytes() == photo.tobytes()
    assert mirrored(mirrored(photo, ()), ()).tobytes() == photo.tobytes()
    assert recompressed(photo, ()).size == photo.size
    for turn in (turned_on_white, turned_on_black, turned_on_edges):
        angle = math.radians(10)
        width = 200 * math.cos(angle) + 150 * math.sin(angle)
        assert turn(photo, ()).width == pytest.approx(width, abs=2)


def test_corners() -> None:
    """White, black, or as the photo ends."""
    plain = Image.new("RGB", (200, 150), (10, 120, 30))
    assert _pixel(turned_on_white(plain, ()), 1, 1) == (255, 255, 255)
    assert _pixel(turned_on_black(plain, ()), 1, 1) == (0, 0, 0)
    edges = np.asarray(turned_on_edges(plain, ()))
    assert np.abs(edges.astype(int) - (10, 120, 30)).max() <= 1


def test_grey_is_grey() -> None:
    """All channels alike."""
    pixels = np.asarray(colourless(_photo(), ()))
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("alter", [on_plain_background, on_noise])
def test_the_background_alone_changes(alter: Alteration) -> None:
    """The middle of the face stays to the last bit; the photo's corners are replaced."""
    photo = _photo()
    altered = alter(photo, [FACE])
    assert altered.crop((90, 70, 110, 100)).tobytes() == photo.crop((90, 70, 110, 100)).tobytes()
    assert _pixel(altered, 2, 2) != _pixel(photo, 2, 2)


def test_faces_survive_all_alterations() -> None:
    """In each altered copy of a real photo one face is found again."""
    photo = Image.fromarray(skimage.data.astronaut())
    finder = FaceFinder()
    faces = finder.find(photo)
    found = {name: finder.find(alter(photo, faces)) for name, alter in ALTERATIONS.items()}
    assert [name for name, again in found.items() if not again] == []
    [again] = found["mirrored"][:1]
    assert again.eyes[0] == pytest.approx(512 - faces[0].eyes[0], abs=4)


def test_movements_by_hand() -> None:
    """Median and 95th percentile of the absolute differences, their mean with its sign, faces lost."""
    altered = [dict.fromkeys(ALTERATIONS, value) for value in (4.0, 5.5, None, 2.0)]
    first = movements([4.0, 5.0, 3.0, 3.0], altered)[0]
    assert (first.n, first.no_face, first.median) == (3, 1, 0.5)
    assert first.percentile_95 == pytest.approx(np.percentile([0, 0.5, 1], 95))
    assert first.mean == pytest.approx(-0.5 / 3)
    nothing = movements([4.0], [dict.fromkeys(ALTERATIONS)])[0]
    assert (nothing.n, nothing.no_face) == (0, 1)
    assert math.isnan(nothing.median)
