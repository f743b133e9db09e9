"""Photos for the benchmarks: real ones from a folder, or the astronaut in several settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter

from model.photo import Unreadable, read_photo


def photos(folder: Path | None, count: int, with_room: bool = False) -> Iterator[Image.Image]:
    """At most `count` photos of `folder`, evenly from all its files; without a folder, variations of
    scikit-image's astronaut, each with room around.

    With `with_room` the folder's photos, doubled in size, get room around them, too.
    """
    if folder is None:
        yield from (_variation(number) for number in range(count))
        return
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for number, file in enumerate(files[:: max(1, len(files) // count)][:count]):
        photo = read_photo(file.read_bytes())
        if not isinstance(photo, Unreadable):
            yield (
                _roomy(photo.resize((2 * photo.width, 2 * photo.height)), number, 2.0) if with_room else photo
            )


def _variation(number: int) -> Image.Image:
    """Another light, colour, size and place each time."""
    chance = np.random.default_rng(number)
    side = int(chance.uniform(700, 1300))
    photo = Image.fromarray(skimage.data.astronaut()).resize((side, side), Image.Resampling.BICUBIC)
    if number % 2:
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        photo = change(photo).enhance(chance.uniform(0.8, 1.2))
    return _roomy(photo, number, 1.0)


def _roomy(photo: Image.Image, number: int, most: float) -> Image.Image:
    """The photo at some place of a larger picture that goes on from its edges, by at most so many times
    its sides.
    """
    chance = np.random.default_rng(number)
    room = [int(side * chance.uniform(0.2, 1.0) * most) for side in photo.size]
    left, top = int(chance.uniform(0, room[0])), int(chance.uniform(0, room[1]))
    pads = ((top, room[1] - top), (left, room[0] - left), (0, 0))
    around = Image.fromarray(np.pad(np.asarray(photo), pads, "edge")).filter(ImageFilter.BoxBlur(6))
    around.paste(photo, (left, top))
    return around
