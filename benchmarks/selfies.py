"""JPEG files of any size with any number of faces, made from scikit-image's astronaut."""

from __future__ import annotations

import io
import math

import numpy as np
import skimage.data
from PIL import Image

GRAIN = 5.0
"""Standard deviation of the noise, of 255: an enlargement alone would be a smoother file than a photo."""


def selfie(width: int, height: int, faces: int = 1, seed: int = 0) -> bytes:
    """A JPEG with so many people side by side and below one another; `seed` varies its noise and light."""
    chance = np.random.default_rng(seed)
    across = math.ceil(math.sqrt(faces * width / height))
    side = min(width // across, height // math.ceil(faces / across))
    person = Image.fromarray(skimage.data.astronaut()).resize((side, side), Image.Resampling.BICUBIC)
    photo = Image.new("RGB", (width, height), (96, 110, 120))
    for place in range(faces):
        photo.paste(person, (place % across * side, place // across * side))
    grain = chance.normal(chance.uniform(-8, 8), GRAIN, (height, width, 1)).astype(np.float32)
    pixels = np.clip(np.asarray(photo, np.float32) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()
