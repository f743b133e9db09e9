"""The picture that is posted."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.worker.conftest import encoded
from worker.render import LONGEST_SIDE, badge_text, cut, render


def opened(data: bytes) -> Image.Image:
    """The JPEG that was rendered."""
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG"
    return picture


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((0, 0, 2000, 2000), (LONGEST_SIDE, LONGEST_SIDE)),
        ((100, 0, 2000, 1069), (1080, 608)),
        ((10.4, 20.6, 510.4, 645.6), (500, 625)),
        ((0, 0, 100, 100), (320, 320)),
        ((-0.2, -3, 400, 2000.7), (216, 1080)),
    ],
)
def test_sizes(box: tuple[float, float, float, float], size: tuple[int, int]) -> None:
    """At most 1080 pixels a side; small crops are enlarged, so that the badge can be read."""
    assert opened(render(Image.new("RGB", (2000, 2000)), box, 5, 0.9)).size == size


def test_the_worst_photo_is_small_enough() -> None:
    """Even noise stays far below the platforms' limit."""
    noise = Image.effect_noise((1500, 1500), 120).convert("RGB")
    assert len(render(noise, (0, 0, 1500, 1500), 9, 0.9)) < 4_000_000


def test_a_portrait_is_light(astronaut: Image.Image) -> None:
    """A usual answer is below 400 kB."""
    large = astronaut.resize((2048, 2048))
    assert len(render(large, (0, 0, 2048, 2048), 6.3, 0.9)) < 400_000


def test_no_metadata(astronaut: Image.Image) -> None:
    """What the camera wrote does not go out."""
    photo = astronaut.copy()
    exif = Image.Exif()
    exif[0x010E] = "at home"
    photo.info |= {"exif": exif.tobytes(), "comment": b"secret", "icc_profile": b"profile"}
    for data in (render(photo, (0, 0, 300, 300), 1, 0.9), cut(photo, (0, 0, 300, 300))):
        assert not opened(data).getexif()
        assert not {"exif", "comment", "icc_profile"} & set(opened(data).info)
        assert b"secret" not in data


def test_the_badge_stands_in_the_lower_left_corner() -> None:
    """Dark with light figures; the rest of the picture is untouched."""
    pixels = np.asarray(
        opened(render(Image.new("RGB", (600, 600), "grey"), (0, 0, 600, 600), 6.34, 0.9)).convert("L")
    )
    changed = np.argwhere(np.abs(pixels.astype(int) - 128) > 30)
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert top > 480 and bottom < 590 and left > 10 and right < 300
    assert pixels.min() < 60 and pixels.max() > 230


@pytest.mark.parametrize(
    ("score", "plus_minus", "text"),
    [(0, 0.2, "0.0 ± 0.2 of 9"), (6.349, 0.949, "6.3 ± 0.9 of 9"), (8.96, 3, "9.0 ± 3.0 of 9")],
)
def test_the_badges_text(score: float, plus_minus: float, text: str) -> None:
    """One decimal each, and the scale."""
    assert badge_text(score, plus_minus) == text


def test_the_badge_fits_the_narrowest_picture() -> None:
    """A crop five times as high as wide keeps both ends of its badge, and room beside it."""
    photo = Image.new("RGB", (400, 2000), "grey")
    picture = opened(render(photo, (0, 0, 400, 2000), 9, 3)).convert("L")
    changed = np.argwhere(np.abs(np.asarray(picture).astype(int) - 128) > 30)
    assert changed[:, 1].max() < picture.width - 10


def test_the_bare_cut_is_the_crop(astronaut: Image.Image) -> None:
    """Its own size, and no badge."""
    picture = opened(cut(astronaut, (100.2, 50.0, 300.0, 249.8)))
    expected = astronaut.crop((100, 50, 300, 250))
    assert picture.size == (200, 200)
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(expected)).mean() < 4
    assert encoded(expected)


@pytest.mark.parametrize("left", [0.0, 10.4, 10.6, 111.5])
def test_a_square_stays_square(astronaut: Image.Image, left: float) -> None:
    """Wherever its edges fall between pixels, and at the photo's edge."""
    data = cut(astronaut, (left, 20.3, left + 400.5, 420.8))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.width == picture.height == 400
