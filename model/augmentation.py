"""What training does to context pictures before the network sees them.

Works on bytes with OpenCV: all of a picture's colour changes, and the colour of what lies beyond
the photo's edge, are one linear map of its four channels.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data import CONTEXT_SIZE
from model.faces import BORDER, VIEWS
from model.network import INPUT_SIZE

Picture = NDArray[np.uint8]
Matrix = NDArray[np.float64]

WINDOW_SHARE = 0.3
"""Share of the pictures shown as a loose window of the photo, as the crop search sees it."""

BACKGROUND_SHARE = 0.15
"""Share of the pictures whose surroundings give way to a plain colour."""

GREY_SHARE = 0.12
JPEG_SHARE = 0.2


def augment(contexts: Picture, generator: np.random.Generator) -> Picture:
    """Random placement, background, border, mirror, colour, sharpness and compression.

    Shape: (batch, CONTEXT_SIZE, CONTEXT_SIZE, 4) RGB and alpha -> (batch, INPUT_SIZE, INPUT_SIZE, 3).
    """
    return np.stack([_altered(context, generator) for context in contexts])


def views(contexts: Picture) -> Picture:
    """The canonical faces' views, as `model.faces.views` cuts them from photos.

    Shape: (batch, CONTEXT_SIZE, CONTEXT_SIZE, 4) -> (views, batch, INPUT_SIZE, INPUT_SIZE, 3).
    """
    return np.stack([np.stack([_view(context, zoom) for context in contexts]) for zoom in VIEWS])


def _view(context: Picture, zoom: float) -> Picture:
    offset = (CONTEXT_SIZE - 1) / 2 - zoom * (INPUT_SIZE - 1) / 2
    cut = _cut(context, np.array([[zoom, 0, offset], [0, zoom, offset]])).astype(np.float32)
    alpha = cut[..., 3:] / 255
    filled = cut[..., :3] * alpha + np.array(BORDER, np.float32) * (1 - alpha)
    return (filled + 0.5).astype(np.uint8)


def _cut(context: Picture, placement: Matrix) -> Picture:
    """Through `placement`, a matrix (2, 3) from the input's pixels to the context's."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (INPUT_SIZE, INPUT_SIZE)
    cut = cv2.warpAffine(context, placement, size, flags=flags, borderValue=(*BORDER, 0))
    return np.asarray(cut, np.uint8)


def _altered(context: Picture, generator: np.random.Generator) -> Picture:
    if generator.random() < BACKGROUND_SHARE:
        context = _cut_out(context)
    picture = _cut(context, _placement(generator))
    colours = _colours(float(np.mean(cv2.mean(picture)[:3])), generator)
    coloured = np.asarray(cv2.transform(picture, colours), np.uint8)
    return _worn(_softened(coloured, generator), generator)


def _placement(generator: np.random.Generator) -> Matrix:
    """From the input's pixels to the context's: (2, 3)."""
    window = generator.random() < WINDOW_SHARE
    zoom = math.exp(generator.uniform(0, math.log(2)) if window else generator.uniform(-0.12, 0.12))
    angle = generator.uniform(-0.2, 0.2) if window else generator.uniform(-0.15, 0.15)
    # A loose window may hold the face anywhere; the told score's face stays nearly in place.
    reach = max(0.04, zoom - 0.85) * 0.6 if window else 0.05
    shift = generator.uniform(-reach, reach, 2) * CONTEXT_SIZE / 2
    mirror = -1.0 if generator.random() < 0.5 else 1.0
    cos, sin = math.cos(angle) * zoom, math.sin(angle) * zoom
    turn = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
    middle = (INPUT_SIZE - 1) / 2
    offset = (CONTEXT_SIZE - 1) / 2 + shift - turn @ np.full(2, middle)
    return np.column_stack([turn, offset])


def _cut_out(context: Picture) -> Picture:
    """The head alone: beyond an ellipse around it there is nothing."""
    mask = _ellipse()
    bare = np.array([*BORDER, 0], np.float32)
    return (context * mask + bare * (1 - mask) + 0.5).astype(np.uint8)


@lru_cache(1)
def _ellipse() -> NDArray[np.float32]:
    """1 on a head in its canonical place, softly 0 beyond. Shape (CONTEXT_SIZE, CONTEXT_SIZE, 1)."""
    mask = np.zeros((CONTEXT_SIZE, CONTEXT_SIZE), np.float32)
    middle = CONTEXT_SIZE // 2
    cv2.ellipse(
        mask, (middle, middle), (round(0.44 * INPUT_SIZE), round(0.6 * INPUT_SIZE)), 0, 0, 360, 1.0, -1
    )
    return cv2.GaussianBlur(mask, (0, 0), 4)[..., None].astype(np.float32)


def _colours(mean: float, generator: np.random.Generator) -> Matrix:
    """From red, green, blue and alpha to what is shown: (3, 5), the last column added.

    Border: alpha lets any colour through, since the photo's edge tells which source it came from.
    """
    fill = generator.uniform(0, 255, 3) if generator.random() < 0.7 else np.array(BORDER, float)
    if generator.random() < 0.15:
        fill = np.full(3, 255.0)
    beyond = fill - np.array(BORDER)
    saturation = 0.0 if generator.random() < GREY_SHARE else generator.uniform(0.6, 1.4)
    luma = np.tile([0.299, 0.587, 0.114], (3, 1))
    gains = generator.uniform(0.94, 1.06, (3, 1)) if saturation else 1.0
    contrast, brightness = generator.uniform(0.75, 1.25, 2)
    change = gains * contrast * (saturation * np.eye(3) + (1 - saturation) * luma)
    added = gains * np.full((3, 1), mean * (brightness - contrast))
    return np.hstack([change, change @ (-beyond[:, None] / 255), change @ beyond[:, None] + added])


def _softened(picture: Picture, generator: np.random.Generator) -> Picture:
    amount = generator.uniform(-1, 1)
    if amount <= 0:
        return picture
    small = round(INPUT_SIZE / (1 + 1.5 * amount))
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _worn(picture: Picture, generator: np.random.Generator) -> Picture:
    """As after a pass through somebody's JPEG files."""
    if generator.random() >= JPEG_SHARE:
        return picture
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(30, 90))]
    packed = cv2.imencode(".jpg", picture, quality)[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)
