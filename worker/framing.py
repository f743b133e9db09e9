"""Which windows of a photo may be its crop: the face whole, room around it, enough pixels.

For one size of window every rule allows an interval of left edges and one of top edges, so the
allowed windows of one size are known by a rectangle of corners. Which of them looks best is
`worker.composition`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.faces import Face
from model.network import INPUT_SIZE
from worker.messages import Box

Interval = tuple[float, float]


@dataclass(frozen=True)
class Aspect:
    """Width to height, as in 4:5."""

    width: float
    height: float

    @classmethod
    def parse(cls, text: str) -> Aspect:
        """Read `W:H`. Raises ValueError unless it lies between 1:3 and 3:1."""
        width, _, height = text.partition(":")
        try:
            aspect = cls(float(width), float(height))
            fits = 1 / 3 <= aspect.ratio <= 3
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f"an aspect reads like 1:1, 4:5, 16:9 or free, not {text!r}") from error
        if not fits or aspect.height < 0:
            raise ValueError(f"an aspect lies between 1:3 and 3:1; {text!r} does not")
        return aspect

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height in pixels of a window as the network sees it; the shorter is `INPUT_SIZE`."""
        return round(INPUT_SIZE * max(1.0, self.ratio)), round(INPUT_SIZE * max(1.0, 1 / self.ratio))

    def sides(self, shorter: float) -> tuple[float, float]:
        """Width and height of the window whose shorter side is given."""
        return shorter * max(1.0, self.ratio), shorter * max(1.0, 1 / self.ratio)


SQUARE = Aspect(1, 1)

FREE = tuple(
    Aspect(*sides) for sides in ((9, 16), (2, 3), (3, 4), (4, 5), (1, 1), (5, 4), (4, 3), (3, 2), (16, 9))
)
"""The shapes that `free` chooses from."""


def parse_aspects(text: str) -> tuple[Aspect, ...]:
    """Read `W:H`, or `free` for all of `FREE`. Raises ValueError as `Aspect.parse` does."""
    return FREE if text == "free" else (Aspect.parse(text),)


@dataclass(frozen=True)
class Rules:
    """What no crop may break. Margins are in face heights, and end at the photo's edge."""

    face: Interval = (0.18, 0.72)
    """Height of the face as a share of the window's height. (Of several: as they span.)"""
    above: float = 0.35
    """Room over the face's box, which ends near the hair line: for hair and some air."""
    below: float = 0.12
    beside: float = 0.12
    eyes: Interval = (0.22, 0.58)
    """The eye line, from the window's top, as a share of its height."""
    middle: Interval = (0.26, 0.74)
    """The face's middle, from the window's left, as a share of its width."""
    narrowest: float = 200.0
    """Pixels of the window's shorter side."""


RELAXED = (
    Rules(),
    Rules(above=0.25),
    Rules(above=0.25, narrowest=0.0),
    Rules((0.15, 0.8), 0.2, 0.05, 0.05, (0.2, 0.6), (0.2, 0.8), 0.0),
    Rules((0.1, 0.8), 0.1, 0.0, 0.0, (0.15, 0.62), (0.15, 0.85), 0.0),
    Rules((0.02, 1.0), 0.0, 0.0, 0.0, (0.0, 1.0), (0.0, 1.0), 0.0),
)
"""Tried in this order until one allows a window: less hair, few pixels, less room, and at last the
window just holds the face. After them stands `largest_window`."""


