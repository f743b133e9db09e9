"""The canonical face."""

import math

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from model.faces import EYE_DISTANCE, EYE_LINE, Face, FaceFinder, canonical
from model.network import INPUT_SIZE


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    """MTCNN on the CPU."""
    return FaceFinder()


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    """Eileen Collins, 512 pixels a side."""
    return Image.fromarray(skimage.data.astronaut())


def _drawn(tilt: float, scale: float, size: int = 600) -> tuple[Image.Image, Face]:
    """A grey picture with a red left and a green right eye, and the face they make."""
    photo = Image.new("RGB", (size, size), "grey")
    draw = ImageDraw.Draw(photo)
    centre = complex(size * 0.45, size * 0.55)
    turn = complex(math.cos(tilt), math.sin(tilt)) * scale
    marks = [centre + turn * mark for mark in (-0.5, 0.5, 0.55j, -0.35 + 1.0j, 0.35 + 1.0j)]
    for mark, colour in zip(marks, ("red", "lime"), strict=False):
        draw.ellipse((mark.real - 9, mark.imag - 9, mark.real + 9, mark.imag + 9), fill=colour)
    points = tuple((mark.real, mark.imag) for mark in marks)
    return photo, Face((0, 0, 1, 1), points, 1.0)


def _centre_of(picture: Image.Image, channel: int) -> tuple[float, float]:
    pixels = np.asarray(picture, int)
    others = [other for other in (0, 1) if other != channel]
    rows, columns = np.nonzero((pixels[..., channel] > 200) & (pixels[..., others[0]] < 100))
    return float(columns.mean()) + 0.5, float(rows.mean()) + 0.5


@pytest.mark.parametrize("tilt", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize("scale", [60.0, 110.0, 200.0])
def test_eyes_land_on_their_places(tilt: float, scale: float) -> None:
    """However the head is tilted and however large it is, the eyes stand where they must."""
    photo, face = _drawn(tilt, scale)
    picture = canonical(photo, face)
    half = EYE_DISTANCE / 2
    for channel, across in ((0, 0.5 - half), (1, 0.5 + half)):
        x, y = _centre_of(picture, channel)
        assert abs(x - across * INPUT_SIZE) < 1.5
        assert abs(y - EYE_LINE * INPUT_SIZE) < 1.5


def test_a_turned_head_keeps_its_size() -> None:
    """Where the eyes stand close because the head is turned, eyes to mouth gives the scale."""
    marks = ((95.0, 100.0), (105.0, 100.0), (112.0, 120.0), (97.0, 142.4), (103.0, 142.4))
    assert Face((0, 0, 1, 1), marks, 1.0).scale == pytest.approx(40.0, rel=0.01)


def test_the_main_face_is_found(finder: FaceFinder, astronaut: Image.Image) -> None:
    """The astronaut's face is found where it is."""
    (face,) = finder.find(astronaut)
    assert face.box == pytest.approx((179, 64, 265, 173), abs=6)
    assert face.probability > 0.99


def test_a_large_photo_gives_boxes_in_its_own_pixels(finder: FaceFinder, astronaut: Image.Image) -> None:
    """Faces are looked for on a reduced photo, but told in the photo's own pixels."""
    (face,) = finder.find(astronaut.resize((2048, 2048)))
    assert face.box == pytest.approx((716, 256, 1060, 692), abs=40)


def test_faces_come_largest_first(finder: FaceFinder, astronaut: Image.Image) -> None:
    """Two faces side by side: the larger is the first."""
    both = Image.new("RGB", (900, 512))
    both.paste(astronaut.resize((360, 360)), (0, 80))
    both.paste(astronaut, (380, 0))
    first, second = finder.find(both)
    assert first.area > second.area
    assert first.box[0] > 380 > second.box[2]


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (19, 19), (30, 30), (640, 8)])
def test_tiny_pictures_have_no_face(finder: FaceFinder, size: tuple[int, int]) -> None:
    """Pictures below MTCNN's smallest are no error."""
    assert finder.find(Image.new("RGB", size)) == []
