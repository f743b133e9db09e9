"""The windows of a photo that are compared, and how their scores are read from few passes.

Windows with the same shorter side share one pass, whatever their aspect: they are all seen at
the same zoom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.network import DENSE_STRIDE, INPUT_SIZE, places
from worker.framing import Framing, Interval, Level
from worker.messages import Box

MOST_SIZES = 200
"""Sizes of window beyond which more tell nothing new, however many windows are asked for."""

FEWEST_SIZES = 6

CLOSEST = 1.02
"""Neighbouring sizes differ by at least this factor."""

SAMPLED = 24
"""Sizes that are looked at to tell how many windows a photo allows."""

Values = NDArray[np.float64]
Read = Callable[[Box, tuple[int, int]], NDArray[np.float32]]
"""From a box of the photo and the size to see it at, to the contributions of its places."""


@dataclass(frozen=True)
class Windows:
    """Windows with their totals so far, in points."""

    boxes: Values
    """Shape (n, 4)."""
    framings: NDArray[np.int64]
    """Which of the grid's framings each belongs to. Shape (n,)."""
    totals: Values
    """Shape (n,)."""

    def plus(self, points: Values) -> Windows:
        """The same with points added."""
        return Windows(self.boxes, self.framings, self.totals + points)

    def best(self, count: int) -> Windows:
        """The `count` with the highest totals (all, if there are fewer), in no order."""
        count = min(count, len(self.totals))
        first = np.argpartition(self.totals, -count)[-count:]
        return Windows(self.boxes[first], self.framings[first], self.totals[first])


@dataclass(frozen=True)
class Grid:
    """Sizes of windows, each with its allowed places; see `all_windows`."""

    framings: tuple[Framing, ...]
    levels: tuple[tuple[tuple[int, Level], ...], ...]
    """By shorter side, smallest first: which framings allow windows of it, and where."""

    def __len__(self) -> int:
        """How many sizes and shapes of window there are."""
        return sum(len(level) for level in self.levels)

    @property
    def step(self) -> Interval:
        """Pixels between neighbouring windows of the smallest and of the largest size."""
        sides = [self.levels[index][0][1].shorter for index in (0, -1)]
        return _step(sides[0]), _step(sides[1])

    def read(self, contributions: Read) -> Windows:
        """All windows with their scores, by one pass a size."""
        parts = [part for level in self.levels for part in self._read(level, contributions)]
        boxes, framings, totals = zip(*parts, strict=True)
        return Windows(np.concatenate(boxes), np.concatenate(framings), np.concatenate(totals))

    def _read(
        self, level: Sequence[tuple[int, Level]], contributions: Read
    ) -> Iterator[tuple[Values, NDArray[np.int64], Values]]:
        step = _step(level[0][1].shorter)
        left, top, size = _region(self.framings, level, step)
        zoom = DENSE_STRIDE / step
        box = (left, top, left + size[0] / zoom, top + size[1] / zoom)
        sums = _sums(contributions(box, size))
        for index, one in level:
            columns, rows = _on_grid(one.lefts, left, step), _on_grid(one.tops, top, step)
            across, down = (places(side) for side in self.framings[index].aspect.input_size)
            scores = _box_means(sums, down, across)[np.ix_(rows, columns)]
            tops, lefts = np.meshgrid(top + rows * step, left + columns * step, indexing="ij")
            corners = np.column_stack([lefts.ravel().clip(*one.lefts), tops.ravel().clip(*one.tops)])
            boxes = np.column_stack([corners, corners + np.array([one.width, one.height])])
            yield boxes, np.full(len(boxes), index), scores.ravel()


def all_windows(framings: Sequence[Framing], windows: int) -> Grid:
    """About `windows` windows that the framings allow, evenly over the logarithm of their size.

    At least `FEWEST_SIZES` sizes, so more windows than asked where one size has many; fewer where
    the photo leaves no room.
    """
    spans = [span for span in (framing.sides for framing in framings) if span[0] <= span[1]]
    if not spans:
        return Grid(tuple(framings), ())
    lowest, highest = min(low for low, _ in spans), max(high for _, high in spans)
    sampled = [_level(framings, side) for side in _sides(lowest, highest, SAMPLED)]
    each = sum(_count(level) for level in sampled) / len(sampled)
    most = max(FEWEST_SIZES, int(math.log(highest / lowest) / math.log(CLOSEST)) + 1)
    sizes = min(max(round(windows / max(each, 1e-9)), FEWEST_SIZES), most, MOST_SIZES)
    levels = [_level(framings, side) for side in _sides(lowest, highest, sizes)]
    kept = [level for level in levels if level] or [level for level in sampled if level]
    return Grid(tuple(framings), tuple(kept))


def _sides(lowest: float, highest: float, count: int) -> list[float]:
    sides = np.geomspace(lowest, highest, count)
    sides[0], sides[-1] = lowest, highest  # rounding would put the ends out of what is allowed
    return sorted(set(sides.tolist()))


def _level(framings: Sequence[Framing], side: float) -> tuple[tuple[int, Level], ...]:
    levels = ((index, framing.level(side)) for index, framing in enumerate(framings))
    return tuple((index, level) for index, level in levels if level is not None)


def _count(level: Sequence[tuple[int, Level]]) -> int:
    return sum(
        math.prod(int((last - first) / _step(one.shorter)) + 1 for first, last in (one.lefts, one.tops))
        for _, one in level
    )


def _step(shorter: float) -> float:
    return shorter * DENSE_STRIDE / INPUT_SIZE


def _region(
    framings: Sequence[Framing], level: Sequence[tuple[int, Level]], step: float
) -> tuple[float, float, tuple[int, int]]:
    """Left, top, and the size in the network's pixels, of all that the windows of a size cover."""
    left, top = min(one.lefts[0] for _, one in level), min(one.tops[0] for _, one in level)
    width = height = 0
    for index, one in level:
        needed = framings[index].aspect.input_size
        width = max(width, needed[0] + DENSE_STRIDE * _steps(one.lefts[1] - left, step))
        height = max(height, needed[1] + DENSE_STRIDE * _steps(one.tops[1] - top, step))
    return left, top, (width, height)


def _steps(length: float, step: float) -> int:
    return int(length / step + 1e-6)


def _on_grid(allowed: Interval, start: float, step: float) -> NDArray[np.int64]:
    """Numbers of the grid's places that lie in the interval; the one before it if none does."""
    last = _steps(allowed[1] - start, step)
    return np.arange(min(math.ceil((allowed[0] - start) / step - 1e-6), last), last + 1)


def _sums(values: NDArray[np.float32]) -> list[list[Values]]:
    """Integral sums of every second value, for each of the four shifts."""
    shifts = [[values[y::2, x::2].astype(np.float64) for x in (0, 1)] for y in (0, 1)]
    return [[np.pad(one, ((1, 0), (1, 0))).cumsum(0).cumsum(1) for one in row] for row in shifts]


def _box_means(sums: list[list[Values]], down: int, across: int) -> Values:
    """Means over all windows of `down` by `across` places, every second value apart."""
    totals = [
        [
            one[down:, across:] - one[:-down, across:] - one[down:, :-across] + one[:-down, :-across]
            for one in row
        ]
        for row in sums
    ]
    height = totals[0][0].shape[0] + totals[1][0].shape[0]
    width = totals[0][0].shape[1] + totals[0][1].shape[1]
    means = np.empty((height, width))
    for y, row in enumerate(totals):
        for x, one in enumerate(row):
            means[y::2, x::2] = one / (down * across)
    return means
