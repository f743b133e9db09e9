"""Photos for the benchmarks: real ones from a folder, or the astronaut in several settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter

from model.photo import Unreadable, read_photo


def photos(folder: Path | None, count: int) -> Iterator[Image.Image]:
    """At most `count` photos of `folder`; without one, variations of scikit-image's astronaut."""
    if folder is None:
        yield from (_variation(number) for number in range(count))
        return
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    read = (read_photo(path.read_bytes()) for path in files)
    for _, photo in zip(range(count), (one for one in read if not isinstance(one, Unreadable)), strict=False):
        yield photo


def scene(photo: Image.Image, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """A larger picture with the photo at `corner` and a blurred, dimmed enlargement of it around."""
    behind = photo.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(size[0] / 40))
    around = ImageEnhance.Brightness(behind).enhance(0.8)
    around.paste(photo, corner)
    return around


def _variation(number: int) -> Image.Image:
    """Another light, colour, size and place each time; the first is nearly the original."""
    chance = np.random.default_rng(number)
    side = int(chance.uniform(500, 900))
    photo = Image.fromarray(skimage.data.astronaut()).resize((side, side), Image.Resampling.BICUBIC)
    if number % 2:
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        photo = change(photo).enhance(chance.uniform(0.8, 1.2))
    room = chance.integers(50, 600, 2)
    corner = int(chance.uniform(0, room[0])), int(chance.uniform(0, room[1]))
    return scene(photo, (side + int(room[0]), side + int(room[1])), corner)
