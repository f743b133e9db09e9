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

from model.network import FIELD, INPUT_SIZE, STRIDE, places, seen
from worker.framing import Framing, Interval, Level
from worker.messages import Box

FEWEST_SIZES = 6

STRIDES = (4, 8)
"""Pixels, as the network sees them, between neighbouring windows: the first that leaves enough sizes,
since more windows of a size cost less than more sizes."""

CLOSEST = 1.02
"""Neighbouring sizes differ by at least this factor."""

SAMPLED = 24
"""Sizes that are looked at to tell how many windows a photo allows."""

Values = NDArray[np.float64]
Read = Callable[[Box, tuple[int, int], tuple[int, int], int], NDArray[np.float32]]
"""From a box of the photo, the width and height to see it at, those of a canvas that holds it, and a
stride, to the contributions of the canvas's places."""

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
        """All windows with their scores, by one pass a size."""
        parts = [part for level in self.levels for part in self._read(level, contributions)]
        boxes, framings, totals = zip(*parts, strict=True)
        return Windows(np.concatenate(boxes), np.concatenate(framings), np.concatenate(totals))

    def _read(
        self, level: Sequence[tuple[int, Level]], contributions: Read
    ) -> Iterator[tuple[Values, NDArray[np.int64], Values]]:
        region = _region(self.framings, level, self.stride)
        (left, top, _, _), step = region.box, region.step
        values = contributions(region.box, region.size, _canvas(region.size, self.stride), self.stride)
        sums = _Sums(values, STRIDE // self.stride)
        for index, one in level:
            columns, rows = _on_grid(one.lefts, left, step), _on_grid(one.tops, top, step)
            across, down = (places(side) for side in self.framings[index].aspect.input_size)
            scores = sums.means(down, across)[np.ix_(rows, columns)]
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
    # Where the photo leaves little room, more sizes would tell little more, at the price of a pass each.
    most = min(math.isqrt(windows) // 4, int(math.log(highest / lowest) / math.log(CLOSEST)) + 1)
    for stride in STRIDES:
        each = sum(_count(level, stride) for level in sampled) / len(sampled)
        sizes = round(windows / max(each, 1e-9))
        if sizes >= FEWEST_SIZES:
            break
    levels = [_level(framings, side) for side in _sides(lowest, highest, max(FEWEST_SIZES, min(sizes, most)))]
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
        needed = [seen(side) for side in framings[index].aspect.input_size]
        width = max(width, needed[0] + stride * _steps(one.lefts[1] - left, step))
        height = max(height, needed[1] + stride * _steps(one.tops[1] - top, step))
    to_photo = step / stride
    return _Region((left, top, left + width * to_photo, top + height * to_photo), (width, height), step)


def _canvas(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """The least of few sizes that holds all that the network looks at."""
    least = FIELD - stride
    width, height = (least + max(0, -(-(side - least) // CANVAS_STEP) * CANVAS_STEP) for side in size)
    return width, height


def _steps(length: float, step: float) -> int:
    return int(length / step + 1e-6)


def _on_grid(allowed: Interval, start: float, step: float) -> NDArray[np.int64]:
    """Numbers of the grid's places that lie in the interval; the one before it if none does."""
    last = _steps(allowed[1] - start, step)
    return np.arange(min(math.ceil((allowed[0] - start) / step - 1e-6), last), last + 1)


class _Sums:
    """Integral sums of the values that are so far `apart`, for each shift."""

    def __init__(self, values: NDArray[np.float32], apart: int) -> None:
        down, across = (-(-side // apart) for side in values.shape)
        room = np.zeros((down * apart, across * apart))
        room[: values.shape[0], : values.shape[1]] = values
        self._missing = room.shape[0] - values.shape[0], room.shape[1] - values.shape[1]
        self._apart = apart
        self._sums = np.zeros((apart, apart, down + 1, across + 1))
        shifts = room.reshape(down, apart, across, apart).transpose(1, 3, 0, 2)
        self._sums[:, :, 1:, 1:] = shifts.cumsum(2).cumsum(3)

    def means(self, down: int, across: int) -> Values:
        """Over all windows of `down` by `across` values."""
        sums = self._sums
        lower, upper = sums[:, :, down:], sums[:, :, :-down]
        totals = lower[..., across:] - lower[..., :-across] - upper[..., across:] + upper[..., :-across]
        rows, columns = (side * self._apart for side in totals.shape[2:])
        means: Values = totals.transpose(2, 0, 3, 1).reshape(rows, columns) / (down * across)
        return means[: rows - self._missing[0], : columns - self._missing[1]]
