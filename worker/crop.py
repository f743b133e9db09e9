"""The best crop of a photo, searched globally over x, y and scale.

A level of the search, all allowed windows of one size, is one pass of the unpadded network over
what they cover, and one box mean a window. The best few windows of all levels are scored again on
their own pixels, and the best of them is moved and scaled continuously.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.faces import Face
from model.network import INPUT_SIZE, STRIDE, places
from worker.framing import RELAXED, SQUARE, Aspect, Framing, Level, Subject, largest_window
from worker.messages import Box

RESCORED = 16
"""How many windows of the dense search are scored again on their own pixels."""

ROUNDS = 3
"""Rounds of moving and scaling the best window, each with half the step of the one before."""

SCALE_STEP = 0.06
"""First step of scaling; the first step of moving is half a place's stride."""

Scored = tuple[float, Box]


class WindowScorer(Protocol):
    """`model.predict.Scorer`, as far as the search needs it."""

    def unclipped(self, pictures: Sequence[Image.Image], /) -> list[float]:
        """Scores of RGB pictures of one size."""

    def contributions(self, picture: Image.Image, /) -> NDArray[np.float32]:
        """What each place of a picture adds; a window's score is the mean over its places."""


@dataclass(frozen=True)
class Crop:
    """The best window of a photo."""

    box: Box
    score: float
    """0..9, not rounded."""
    whole_score: float
    """Of the whole photo, on the same scale."""
    windows: int
    """How many windows were compared."""


def best_crop(
    scorer: WindowScorer, photo: Image.Image, faces: Sequence[Face], aspect: Aspect = SQUARE
) -> Crop:
    """The best of the windows that look right around all of `faces` (at least one)."""
    subject = Subject.of(faces, photo.size)
    search = _Search(scorer, photo, aspect)
    score, box = _framed(search, subject) or search.alone(largest_window(photo.size, subject, aspect))
    whole_score, _ = search.alone((0.0, 0.0, float(photo.width), float(photo.height)))
    return Crop(box, _clipped(score), _clipped(whole_score), search.windows)


def _framed(search: _Search, subject: Subject) -> Scored | None:
    for rules in RELAXED:
        framing = Framing(search.photo.size, subject, search.aspect, rules)
        if levels := framing.levels():
            return search.best(framing, levels)
    return None


class _Search:
    """One photo's windows of one aspect; counts those that were compared."""

    def __init__(self, scorer: WindowScorer, photo: Image.Image, aspect: Aspect) -> None:
        self.photo, self.aspect = photo, aspect
        self.windows = 0
        self._scorer = scorer

    def best(self, framing: Framing, levels: Sequence[Level]) -> Scored:
        dense = sorted((found for level in levels for found in self._dense(level)), reverse=True)
        best = max(self.exact([box for _, box in dense[:RESCORED]]))
        for halvings in range(ROUNDS):
            best = max([best, *self.exact(list(_neighbours(framing, best[1], 0.5**halvings)))])
        return best

    def exact(self, boxes: Sequence[Box]) -> list[Scored]:
        """Windows scored on their own pixels."""
        self.windows += len(boxes)
        cuts = [_cut(self.photo, box, self.aspect.input_size) for box in boxes]
        return list(zip(self._scorer.unclipped(cuts), boxes, strict=True))

    def alone(self, box: Box) -> Scored:
        """A box of any aspect, scored with its shorter side at the network's own size."""
        width, height = box[2] - box[0], box[3] - box[1]
        zoom = INPUT_SIZE / min(width, height)
        self.windows += 1
        return self._scorer.unclipped([_cut(self.photo, box, (round(width * zoom), round(height * zoom)))])[
            0
        ], box

    def _dense(self, level: Level) -> list[Scored]:
        zoom = INPUT_SIZE / min(level.width, level.height)
        picture = self._region(level, zoom)
        across, down = (places(side) for side in self.aspect.input_size)
        scores = _box_means(self._scorer.contributions(picture), down, across)
        self.windows += scores.size
        step = STRIDE / zoom
        return [
            (float(score), level.window(level.lefts[0] + column * step, level.tops[0] + row * step))
            for (row, column), score in np.ndenumerate(scores)
        ]

    def _region(self, level: Level, zoom: float) -> Image.Image:
        """All that the level's windows cover, at the size at which one window fills the input."""
        least = self.aspect.input_size
        (left, last_left), (top, last_top) = level.lefts, level.tops
        width, height = least[0] + int((last_left - left) * zoom), least[1] + int((last_top - top) * zoom)
        return _cut(self.photo, (left, top, left + width / zoom, top + height / zoom), (width, height))


def _neighbours(framing: Framing, box: Box, step: float) -> Iterator[Box]:
    left, top, right, bottom = box
    move = step * STRIDE / INPUT_SIZE / 2 * min(right - left, bottom - top)
    for grow, along, down in ((0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1), (-1, 0, 0), (1, 0, 0)):
        factor = (1 + SCALE_STEP * step) ** grow
        level = framing.level((bottom - top) * factor)
        if level is not None:
            middle, centre = (left + right) / 2 + along * move, (top + bottom) / 2 + down * move
            yield level.window(middle - level.width / 2, centre - level.height / 2)


def _cut(photo: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    left, top, right, bottom = box
    # Rounding may carry a window past the edge by some 1e-13 pixels, which Pillow refuses.
    within = max(0.0, left), max(0.0, top), min(photo.width, right), min(photo.height, bottom)
    return photo.resize(size, Image.Resampling.BICUBIC, within, reducing_gap=3.0)


def _box_means(values: NDArray[np.float32], down: int, across: int) -> NDArray[np.float64]:
    """Means over all boxes of `down` by `across` values."""
    sums = np.pad(values.astype(np.float64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    totals = sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across] + sums[:-down, :-across]
    means: NDArray[np.float64] = totals / (down * across)
    return means


def _clipped(score: float) -> float:
    return min(max(score, 0.0), 9.0)
