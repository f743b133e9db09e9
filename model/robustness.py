"""How far a score moves when a photo is altered in ways that change nothing about the person."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from model.faces import Face

Alteration = Callable[[Image.Image, Sequence[Face]], Image.Image]
"""From an upright RGB photo and its faces to an altered RGB photo; the faces are in its pixels."""

TURN = 10.0
"""Degrees."""

BORDER = 0.15
"""Width of the border, as a share of the photo's longer side."""

AROUND = (0.8, 0.9)
"""Half axes of the ellipse that keeps a face and its hair, as shares of the face's width and height."""

SOFT = 0.08
"""Softness of the ellipse's edge, as a share of the face's width."""

BACKGROUND = (70, 110, 150)


@dataclass(frozen=True)
class Movement:
    """How far one alteration moves scores, over all photos that had a face."""

    alteration: str
    n: int
    """Altered photos with a score."""
    no_face: int
    """Altered photos in which no face was found any more."""
    median: float
    """Of the absolute differences, in points."""
    percentile_95: float
    mean: float
    """Of altered less original, in points: whether it lifts or lowers."""


def movements(told: Sequence[float], altered: Sequence[Mapping[str, float | None]]) -> tuple[Movement, ...]:
    """Per alteration, from the photos' scores and the scores of their altered copies (None: no face)."""
    return tuple(_movement(name, told, [scores[name] for scores in altered]) for name in ALTERATIONS)


def mirrored(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """Left and right exchanged."""
    return ImageOps.mirror(photo)


def turned_on_white(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """Turned by 10 degrees against the clock, whole, with white corners."""
    return photo.rotate(TURN, Image.Resampling.BICUBIC, expand=True, fillcolor="white")


def turned_on_black(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """Turned by 10 degrees with the clock, whole, with black corners."""
    return photo.rotate(-TURN, Image.Resampling.BICUBIC, expand=True, fillcolor="black")


def turned_on_edges(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """Turned by 10 degrees with the clock, whole; the corners go on as the edges end."""
    width, height = photo.rotate(-TURN, expand=True).size
    pad = max(width - photo.width, height - photo.height) + 2
    wide = Image.fromarray(np.pad(np.asarray(photo), ((pad, pad), (pad, pad), (0, 0)), mode="edge"))
    turned = wide.rotate(-TURN, Image.Resampling.BICUBIC)
    left, top = (turned.width - width) // 2, (turned.height - height) // 2
    return turned.crop((left, top, left + width, top + height))


def halved(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """Half as wide and as high."""
    return _resized(photo, 0.5)


def enlarged(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """One and a half times as wide and as high."""
    return _resized(photo, 1.5)


def recompressed(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """As JPEG of quality 50, and back."""
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=50)
    return Image.open(file).convert("RGB")


def bordered(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """With a white border of 15 % of the longer side."""
    return ImageOps.expand(photo, round(BORDER * max(photo.size)), "white")


def colourless(photo: Image.Image, _: Sequence[Face]) -> Image.Image:
    """Black and white."""
    return photo.convert("L").convert("RGB")


def on_plain_background(photo: Image.Image, faces: Sequence[Face]) -> Image.Image:
    """All but the faces and some hair replaced by one colour."""
    return Image.composite(photo, Image.new("RGB", photo.size, BACKGROUND), _around(photo, faces))


def on_noise(photo: Image.Image, faces: Sequence[Face]) -> Image.Image:
    """All but the faces and some hair replaced by coloured noise, the same for each size of photo."""
    pixels = np.random.default_rng(0).integers(0, 256, (photo.height, photo.width, 3), np.uint8)
    return Image.composite(photo, Image.fromarray(pixels), _around(photo, faces))


ALTERATIONS: Mapping[str, Alteration] = {
    "mirrored": mirrored,
    "turned by 10 degrees, on white": turned_on_white,
    "turned by -10 degrees, on black": turned_on_black,
    "turned by -10 degrees, edges go on": turned_on_edges,
    "half the size": halved,
    "1.5 times the size": enlarged,
    "JPEG of quality 50": recompressed,
    "white border of 15 %": bordered,
    "black and white": colourless,
    "plain background": on_plain_background,
    "noise as background": on_noise,
}
"""By the name that reports call them."""


def _around(photo: Image.Image, faces: Iterable[Face]) -> Image.Image:
    mask = Image.new("L", photo.size, 0)
    widest = 0.0
    for face in faces:
        left, top, right, bottom = face.box
        width, height = (right - left) * AROUND[0], (bottom - top) * AROUND[1]
        x, y = (left + right) / 2, (top + bottom) / 2
        ImageDraw.Draw(mask).ellipse((x - width, y - height, x + width, y + height), fill=255)
        widest = max(widest, right - left)
    return mask.filter(ImageFilter.GaussianBlur(widest * SOFT))


def _resized(photo: Image.Image, factor: float) -> Image.Image:
    size = max(1, round(photo.width * factor)), max(1, round(photo.height * factor))
    return photo.resize(size, Image.Resampling.LANCZOS)


def _movement(name: str, told: Sequence[float], altered: Sequence[float | None]) -> Movement:
    moved = np.array([new - old for old, new in zip(told, altered, strict=True) if new is not None])
    missing = len(altered) - len(moved)
    if not len(moved):
        return Movement(name, 0, missing, np.nan, np.nan, np.nan)
    median, high = np.percentile(np.abs(moved), [50, 95])
    return Movement(name, len(moved), missing, float(median), float(high), float(moved.mean()))
