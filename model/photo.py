"""From a file's bytes to an upright RGB photo, whatever a telephone may have written.

Training and the worker both read photos here, so that a scorer never meets a picture
decoded differently from those that it learned from.
"""

from __future__ import annotations

import io
import warnings
from enum import StrEnum
from functools import cache

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

LONGEST_SIDE = 2048
"""Pixels. Larger photos are reduced on reading; no step after this one gains from more."""

ENOUGH_SIDE = 1920
"""Pixels. A JPEG that still has them on its longest side when its decoder halves it (or quarters it,
or eighths) is taken so: a 12-megapixel telephone's at 2016, in a quarter of the time."""

MOST_PIXELS = 64_000_000
"""Width times height that we agree to decode whole (up to 0.6 GB); larger files count as bombs."""

MOST_PIXELS_REDUCIBLE = 256_000_000
"""The same for baseline JPEG, which is reduced while it is decoded: 200-megapixel telephones exist."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
"""Pillow's names of what we open; its JPEG includes telephones' multi-picture files (MPO)."""

ORIENTATION = 0x0112
"""EXIF's tag for how the camera was held."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation."""


class Unreadable(StrEnum):
    """Why bytes did not become a photo."""

    NOT_A_PICTURE = "not_a_picture"
    BROKEN = "broken_picture"
    TOO_MANY_PIXELS = "too_many_pixels"


def read_photo(data: bytes) -> Image.Image | Unreadable:
    """Decode `data` into an upright RGB photo of at most `LONGEST_SIDE` pixels a side.

    Animated files give their first frame, transparency lies on white, CMYK, palette and
    16-bit pictures become 8-bit RGB, colours of another profile (a telephone's Display P3) become
    sRGB's, the EXIF orientation is applied and all metadata dropped.
    """
    _prepare_pillow()
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception:  # Pillow's readers raise whatever struct, zlib and friends raise
        return Unreadable.BROKEN if _begins_like_a_picture(data) else Unreadable.NOT_A_PICTURE
    if picture.width * picture.height > _most_pixels(picture):
        return Unreadable.TOO_MANY_PIXELS
    try:
        return _upright_rgb(picture)
    except Exception:  # as above: a truncated or malformed body, of any format
        return Unreadable.BROKEN


def _begins_like_a_picture(data: bytes) -> bool:
    accepts = (Image.OPEN[name][1] for name in FORMATS)
    # Where Pillow knows a format but cannot read it, it answers with a sentence.
    return any(accept is not None and accept(data[:16]) is True for accept in accepts)


@cache
def _prepare_pillow() -> None:
    pillow_heif.register_heif_opener()
    Image.init()
    # Pillow would refuse a large telephone's JPEG; `_most_pixels` knows better per format.
    Image.MAX_IMAGE_PIXELS = None
    # Malformed EXIF around a sound photo is none of the operator's business.
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")


def _most_pixels(picture: Image.Image) -> int:
    # A progressive JPEG keeps all its coefficients in memory, however small we decode it.
    reducible = picture.format in ("JPEG", "MPO") and not picture.info.get("progressive")
    return MOST_PIXELS_REDUCIBLE if reducible else MOST_PIXELS


def _upright_rgb(picture: Image.Image) -> Image.Image:
    picture.draft(None, _within(picture.size, ENOUGH_SIDE))  # JPEG only: at 1/2, 1/4 or 1/8 of its size
    picture.load()
    size = _within(picture.size, LONGEST_SIDE)
    orientation, profile = _orientation(picture), picture.info.get("icc_profile")
    picture = _eight_bit(picture)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", size, "white"), picture)
    bare = Image.new("RGB", size, None)  # not filled: all of it is pasted over
    bare.paste(picture)
    _to_srgb(bare, profile)
    return bare.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else bare


def _to_srgb(picture: Image.Image, profile: object) -> None:
    if not isinstance(profile, bytes):
        return
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() == "RGB" and "sRGB" not in ImageCms.getProfileName(source):
            ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError, TypeError):
        return  # a malformed profile around sound pixels: their numbers are the best we have


def _within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _orientation(picture: Image.Image) -> int:
    # After load(): TIFF and HEIF readers turn the picture themselves and then say 1.
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # malformed EXIF around sound pixels; its parser raises anything, too
        return 1


def _eight_bit(picture: Image.Image) -> Image.Image:
    """As RGB, or as RGBA where something is transparent."""
    if picture.mode.startswith("I;16"):  # Pillow clips at 255 where it should divide
        return Image.fromarray((np.asarray(picture) // 257).astype(np.uint8)).convert("RGB")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)
