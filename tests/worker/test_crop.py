"""The search for the best crop."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.faces import Face
from model.network import FIELD
from tests.worker.test_framing import face
from worker.composition import composition
from worker.crop import Search, allowed, best_crop
from worker.framing import FREE, SQUARE, Aspect, Subject, parse_aspects
from worker.score import Judge


class Brightness:
    """Scores a picture by its red: a scorer whose best window can be worked out by hand."""

    def unclipped(self, pictures: Sequence[Image.Image]) -> list[float]:
        return [float(np.asarray(picture)[..., 0].mean() / 255 * 9) for picture in pictures]

    def contributions(self, picture: Image.Image, stride: int) -> NDArray[np.float32]:
        red = np.asarray(picture.getchannel("R")) / 255 * 9
        rows, columns = (
            FIELD // 2 + stride * np.arange((side - FIELD) // stride + 1)
            for side in (picture.height, picture.width)
        )
        return red[np.ix_(rows, columns)].astype(np.float32)


def ramp(width: int, height: int) -> Image.Image:
    """Darker to the left, brighter to the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.dstack([np.tile(row, (height, 1))] * 3))


def test_the_search_goes_to_the_best_allowed_place() -> None:
    """On a ramp the best window lies as far to the right as the face allows."""
    found = face(450, 300)
    crop = best_crop(Brightness(), ramp(1000, 800), [found])
    assert (crop.box[0] + crop.box[2]) / 2 > (found.box[0] + found.box[2]) / 2
    assert crop.windows > 500 and crop.sizes > 5
    assert crop.step[0] < crop.step[1] < 30


def test_no_window_of_the_grid_is_better() -> None:
    """The crop is at least as good as every window of the grid, each scored by itself."""
    photo, found = ramp(900, 700), face(380, 260)
    subject = Subject.of([found], photo.size)
    grid = allowed(photo.size, subject, (SQUARE,), 500)
    search = Search(Brightness(), photo, subject)
    windows = search.dense(grid)
    totals = search.exact(windows.boxes) + composition(windows.boxes, subject)
    crop = best_crop(Brightness(), photo, [found], windows=500)
    box = np.array([crop.box])
    assert search.exact(box) + composition(box, subject) >= totals.max() - 0.01
    assert np.abs(totals - windows.totals).max() < 0.2  # this scorer looks at few pixels


@pytest.mark.parametrize("aspect", ["1:1", "4:5", "16:9", "free"])
def test_the_dense_pass_reads_exact_scores(judge: Judge, astronaut: Image.Image, aspect: str) -> None:
    """A window's score from the pass over its size is nearly that of the window cut out."""
    photo = astronaut.resize((900, 900))
    marks = tuple((x * 900 / 512, y * 900 / 512) for x, y in judge.finder.find(astronaut)[0].landmarks)
    (left, top, right, bottom) = (side * 900 / 512 for side in judge.finder.find(astronaut)[0].box)
    subject = Subject.of([Face((left, top, right, bottom), marks, 1.0)], photo.size)
    search = Search(judge.scorer, photo, subject)
    windows = search.dense(allowed(photo.size, subject, parse_aspects(aspect), 100))
    some = np.random.default_rng(0).choice(len(windows.boxes), 20, replace=False)
    exact = search.exact(windows.boxes[some]) + composition(windows.boxes[some], subject)
    assert np.abs(exact - windows.totals[some]).max() < 0.1
    assert np.abs(exact - windows.totals[some]).mean() < 0.03


def test_the_free_shape_is_at_least_as_good(judge: Judge, astronaut: Image.Image) -> None:
    """Free to choose, the search gives a crop of one of the nine shapes, all of them compared."""
    faces = judge.finder.find(astronaut)
    free = best_crop(judge.scorer, astronaut, faces, FREE, 500)
    width, height = free.box[2] - free.box[0], free.box[3] - free.box[1]
    assert any(width / height == pytest.approx(aspect.ratio) for aspect in FREE)
    square = best_crop(judge.scorer, astronaut, faces, windows=500)
    assert free.sizes > square.sizes


def test_a_tight_photo_has_few_windows() -> None:
    """Where the photo leaves no room, the crop says how few windows there were."""
    crop = best_crop(Brightness(), ramp(120, 140), [face(20, 25)])
    assert crop.windows < 300


def test_the_mirrored_photo_has_the_mirrored_crop() -> None:
    """The search has no favourite side, to a step of its grid, which begins at the left."""
    right = best_crop(Brightness(), ramp(1000, 800), [face(460, 300)])
    left = best_crop(
        Brightness(), ramp(1000, 800).transpose(Image.Transpose.FLIP_LEFT_RIGHT), [face(460, 300)]
    )
    assert left.box[0] == pytest.approx(1000 - right.box[2], abs=right.step[0])


@pytest.mark.parametrize("aspect", ["1:1", "4:5", "16:9"])
def test_the_score_is_the_crops_own(judge: Judge, astronaut: Image.Image, aspect: str) -> None:
    """The told score is that of the told box cut out; the box has the aspect and holds the face."""
    shape = Aspect.parse(aspect)
    (found,) = judge.finder.find(astronaut)
    crop = best_crop(judge.scorer, astronaut, [found], (shape,))
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
@pytest.mark.parametrize("aspect", ["1:1", "4:5", "16:9", "free"])
def test_faces_at_the_border(size: tuple[int, int], place: tuple[float, float], aspect: str) -> None:
    """Wherever the face is, the crop lies on the photo and holds the face."""
    found = face((size[0] - 80) * place[0], (size[1] - 100) * place[1])
    crop = best_crop(Brightness(), ramp(*size), [found], parse_aspects(aspect), 300)
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
