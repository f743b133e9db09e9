"""Crops of the rated portraits, with the scorer that we ship."""

import csv
from collections.abc import Iterator

import numpy as np
import pytest
import skimage.data
from PIL import Image

from model.faces import Face
from tests import needs
from tests.worker.test_frame import shares
from worker.crop import best_crop
from worker.framing import Aspect, parse_aspects
from worker.messages import Box
from worker.score import Judge
from worker.settings import PACKAGED_WEIGHTS

DATA = needs.DATA / "faces"

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="needs the rated faces"),
]


@pytest.fixture(scope="module")
def shipped() -> Judge:
    """With the weights that we ship."""
    return Judge.load(PACKAGED_WEIGHTS, "cpu", threads=1)


def portraits(every: int) -> Iterator[Image.Image]:
    """One in so many of the portraits that the composition was not learned from."""
    with (DATA / "ratings.csv").open(encoding="utf-8") as lines:
        images = [row["image"] for row in csv.DictReader(lines) if row["fold"] == "0"]
    for image in images[::every]:
        yield Image.open(DATA / image).convert("RGB")


def holds(box: Box, face: Face) -> bool:
    """Whether the face's box lies within, up to rounding."""
    left, top, right, bottom = face.box
    return box[0] <= left + 1 and box[1] <= top + 1 and box[2] >= right - 1 and box[3] >= bottom - 1


@pytest.mark.parametrize("aspect", ["1:1", "4:5", "16:9", "free"])
def test_no_crop_cuts_the_face(shipped: Judge, aspect: str) -> None:
    """Whatever the shape, as far as the face lies on the photo."""
    for photo in portraits(45):
        faces = shipped.finder.find(photo)
        if faces:
            crop = best_crop(shipped.scorer, photo, faces[:1], parse_aspects(aspect), 500)
            left, top, right, bottom = faces[0].box
            on_photo = max(0, left), max(0, top), min(photo.width, right), min(photo.height, bottom)
            assert holds(crop.box, Face(on_photo, faces[0].landmarks, 1.0))


def test_framings_are_recovered(shipped: Judge) -> None:
    """Of portraits put into a photographed scene the crop gives back the portrait: at the median,
    intersection over union is 0.75 and more.
    """
    found = []
    for number, portrait in enumerate(portraits(30)):
        chance = np.random.default_rng(number)
        width, height = portrait.size
        scene = Image.fromarray(skimage.data.coffee()).resize((2 * width, 2 * height))
        x, y = int(chance.uniform(0, width)), int(chance.uniform(0, height))
        scene.paste(portrait, (x, y))
        if faces := shipped.finder.find(scene):
            crop = best_crop(shipped.scorer, scene, faces[:1], (Aspect(width, height),))
            found.append(shares(crop.box, (x, y, x + width, y + height)))
    assert len(found) > 20
    assert np.median(found) >= 0.75
