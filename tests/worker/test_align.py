"""From bytes to an aligned face, or the reason why not."""

import csv

import numpy as np
import pytest
from PIL import Image, ImageFilter

from model.faces import Face
from model.network import INPUT_SIZE
from tests import needs
from tests.worker.conftest import encoded
from tests.worker.drawing import cartoon
from worker.align import Aligned, align
from worker.messages import Refusal
from worker.score import Judge

DATA = needs.DATA / "faces"


def aligned(judge: Judge, data: bytes) -> Aligned:
    """The aligned face of a photo that must have one."""
    result = align(data, judge.finder)
    assert isinstance(result, Aligned), result
    return result


def test_a_portrait_is_aligned(judge: Judge, hopper: bytes) -> None:
    """A plain portrait gives its one face, and the picture that the scorer wants."""
    result = aligned(judge, hopper)
    assert len(result.faces) == 1
    assert result.picture.size == (INPUT_SIZE, INPUT_SIZE)
    assert result.photo.size == (512, 600)


def test_the_largest_face_is_taken(judge: Judge, astronaut: Image.Image) -> None:
    """Of two faces the larger one is scored; both are counted."""
    pair = Image.new("RGB", (900, 512), "grey")
    pair.paste(astronaut.crop((100, 0, 400, 300)).resize((450, 450)), (0, 0))
    pair.paste(astronaut.crop((100, 0, 400, 300)), (550, 100))
    result = aligned(judge, encoded(pair))
    assert len(result.faces) == 2
    assert result.face.box[2] < 450


@pytest.mark.parametrize(
    "turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]
)
def test_a_photo_without_exif_is_turned_upright(
    judge: Judge, astronaut: Image.Image, turn: Image.Transpose
) -> None:
    """A photo that lies on its side or its head is scored and cropped as it should stand."""
    upright = aligned(judge, encoded(astronaut))
    result = aligned(judge, encoded(astronaut.transpose(turn)))
    assert np.array_equal(np.asarray(result.photo), np.asarray(upright.photo))
    assert result.face.box == pytest.approx(upright.face.box, abs=1)


def changed(photo: Image.Image, change: str) -> Image.Image:
    """A poorer version of a photo that is still good enough."""
    if change == "grey":
        return photo.convert("L")
    if change == "small":
        return photo.resize((220, 220))
    return photo.filter(ImageFilter.GaussianBlur(float(change)))


@pytest.mark.parametrize("change", ["grey", "small", "1", "2"])
def test_poor_photos_still_pass(judge: Judge, astronaut: Image.Image, change: str) -> None:
    """Black and white, few pixels, or a little blur (the face is 100 pixels high): scored."""
    aligned(judge, encoded(changed(astronaut, change)))


def test_a_coarse_jpeg_passes(judge: Judge, astronaut: Image.Image) -> None:
    """JPEG at quality 30 is no drawing."""
    aligned(judge, encoded(astronaut, "JPEG", quality=30))
    aligned(judge, encoded(astronaut.convert("L"), "JPEG", quality=30))


def test_no_face(judge: Judge) -> None:
    """A picture of something else."""
    import skimage.data

    coffee = Image.fromarray(skimage.data.coffee())
    assert align(encoded(coffee), judge.finder) is Refusal.NO_FACE


def test_a_tiny_face(judge: Judge, hopper: bytes) -> None:
    """A face 22 pixels high says nothing."""
    photo = aligned(judge, hopper).photo
    small = photo.resize((48, 56), Image.Resampling.LANCZOS)
    scene = Image.effect_noise((300, 300), 20).convert("RGB")
    scene.paste(small, (120, 120))
    assert align(encoded(scene), judge.finder) is Refusal.TINY_FACE


def test_a_blurred_face(judge: Judge, hopper: bytes) -> None:
    """Out of focus by a tenth of the eyes' distance."""
    blurred = aligned(judge, hopper).photo.filter(ImageFilter.GaussianBlur(12))
    assert align(encoded(blurred), judge.finder) is Refusal.BLURRED


@pytest.mark.parametrize("size", [200, 400, 800])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_drawing(judge: Judge, size: int, kind: str) -> None:
    """A cartoon is refused even where MTCNN finds a face in it."""
    picture = cartoon(size)
    assert judge.finder.find(picture)
    assert align(encoded(picture, kind), judge.finder) is Refusal.DRAWING


@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_a_blank_picture(judge: Judge, colour: str) -> None:
    """Nothing to see."""
    assert align(encoded(Image.new("RGB", (300, 200), colour)), judge.finder) is Refusal.DRAWING


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (19, 19)])
def test_too_small_for_any_face(judge: Judge, size: tuple[int, int]) -> None:
    """A dot or a line has no face, and breaks nothing."""
    assert align(encoded(Image.new("RGB", size)), judge.finder) in (Refusal.DRAWING, Refusal.NO_FACE)


def test_unreadable_bytes(judge: Judge, hopper: bytes) -> None:
    """What is no picture, or only half of one, is refused for that."""
    assert align(b"hello", judge.finder) is Refusal.NOT_A_PICTURE
    assert align(hopper[: len(hopper) // 2], judge.finder) is Refusal.BROKEN_PICTURE


class FixedFinder:
    """Finds the same face in every photo."""

    def __init__(self, *landmarks: tuple[float, float]) -> None:
        self.face = Face((180.0, 100.0, 350.0, 330.0), landmarks, 0.999)

    def find(self, photo: Image.Image) -> list[Face]:
        return [self.face]


@pytest.mark.parametrize(
    "landmarks",
    [
        ((220, 190), (300, 190), (315, 240), (240, 285), (290, 285)),  # nose beyond the right eye
        ((220, 190), (300, 190), (205, 240), (230, 285), (280, 285)),  # beyond the left eye
        ((250, 190), (280, 190), (270, 240), (250, 285), (280, 285)),  # eyes close together
        ((260, 190), (260, 190), (260, 240), (260, 285), (260, 285)),  # all in one line
    ],
)
def test_a_face_turned_away(hopper: bytes, landmarks: tuple[tuple[float, float], ...]) -> None:
    """A profile shows in where the eyes and the nose lie."""
    assert align(hopper, FixedFinder(*landmarks)) is Refusal.TURNED_AWAY


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="needs the rated faces")
def test_rated_portraits_pass(judge: Judge) -> None:
    """Of the portraits that people rated, 97 of 100 and more are scored."""
    with (DATA / "ratings.csv").open(encoding="utf-8") as lines:
        images = [row["image"] for row in csv.DictReader(lines)][::26]
    refused = [
        image for image in images if isinstance(align((DATA / image).read_bytes(), judge.finder), Refusal)
    ]
    assert len(refused) <= 0.03 * len(images), refused
