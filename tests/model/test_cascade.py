"""The face finder's networks against the library that they come from."""

import numpy as np
import pytest
import skimage.data
import torch
from facenet_pytorch import MTCNN
from matplotlib import cbook
from PIL import Image

from model.cascade import Cascade


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    """On the CPU."""
    return Cascade()


def _several() -> Image.Image:
    """Four people of different sizes, one cut by the photo's edge."""
    astronaut = Image.fromarray(skimage.data.astronaut())
    photo = Image.new("RGB", (640, 480), "teal")
    for place, size in (((0, 0), 300), ((320, 20), 200), ((540, 0), 250), ((60, 330), 120)):
        photo.paste(astronaut.resize((size, size)), place)
    return photo


def _photos() -> dict[str, Image.Image]:
    hopper = Image.open(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))).convert("RGB")
    return {
        "astronaut": Image.fromarray(skimage.data.astronaut()),
        "hopper": hopper,
        "several": _several(),
        "texture": Image.effect_noise((400, 300), 80).convert("RGB"),
        "narrow": hopper.crop((150, 0, 330, 600)),
        "coffee": Image.fromarray(skimage.data.coffee()),
    }


@pytest.mark.parametrize("smallest", [64, 20])
@pytest.mark.parametrize("name", sorted(_photos()))
def test_it_finds_what_the_library_finds(cascade: Cascade, name: str, smallest: int) -> None:
    """Boxes and landmarks within a hundredth of a pixel, probabilities within 0.0001."""
    photo = _photos()[name]
    with torch.inference_mode():
        boxes, probabilities, landmarks = MTCNN(keep_all=True, min_face_size=smallest).detect(photo, True)
    found = cascade.detect(photo, smallest)
    if boxes is None:
        assert len(found.boxes) == 0
        return
    left = np.argsort(boxes[:, 0].astype(float))
    ours = np.argsort(found.boxes[:, 0])
    assert np.abs(found.boxes[ours] - boxes[left].astype(float)).max() < 0.01
    assert np.abs(found.landmarks[ours] - landmarks[left].astype(float)).max() < 0.01
    assert np.abs(found.probabilities[ours] - probabilities[left].astype(float)).max() < 1e-4


def test_a_photo_smaller_than_the_smallest_face_has_none(cascade: Cascade) -> None:
    """The pyramid would be empty."""
    assert len(cascade.detect(Image.new("RGB", (400, 19)), 20).boxes) == 0
