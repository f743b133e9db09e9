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

from model.network import FIELD, INPUT_SIZE, STRIDE, places
from worker.framing import Framing, Interval, Level
from worker.messages import Box

MOST_SIZES = 200
"""Sizes of window beyond which more tell nothing new, however many windows are asked for."""

FEWEST_SIZES = 8

STRIDES = (4, 8)
"""Pixels, as the network sees them, between neighbouring windows: the first that leaves enough sizes,
since more windows of a size cost less than more sizes."""

CLOSEST = 1.02
"""Neighbouring sizes differ by at least this factor."""

UNSEEN = INPUT_SIZE - FIELD - STRIDE * (places(INPUT_SIZE) - 1)
"""Pixels of a window's last rows and columns that none of its places sees."""

SAMPLED = 24
"""Sizes that are looked at to tell how many windows a photo allows."""

Values = NDArray[np.float64]
Read = Callable[[Sequence[tuple[Box, tuple[int, int]]], tuple[int, int], int], NDArray[np.float32]]
"""From boxes of the photo, each with the width and height to see it at, the width and height of a
canvas that holds any of them, and a stride, to the contributions of the canvases' places."""

AT_ONCE = 4
"""Sizes that share a pass: more gain nothing."""

MOST_PIXELS = 300_000
"""Of a pass over several sizes; a pass beyond it leaves the processor's cache."""

