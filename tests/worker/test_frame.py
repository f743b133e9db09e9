"""Pictures within pictures."""

from collections.abc import Callable

import pytest
import skimage.data
from PIL import Image, ImageFilter

from model.faces import FaceFinder
from worker.crop import best_crop
from worker.frame import find_frame
from worker.messages import Box
from worker.score import Judge

FACE = (165.0, 60.0, 285.0, 220.0)
"""Around the astronaut's, in her own picture."""


SCENES: dict[str, Callable[[tuple[int, int]], Image.Image]] = {
    "black": lambda size: Image.new("RGB", size),
    "white": lambda size: Image.new("RGB", size, "white"),
    "green": lambda size: Image.new("RGB", size, (30, 140, 60)),
    "photo": lambda size: Image.fromarray(skimage.data.coffee()).resize(size),
    "blurred": lambda size: (
        Image.fromarray(skimage.data.chelsea()).resize(size).filter(ImageFilter.GaussianBlur(12))
    ),
}


def within(scene: str, astronaut: Image.Image, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """The astronaut in a scene."""
    around = SCENES[scene](size)
    around.paste(astronaut, corner)
    return around


def shares(box: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    areas = sum((one[2] - one[0]) * (one[3] - one[1]) for one in (box, other))
    return width * height / (areas - width * height)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("enlarged", [1, 3])
def test_a_pasted_picture_is_found(astronaut: Image.Image, scene: str, enlarged: int) -> None:
    """Whatever is around it, and however large: to a hundredth of its sides."""
    photo = within(scene, astronaut, (1000, 900), (310, 170))
    photo = photo.resize((1000 * enlarged, 900 * enlarged))
    face = [(edge + corner) * enlarged for edge, corner in zip(FACE, (310, 170, 310, 170), strict=True)]
    frame = find_frame(photo, (face[0], face[1], face[2], face[3]))
    assert frame is not None
    own = [edge * enlarged for edge in (310, 170, 310 + 512, 170 + 512)]
    assert frame == pytest.approx(own, abs=0.01 * 512 * enlarged)


@pytest.mark.parametrize("bars", [(0, 120), (150, 0)])
def test_bars_are_found(astronaut: Image.Image, bars: tuple[int, int]) -> None:
    """Above and below, or left and right; the other sides are the photo's own."""
    across, down = bars
    photo = within("black", astronaut, (512 + 2 * across, 512 + 2 * down), bars)
    face = (FACE[0] + across, FACE[1] + down, FACE[2] + across, FACE[3] + down)
    frame = find_frame(photo, face)
    assert frame == pytest.approx((across, down, across + 512, down + 512), abs=4)


@pytest.mark.parametrize("turned", [None, *Image.Transpose])
def test_a_photo_without_one_has_none(astronaut: Image.Image, turned: Image.Transpose | None) -> None:
    """Flags, a shuttle and a suit are no frame; nor are a cat's whiskers."""
    photo = astronaut if turned is None else astronaut.transpose(turned)
    middle = (200.0, 200.0, 300.0, 300.0)
    assert find_frame(photo, middle) is None
    cat = Image.fromarray(skimage.data.chelsea())
    assert find_frame(cat if turned is None else cat.transpose(turned), middle) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (12, 12), (40, 30)])
def test_tiny_photos_have_none(size: tuple[int, int]) -> None:
    """And do no harm."""
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    assert find_frame(Image.new("RGB", size, "white"), whole) is None


@pytest.mark.parametrize(
    "face", [(-30.0, -30.0, 700.0, 700.0), (0.0, 0.0, 1.0, 1.0), (511.0, 511.0, 512.0, 512.0)]
)
def test_faces_anywhere(astronaut: Image.Image, face: Box) -> None:
    """A face may reach beyond the photo, or lie in its corner."""
    frame = find_frame(astronaut, face)
    assert frame is None or (frame[0] >= 0 and frame[3] <= 512)


def test_the_crop_is_the_framed_picture(judge: Judge, astronaut: Image.Image) -> None:
    """Of a portrait in a scene the best crop is the portrait, told with its frame."""
    portrait = astronaut.crop((90, 0, 360, 270))
    photo = within("photo", portrait.resize((540, 540)), (1300, 1000), (500, 260))
    faces = FaceFinder().find(photo)
    crop = best_crop(judge.scorer, photo, faces[:1])
    own = (500.0, 260.0, 1040.0, 800.0)
    assert crop.frame == pytest.approx(own, abs=6)
    assert shares(crop.box, own) > 0.8
