"""From a file's bytes to an upright RGB photo, whatever a telephone may have written.

Training and the worker both read photos here, so that a scorer never meets a picture
decoded differently from those that it learned from.
"""

from __future__ import annotations

import io
import warnings
from enum import StrEnum

import pillow_heif
from PIL import Image, ImageOps

LONGEST_SIDE = 2048
"""Pixels. Larger photos are reduced on reading; no step after this one gains from more."""

MOST_PIXELS = 100_000_000
"""Width times height that we agree to decode; beyond it a file is taken for a bomb."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "MPO", "BMP", "TIFF")


class Unreadable(StrEnum):
    """Why bytes did not become a photo."""

    NOT_A_PICTURE = "not_a_picture"
    BROKEN = "broken_picture"
    TOO_MANY_PIXELS = "too_many_pixels"


def read_photo(data: bytes) -> Image.Image | Unreadable:
    """Decode `data` into an upright RGB photo of at most `LONGEST_SIDE` pixels a side.

    Animated files give their first frame, transparency lies on white, CMYK, palette and
    16-bit pictures become 8-bit RGB, the EXIF orientation is applied and all metadata dropped.
    """
    pillow_heif.register_heif_opener()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Unreadable.TOO_MANY_PIXELS
    except Exception:  # Pillow's readers raise whatever struct, zlib and friends raise
        return Unreadable.NOT_A_PICTURE
    if picture.width * picture.height > MOST_PIXELS:
        return Unreadable.TOO_MANY_PIXELS
    try:
        return _upright_rgb(picture)
    except Exception:  # as above: a truncated or malformed body, of any format
        return Unreadable.BROKEN


def _upright_rgb(picture: Image.Image) -> Image.Image:
    # JPEG only: decode at 1/2, 1/4 or 1/8 where the photo stays larger than we need.
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    picture.seek(0)
    exif = picture.getexif()
    picture = _eight_bit_rgb(picture)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture.getexif()[0x0112] = exif.get(0x0112, 1)
    upright = ImageOps.exif_transpose(picture)
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    return bare


def _eight_bit_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        # Pillow clips 16-bit grey to 255 on conversion; divide instead.
        wide = picture.convert("I")
        high = wide.getextrema()[1]
        picture = wide.point(lambda value: value * (1 / 257)).convert("L") if _above(high) else wide.convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _above(high: object) -> bool:
    return isinstance(high, int | float) and high > 255