@dataclass(frozen=True)
class Subject:
    """What a crop must show, in the photo's pixels."""

    box: Box
    unit: float
    """Height of a face."""
    eye_line: float

    @property
    def extent(self) -> float:
        """Height of one face; of several, the larger side of what they span."""
        left, top, right, bottom = self.box
        return max(self.unit, bottom - top, (right - left) if right - left > 1.5 * self.unit else 0.0)

    @property
    def middle(self) -> float:
        """Between the left and the right end."""
        return (self.box[0] + self.box[2]) / 2

    @classmethod
    def of(cls, faces: Sequence[Face], photo_size: tuple[int, int]) -> Subject:
        """All these faces (at least one) together, as far as they lie on the photo."""
        lefts, tops, rights, bottoms = zip(*(face.box for face in faces), strict=True)
        width, height = photo_size
        box = max(0.0, min(lefts)), max(0.0, min(tops)), min(width, max(rights)), min(height, max(bottoms))
        unit = sum(face.height for face in faces) / len(faces)
        return cls(box, unit, sum(face.eyes[1] for face in faces) / len(faces))


@dataclass(frozen=True)
class Level:
    """All allowed windows of one size: their top left corners fill a rectangle."""

    width: float
    height: float
    lefts: Interval
    tops: Interval

    @property
    def shorter(self) -> float:
        """Pixels of the windows' shorter side."""
        return min(self.width, self.height)

    def window(self, left: float, top: float) -> Box:
        """The allowed window nearest to the one with this corner."""
        left = min(max(left, self.lefts[0]), self.lefts[1])
        top = min(max(top, self.tops[0]), self.tops[1])
        return left, top, left + self.width, top + self.height


@dataclass(frozen=True)
class Framing:
    """The windows of one aspect that rules allow around a subject."""

    photo_size: tuple[int, int]
    subject: Subject
    aspect: Aspect
    rules: Rules

    def level(self, shorter: float) -> Level | None:
        """The allowed windows with this shorter side in pixels, or None if there are none."""
        lowest, highest = self.sides
        if not lowest <= shorter <= highest:
            return None
        width, height = self.aspect.sides(shorter)
        lefts, tops = self._lefts(width), self._tops(height)
        fits = lefts[0] <= lefts[1] and tops[0] <= tops[1]
        return Level(width, height, lefts, tops) if fits else None

    @property
    def sides(self) -> Interval:
        """Least and most pixels of an allowed window's shorter side; none is if least > most."""
        left, top, right, bottom = self.subject.box
        least, most = self.rules.face
        ratio = self.aspect.ratio
        # Several faces side by side need width, not height.
        smallest = max((bottom - top) / most, (right - left) / most / ratio)
        width, height = self.photo_size
        largest = min(smallest * most / least, height, width / ratio)
        to_side = min(1.0, ratio)
        return max(smallest * to_side, self.rules.narrowest), largest * to_side

    def _lefts(self, width: float) -> Interval:
        left, _, right, _ = self.subject.box
        beside, middle = self.rules.beside * self.subject.unit, (left + right) / 2
        edge = self.photo_size[0]
        nearest = min(edge, right + beside) - width
        farthest = max(0.0, left - beside)
        first, last = self.rules.middle
        return max(0.0, nearest, middle - last * width), min(edge - width, farthest, middle - first * width)

    def _tops(self, height: float) -> Interval:
        _, top, _, bottom = self.subject.box
        above, below = self.rules.above * self.subject.unit, self.rules.below * self.subject.unit
        edge, eyes = self.photo_size[1], self.subject.eye_line
        nearest = min(edge, bottom + below) - height
        farthest = max(0.0, top - above)
        first, last = self.rules.eyes
        return max(0.0, nearest, eyes - last * height), min(edge - height, farthest, eyes - first * height)


def largest_window(photo_size: tuple[int, int], subject: Subject, aspect: Aspect) -> Box:
    """The largest window of this aspect that keeps the subject whole; else the whole photo."""
    width, height = photo_size
    wide, high = min(width, height * aspect.ratio), min(height, width / aspect.ratio)
    left, top, right, bottom = subject.box
    if right - left > wide or bottom - top > high:
        return 0.0, 0.0, float(width), float(height)
    at_left = min(max((left + right - wide) / 2, 0.0), width - wide)
    at_top = min(max((top + bottom - high) / 2, 0.0), height - high)
    return at_left, at_top, at_left + wide, at_top + high