CANVAS_STEP = 32
"""Canvases differ by multiples of it, for a CPU prepares itself for each new size of canvas."""


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
    stride: int = STRIDES[0]
    """Pixels between neighbouring windows, as the network sees them."""

    def __len__(self) -> int:
        """How many sizes and shapes of window there are."""
        return sum(len(level) for level in self.levels)

    @property
    def step(self) -> Interval:
        """Pixels between neighbouring windows of the smallest and of the largest size."""
        sides = [self.levels[index][0][1].shorter for index in (0, -1)]
        return _step(sides[0], self.stride), _step(sides[1], self.stride)

    def read(self, contributions: Read) -> Windows:
        """All windows with their scores, by one pass over a few sizes each."""
        regions = [_region(self.framings, level, self.stride) for level in self.levels]
        parts: list[tuple[Values, NDArray[np.int64], Values]] = []
        for together in _passes(regions, self.stride):
            canvas = _canvas([regions[index].size for index in together], self.stride)
            maps = contributions([(regions[i].box, regions[i].size) for i in together], canvas, self.stride)
            for index, values in zip(together, maps, strict=True):
                parts += self._read(self.levels[index], regions[index], _sums(values, STRIDE // self.stride))
        boxes, framings, totals = zip(*parts, strict=True)
        return Windows(np.concatenate(boxes), np.concatenate(framings), np.concatenate(totals))

    def _read(
        self, level: Sequence[tuple[int, Level]], region: _Region, sums: list[list[Values]]
    ) -> Iterator[tuple[Values, NDArray[np.int64], Values]]:
        (left, top, _, _), step = region.box, region.step
        for index, one in level:
            columns, rows = _on_grid(one.lefts, left, step), _on_grid(one.tops, top, step)
            across, down = (places(side) for side in self.framings[index].aspect.input_size)
            scores = _box_means(sums, down, across)[np.ix_(rows, columns)]
            tops, lefts = np.meshgrid(top + rows * step, left + columns * step, indexing="ij")
            corners = np.column_stack([lefts.ravel().clip(*one.lefts), tops.ravel().clip(*one.tops)])
            boxes = np.column_stack([corners, corners + np.array([one.width, one.height])])
            yield boxes, np.full(len(boxes), index), scores.ravel()


@dataclass(frozen=True)
class _Region:
    """All that the windows of one size cover."""

    box: Box
    """In the photo's pixels."""
    size: tuple[int, int]
    """Width and height in pixels as the network sees it."""
    step: float
    """The photo's pixels between neighbouring windows."""


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
    most = min(MOST_SIZES, int(math.log(highest / lowest) / math.log(CLOSEST)) + 1)
    for stride in STRIDES:
        each = sum(_count(level, stride) for level in sampled) / len(sampled)
        sizes = round(windows / max(each, 1e-9))
        if sizes >= FEWEST_SIZES:
            break
    levels = [_level(framings, side) for side in _sides(lowest, highest, min(max(sizes, FEWEST_SIZES), most))]
    kept = [level for level in levels if level] or [level for level in sampled if level]
    return Grid(tuple(framings), tuple(kept), stride)


def _sides(lowest: float, highest: float, count: int) -> list[float]:
    sides = np.geomspace(lowest, highest, count)
    sides[0], sides[-1] = lowest, highest  # rounding would put the ends out of what is allowed
    return sorted(set(sides.tolist()))


def _level(framings: Sequence[Framing], side: float) -> tuple[tuple[int, Level], ...]:
    levels = ((index, framing.level(side)) for index, framing in enumerate(framings))
    return tuple((index, level) for index, level in levels if level is not None)


def _count(level: Sequence[tuple[int, Level]], stride: int) -> int:
    step = _step(level[0][1].shorter, stride) if level else 1.0
    return sum(
        math.prod(_steps(last - first, step) + 1 for first, last in (one.lefts, one.tops)) for _, one in level
    )


def _step(shorter: float, stride: int) -> float:
    return shorter * stride / INPUT_SIZE


def _region(framings: Sequence[Framing], level: Sequence[tuple[int, Level]], stride: int) -> _Region:
    step = _step(level[0][1].shorter, stride)
    left, top = min(one.lefts[0] for _, one in level), min(one.tops[0] for _, one in level)
    width = height = 0
    for index, one in level:
        needed = framings[index].aspect.input_size
        width = max(width, needed[0] + stride * _steps(one.lefts[1] - left, step))
        height = max(height, needed[1] + stride * _steps(one.tops[1] - top, step))
    to_photo = step / stride
    return _Region((left, top, left + width * to_photo, top + height * to_photo), (width, height), step)


def _canvas(sizes: Sequence[tuple[int, int]], stride: int) -> tuple[int, int]:
    """The least of few sizes that holds all that the network looks at of each."""
    least = FIELD - stride
    width, height = (
        least + max(0, -(-(max(sides) - UNSEEN - least) // CANVAS_STEP) * CANVAS_STEP)
        for sides in zip(*sizes, strict=True)
    )
    return width, height


def _passes(regions: Sequence[_Region], stride: int) -> Iterator[list[int]]:
    """Numbers of neighbouring sizes that go together."""
    together: list[int] = []
    for index in range(len(regions)):
        tried = [*together, index]
        pixels = len(tried) * math.prod(_canvas([regions[one].size for one in tried], stride))
        if together and (len(tried) > AT_ONCE or pixels > MOST_PIXELS):
            yield together
            tried = [index]
        together = tried
    yield together


def _steps(length: float, step: float) -> int:
    return int(length / step + 1e-6)


def _on_grid(allowed: Interval, start: float, step: float) -> NDArray[np.int64]:
    """Numbers of the grid's places that lie in the interval; the one before it if none does."""
    last = _steps(allowed[1] - start, step)
    return np.arange(min(math.ceil((allowed[0] - start) / step - 1e-6), last), last + 1)


def _sums(values: NDArray[np.float32], apart: int) -> list[list[Values]]:
    """Integral sums of the values that are so far apart, for each shift."""
    shifts = [[values[y::apart, x::apart].astype(np.float64) for x in range(apart)] for y in range(apart)]
    return [[np.pad(one, ((1, 0), (1, 0))).cumsum(0).cumsum(1) for one in row] for row in shifts]


def _box_means(sums: list[list[Values]], down: int, across: int) -> Values:
    """Means over all windows of `down` by `across` places of one shift."""
    totals = [
        [
            one[down:, across:] - one[:-down, across:] - one[down:, :-across] + one[:-down, :-across]
            for one in row
        ]
        for row in sums
    ]
    height, width = sum(row[0].shape[0] for row in totals), sum(one.shape[1] for one in totals[0])
    means = np.empty((height, width))
    apart = len(totals)
    for y, row in enumerate(totals):
        for x, one in enumerate(row):
            means[y::apart, x::apart] = one / (down * across)
    return means
