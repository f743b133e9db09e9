"""Finding faces and cutting the canonical face; training and the worker share this module."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from model.cascade import Cascade, Found
from model.network import INPUT_SIZE

DETECTION_SIDE = 640
"""Pixels: faces are looked for on the photo reduced to this longest side."""

SMALLEST_FACE = 64
"""Pixels on the reduced photo: the first, fast look; the second look goes down to a third."""

SMALLEST_FACE_SECOND_LOOK = 20

CERTAIN = 0.9
"""MTCNN's own probability below which a find is not called a face."""

EYE_DISTANCE = 0.28
"""Distance of the eyes in the canonical face, as a share of its side."""

EYE_LINE = 0.42
"""Height of the eyes in the canonical face, from the top, as a share of its side."""

EYES_TO_MOUTH = 1.06
"""Eyes-to-mouth over eye distance of a face seen from the front (median of our training photos)."""

VIEWS = (0.92, 1.08)
"""The told score is the mean over the canonical face at these zooms; both agree better with people
than one (model/LOG.md, experiment 8)."""

BORDER = (128, 128, 128)
"""What stands beyond the photo's edge in a canonical face."""


@dataclass(frozen=True)
class Face:
    """A face in a photo; all lengths and places in the photo's pixels."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    landmarks: tuple[tuple[float, float], ...]
    """Left eye, right eye, nose, left and right mouth corner, as the viewer sees them."""
    probability: float

    def moved(self, along: float, down: float) -> Face:
        """The same face in a photo whose corner lies elsewhere."""
        left, top, right, bottom = self.box
        box = left + along, top + down, right + along, bottom + down
        marks = tuple((x + along, y + down) for x, y in self.landmarks)
        return Face(box, marks, self.probability)

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return self.box[3] - self.box[1]

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * self.height

    @property
    def eyes(self) -> tuple[float, float]:
        """The point midway between the eyes."""
        (ax, ay), (bx, by) = self.landmarks[:2]
        return (ax + bx) / 2, (ay + by) / 2

    @property
    def tilt(self) -> float:
        """Angle of the eye line in radians, positive where the right eye is lower."""
        (ax, ay), (bx, by) = self.landmarks[:2]
        return math.atan2(by - ay, bx - ax)

    @property
    def eye_distance(self) -> float:
        """Distance of the eyes as seen, in pixels; short when the head is turned."""
        (ax, ay), (bx, by) = self.landmarks[:2]
        return math.hypot(bx - ax, by - ay)

    @property
    def scale(self) -> float:
        """Eye distance in pixels that the face would have from the front."""
        eye_x, eye_y = self.eyes
        (ax, ay), (bx, by) = self.landmarks[3:]
        to_mouth = math.hypot((ax + bx) / 2 - eye_x, (ay + by) / 2 - eye_y)
        return max(self.eye_distance, to_mouth / EYES_TO_MOUTH)


class FaceFinder:
    """Looks for faces on a reduced photo, first for large ones."""

    def __init__(self, device: str = "cpu") -> None:
        self._cascade = Cascade(device)

    def find(self, photo: Image.Image) -> list[Face]:
        """All faces of an upright RGB photo, the largest first; empty if there is none."""
        scale = min(1.0, DETECTION_SIDE / max(photo.size))
        size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
        small = (
            photo if size == photo.size else photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
        )
        for smallest in (SMALLEST_FACE, SMALLEST_FACE_SECOND_LOOK):
            if faces := _certain(self._cascade.detect(small, smallest), 1 / scale):
                return sorted(faces, key=lambda face: face.area, reverse=True)
        return []


def canonical(photo: Image.Image, face: Face, size: int = INPUT_SIZE, zoom_out: float = 1.0) -> Image.Image:
    """The face upright, eyes at their fixed places, as a square RGB picture of `size` pixels.

    `zoom_out` shows that many times more of the photo around the canonical square's centre.
    """
    side = face.scale / EYE_DISTANCE
    eye_x, eye_y = face.eyes
    cos, sin = math.cos(face.tilt), math.sin(face.tilt)
    # The square's centre lies below the eyes, along the face's own upright.
    down = (0.5 - EYE_LINE) * side
    centre = (eye_x - sin * down, eye_y + cos * down)
    step = side * zoom_out / size
    shrink = max(1, int(step))
    (left, top), source = _reduced_around(photo, centre, side * zoom_out, shrink)
    a, b = cos * step / shrink, -sin * step / shrink
    d, e = sin * step / shrink, cos * step / shrink
    half = size / 2
    x, y = (centre[0] - left) / shrink, (centre[1] - top) / shrink
    matrix = (a, b, x - (a + b) * half, d, e, y - (d + e) * half)
    return source.transform(
        (size, size),
        Image.Transform.AFFINE,
        matrix,
        Image.Resampling.BICUBIC,
        fillcolor=(*BORDER, 0)[: len(source.mode)],
    )


def _reduced_around(
    photo: Image.Image, centre: tuple[float, float], side: float, shrink: int
) -> tuple[tuple[int, int], Image.Image]:
    """What a square of this side may show, however turned, reduced; and where it begins in the photo.

    It begins at a multiple of `shrink`, so that its pixels are those of the whole photo reduced.
    """
    reach = side * math.sqrt(0.5) + 4 * shrink
    edges = [
        (max(0, int((middle - reach) // shrink) * shrink), min(length, math.ceil(middle + reach)))
        for middle, length in zip(centre, photo.size, strict=True)
    ]
    (left, right), (top, bottom) = edges
    if left >= right or top >= bottom:  # the square lies off the photo
        return (0, 0), photo.reduce(shrink)
    if shrink == 1:
        return (left, top), photo.crop((left, top, right, bottom))
    return (left, top), photo.reduce(shrink, (left, top, right, bottom))


def views(photo: Image.Image, face: Face) -> list[Image.Image]:
    """The canonical face as the told score sees it: a little nearer, and a little farther off."""
    return [canonical(photo, face, INPUT_SIZE, zoom) for zoom in VIEWS]


def _certain(found: Found, scale: float) -> list[Face]:
    boxes, landmarks = (found.boxes * scale).tolist(), (found.landmarks * scale).tolist()
    return [
        Face((left, top, right, bottom), tuple((x, y) for x, y in marks), probability)
        for (left, top, right, bottom), marks, probability in zip(
            boxes, landmarks, found.probabilities.tolist(), strict=True
        )
        if probability >= CERTAIN
    ]
