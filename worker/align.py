"""From bytes to a photo, its faces and the one aligned face; or why there is none to score.

The thresholds were measured on 5,257 portraits with known ratings (at least 99 % must pass, in
colour or grey, at JPEG quality 30, and blurred by 2 of 320 pixels) and on drawn, blurred, tiny
and turned counterexamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.faces import Face, canonical
from model.photo import Unreadable, read_photo
from worker.messages import Refusal

SMALLEST_EYES = 11.0
"""Pixels of the photo between the eyes; a face of this size is some 30 pixels high."""

NOSE_BEYOND = 0.6
"""How far from the eyes' middle the nose may lie, in eye distances; portraits: 99.8 % below."""

NARROWEST_EYES = 0.62
"""Eye distance as seen, over what it would be from the front; portraits: 99.9 % above."""

SHARPEST_BLUR = 0.45
"""Least `_sharpness`; portraits 0.63 to 1.2, blurred by 2 of 320 px 0.52 to 0.85, by 8 px below 0.35."""

PLAIN_SHARE = 0.38
"""Share of the face in five neighbouring grey levels; portraits: 99.5 % below."""

FLAT_SHARE = 0.27
"""Share of neighbouring pixels that are equal; only together with `PLAIN_SHARE`."""

FLAT_SHARE_ALONE = 0.85
"""The same, enough by itself to call a picture drawn or empty."""

EMPTY_SPREAD = 4.0
"""Standard deviation, of 255 grey levels, below which a picture shows next to nothing."""

SURE = 0.99
"""MTCNN's probability above which a face counts as upright; it half-finds faces upside down."""

TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180)


class Finder(Protocol):
    """`model.faces.FaceFinder`, as far as we need it."""

    def find(self, photo: Image.Image, /) -> list[Face]:
        """All faces of an upright RGB photo, the largest first."""


@dataclass(frozen=True)
class Aligned:
    """A photo with a face to score."""

    photo: Image.Image
    """Upright, RGB."""
    faces: tuple[Face, ...]
    """All that were found, the largest first."""
    picture: Image.Image
    """The largest face's canonical picture, as the scorer wants it."""

    @property
    def face(self) -> Face:
        """The face that is scored: the largest."""
        return self.faces[0]


def align(data: bytes, finder: Finder) -> Aligned | Refusal:
    """Read a photo, find its faces, and cut the largest as the scorer wants it."""
    photo = read_photo(data)
    if isinstance(photo, Unreadable):
        return Refusal(photo.value)
    photo, faces = _find_upright(photo, finder)
    if not faces:
        return Refusal.DRAWING if _is_empty(photo) else Refusal.NO_FACE
    picture = canonical(photo, faces[0])
    return _reason(photo, faces[0], picture) or Aligned(photo, tuple(faces), picture)


def _find_upright(photo: Image.Image, finder: Finder) -> tuple[Image.Image, list[Face]]:
    """The faces, and the photo turned so that they stand upright: many files lost their EXIF."""
    best, faces = photo, finder.find(photo)
    if faces and faces[0].probability >= SURE:
        return best, faces
    for turn in TURNS:
        turned = photo.transpose(turn)
        found = finder.find(turned)
        if found and found[0].probability >= max(SURE, _probability(faces)):
            best, faces = turned, found
    return best, faces


def _probability(faces: list[Face]) -> float:
    return faces[0].probability if faces else 0.0


def _reason(photo: Image.Image, face: Face, picture: Image.Image) -> Refusal | None:
    if _is_drawn(photo, face, picture):
        return Refusal.DRAWING
    if face.scale < SMALLEST_EYES:
        return Refusal.TINY_FACE
    if _is_turned(face):
        return Refusal.TURNED_AWAY
    return Refusal.BLURRED if _sharpness(photo, face) < SHARPEST_BLUR else None


def _is_turned(face: Face) -> bool:
    (ax, ay), (bx, by), (nose_x, nose_y) = face.landmarks[:3]
    across, down = bx - ax, by - ay
    length = max(across**2 + down**2, 1e-9)
    nose = ((nose_x - ax) * across + (nose_y - ay) * down) / length
    return abs(nose - 0.5) > NOSE_BEYOND or face.eye_distance < NARROWEST_EYES * face.scale


def _sharpness(photo: Image.Image, face: Face) -> float:
    """Contrast of the finest detail over that of the next finer, in the face at 64 pixels.

    At that size the photo's own resolution does not matter, unless the face is tiny.
    """
    size = 64
    grey = np.asarray(canonical(photo, face, size).convert("L"), np.float64)
    fine, coarse = _smoothed(grey, 1.0), _smoothed(grey, 2.5)
    inner = slice(size // 5, size - size // 5)
    finest, finer = (grey - fine)[inner, inner].std(), (fine - coarse)[inner, inner].std()
    # The floor keeps noise on an even grey from passing for detail.
    return float(finest / max(finer, 0.3))


def _smoothed(grey: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    distance = np.subtract.outer(np.arange(len(grey)), np.arange(len(grey)))
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    smoothed: NDArray[np.float64] = weights @ grey @ weights.T
    return smoothed


def _is_drawn(photo: Image.Image, face: Face, picture: Image.Image) -> bool:
    flat = _flat_share(photo.crop(_within(photo, face)))
    return flat > FLAT_SHARE_ALONE or (flat > FLAT_SHARE and _plain_share(picture) > PLAIN_SHARE)


def _within(photo: Image.Image, face: Face) -> tuple[int, int, int, int]:
    left, top = max(0, int(face.box[0])), max(0, int(face.box[1]))
    right, bottom = min(photo.width, int(face.box[2])), min(photo.height, int(face.box[3]))
    return min(left, photo.width - 2), min(top, photo.height - 2), max(right, left + 2), max(bottom, top + 2)


def _flat_share(picture: Image.Image) -> float:
    pixels = np.asarray(picture).astype(np.int16)
    if pixels.shape[1] < 2:
        return 1.0
    return float((np.abs(np.diff(pixels, axis=1)).max(axis=-1) == 0).mean())


def _plain_share(picture: Image.Image) -> float:
    """How much of a canonical face's inner part lies in five neighbouring grey levels."""
    margin = picture.width // 6
    inner = picture.crop((margin, margin, picture.width - margin, picture.height - margin))
    counts = np.array(inner.convert("L").histogram())
    # Deep shadow and glaring light are flat on photos, too.
    between = counts[20:245]
    return float(np.convolve(between, np.ones(5), "valid").max() / counts.sum())


def _is_empty(photo: Image.Image) -> bool:
    spread = float(np.asarray(photo.convert("L")).std())
    return spread < EMPTY_SPREAD or _flat_share(photo) > FLAT_SHARE_ALONE
