"""The search for the best crop."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.faces import Face
from model.network import places
from tests.worker.test_framing import face
from worker.crop import best_crop
from worker.framing import Aspect
from worker.score import Judge


class Brightness:
    """Scores a picture by its red: a scorer whose best window can be worked out by hand."""

    def unclipped(self, pictures: Sequence[Image.Image]) -> list[float]:
        return [float(np.asarray(picture)[..., 0].mean() / 255 * 9) for picture in pictures]

    def contributions(self, picture: Image.Image) -> NDArray[np.float32]:
        across, down = places(picture.width), places(picture.height)
        red = picture.getchannel("R").resize((across, down), Image.Resampling.BOX)
        return (np.asarray(red) / 255 * 9).astype(np.float32)


def ramp(width: int, height: int) -> Image.Image:
    """Darker to the left, brighter to the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.dstack([np.tile(row, (height, 1))] * 3))


def test_the_search_goes_to_the_best_allowed_place() -> None:
    """On a ramp the best window lies as far to the right as the face allows."""
    found = face(450, 300)
    crop = best_crop(Brightness(), ramp(1000, 800), [found])
    middle = (found.box[0] + found.box[2]) / 2
    width = crop.box[2] - crop.box[0]
    assert (middle - crop.box[0]) / width == pytest.approx(0.36, abs=0.03)
    assert width == pytest.approx(100 / 0.30, rel=0.06)  # the largest window reaches farthest
    assert crop.score > crop.whole_score
    assert crop.windows > 50


def test_the_mirrored_photo_has_the_mirrored_crop() -> None:
    """The search has no favourite side."""
    right = best_crop(Brightness(), ramp(1000, 800), [face(460, 300)])
    left = best_crop(
        Brightness(), ramp(1000, 800).transpose(Image.Transpose.FLIP_LEFT_RIGHT), [face(460, 300)]
    )
    assert left.box[0] == pytest.approx(1000 - right.box[2], abs=4)


@pytest.mark.parametrize("aspect", ["1:1", "4:5", "16:9"])
def test_the_score_is_the_crops_own(judge: Judge, astronaut: Image.Image, aspect: str) -> None:
    """The told score is that of the told box cut out; the box has the aspect and holds the face."""
    shape = Aspect.parse(aspect)
    (found,) = judge.finder.find(astronaut)
    crop = best_crop(judge.scorer, astronaut, [found], shape)
    left, top, right, bottom = crop.box
    assert (right - left) / (bottom - top) == pytest.approx(shape.ratio)
    assert left <= found.box[0] and top <= found.box[1] and right >= found.box[2] and bottom >= found.box[3]
    alone = judge.scorer.unclipped([astronaut.resize(shape.input_size, Image.Resampling.BICUBIC, crop.box)])[
        0
    ]
    assert crop.score == pytest.approx(alone, abs=0.02)


def test_the_same_photo_has_the_same_crop(judge: Judge, astronaut: Image.Image) -> None:
    """Nothing is left to chance."""
    faces = judge.finder.find(astronaut)
    assert best_crop(judge.scorer, astronaut, faces) == best_crop(judge.scorer, astronaut, faces)


@pytest.mark.parametrize("size", [(300, 300), (300, 500), (640, 200), (110, 130), (2048, 1365)])
@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0), (0.5, 0.0), (0.0, 0.5)])
@pytest.mark.parametrize("aspect", ["1:1", "4:5", "16:9"])
def test_faces_at_the_border(size: tuple[int, int], place: tuple[float, float], aspect: str) -> None:
    """Wherever the face is, the crop lies on the photo and holds the face."""
    found = face((size[0] - 80) * place[0], (size[1] - 100) * place[1])
    crop = best_crop(Brightness(), ramp(*size), [found], Aspect.parse(aspect))
    left, top, right, bottom = crop.box
    slack = 1e-6
    assert left >= -slack and top >= -slack and right <= size[0] + slack and bottom <= size[1] + slack
    assert left <= found.box[0] + slack and top <= found.box[1] + slack
    assert right >= found.box[2] - slack and bottom >= found.box[3] - slack


def test_a_face_that_fills_the_photo() -> None:
    """There is nothing to crop: the whole photo, with its own score."""
    marks = ((70.0, 90.0), (130.0, 90.0), (100.0, 120.0), (80.0, 150.0), (120.0, 150.0))
    crop = best_crop(Brightness(), ramp(200, 220), [Face((-20.0, -15.0, 215.0, 240.0), marks, 1.0)])
    assert crop.box == (0.0, 0.0, 200.0, 220.0)
    assert crop.score == pytest.approx(crop.whole_score)
