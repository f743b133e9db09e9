"""The best crop of a photo, searched globally over x, y, scale and, if wanted, aspect.

All allowed windows of one size are read from one pass of the unpadded network over what they
cover, one box mean a window. To a window's score comes its composition. The best few of all sizes
are scored again on their own pixels, and the best of them is moved and scaled continuously.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.faces import Face
from model.network import INPUT_SIZE
from worker.composition import composition, kept
from worker.frame import find_frame
from worker.framing import RELAXED, SQUARE, Aspect, Framing, Subject, largest_window
from worker.grid import Grid, Windows, all_windows
from worker.messages import Box
from worker.pyramid import Pyramid

WINDOWS = 2000
"""About how many windows are compared, where the photo has room for them."""

RESCORED = 6
"""How many windows of the dense search are scored again on their own pixels."""

Values = NDArray[np.float64]


class WindowScorer(Protocol):
    """`model.predict.Scorer`, as far as the search needs it."""

    def unclipped(self, pictures: Sequence[Image.Image], /) -> list[float]:
        """Scores of RGB pictures of one size."""

    def contributions(self, picture: Image.Image, stride: int, /) -> NDArray[np.float32]:
        """What each place of a picture adds, every `stride` pixels."""


@dataclass(frozen=True)
class Crop:
    """The best window of a photo, and what it was compared with."""

    box: Box
    score: float
    """0..9, not rounded."""
    whole_score: float
    """Of the whole photo, on the same scale."""
    windows: int
    """How many windows were compared. Few, where the photo leaves no room around the face."""
    sizes: int
    """Of how many sizes and shapes."""
    step: tuple[float, float]
    """Pixels between neighbouring windows of the smallest and of the largest size; 0 of one window."""
    frame: Box | None = None
    """The picture within the picture that was searched, if there is one."""


def best_crop(
    scorer: WindowScorer,
    photo: Image.Image,
    faces: Sequence[Face],
    aspects: Sequence[Aspect] = (SQUARE,),
    windows: int = WINDOWS,
) -> Crop:
    """The best window around all of `faces` (at least one), of the best of `aspects` (at least one).

    About `windows` windows are compared, or as many as the photo allows. Where the photo shows a
    picture within a picture, only windows of the inner one are.
    """
    subject = Subject.of(faces, photo.size)
    outer = Search(scorer, photo, subject)
    whole = float(outer.exact(np.array([[0.0, 0.0, photo.width, photo.height]]))[0])
    frame = find_frame(photo, subject.box)
    if frame is None:
        return outer.crop(aspects, windows, whole)
    left, top, right, bottom = (round(edge) for edge in frame)
    inner = photo.crop((left, top, right, bottom))
    moved = Subject.of([face.moved(-left, -top) for face in faces], inner.size)
    crop = Search(scorer, inner, moved, framed=True).crop(aspects, windows, whole)
    within = crop.box[0] + left, crop.box[1] + top, crop.box[2] + left, crop.box[3] + top
    return replace(crop, box=within, frame=(float(left), float(top), float(right), float(bottom)))


def allowed(photo_size: tuple[int, int], subject: Subject, aspects: Sequence[Aspect], windows: int) -> Grid:
    """The windows to compare: those of the strictest rules that allow any; none if none do."""
    grid = Grid((), ())
    for rules in RELAXED:
        grid = all_windows([Framing(photo_size, subject, aspect, rules) for aspect in aspects], windows)
        if grid.levels:
            break
    return grid


@dataclass(frozen=True)
class Found:
    """One window, scored on its own pixels."""

    box: Box
    framing: int
    """Which of the grid's framings, and so which aspect."""
    score: float
    total: float
    """Score and composition, in points."""


class Search:
    """One photo and its subject; counts the windows that were compared.

    `framed`: the photo is a picture that someone framed, and as much of it as may be is kept.
    """

    def __init__(
        self, scorer: WindowScorer, photo: Image.Image, subject: Subject, framed: bool = False
    ) -> None:
        self.compared = 0
        self._scorer, self._subject, self._size = scorer, subject, photo.size
        self._framed = framed
        self._pyramid = Pyramid(photo)

    def crop(self, aspects: Sequence[Aspect], windows: int, whole: float) -> Crop:
        """The best window of all; `whole` is the whole photo's score."""
        grid = allowed(self._size, self._subject, aspects, windows)
        if not grid.levels:
            return self.last_resort(aspects, whole)
        best = self.refined(grid, self.rescored(self.dense(grid)))
        return Crop(best.box, _clipped(best.score), _clipped(whole), self.compared, len(grid), grid.step)

    def points(self, boxes: Values) -> Values:
        """What is added to windows' scores for how they look. Shape: (n, 4) -> (n,)."""
        points = composition(boxes, self._subject)
        return points + kept(boxes, self._size) if self._framed else points

    def dense(self, grid: Grid) -> Windows:
        """Every window of the grid, with its total of score and composition."""
        found = grid.read(
            lambda box, size, canvas, stride: self._scorer.contributions(
                self._pyramid.laid(box, size, canvas), stride
            )
        )
        self.compared += len(found.boxes)
        return found.plus(self.points(found.boxes))

    def exact(self, boxes: Values) -> Values:
        """Windows scored on their own pixels, in one pass for each shape. Shape: (n, 4) -> (n,)."""
        scores, sizes = np.empty(len(boxes)), [_input_size(box) for box in boxes]
        for size in set(sizes):
            which = [index for index, other in enumerate(sizes) if other == size]
            scores[which] = self._scorer.unclipped([self._pyramid.cut(_box(boxes[i]), size) for i in which])
        return scores

    def rescored(self, windows: Windows) -> Found:
        """The best of the few best of the dense pass, on their own pixels."""
        best = windows.best(RESCORED)
        return _best(self._found(best.boxes, best.framings))

    def refined(self, grid: Grid, best: Found) -> Found:
        """The window moved and scaled off the grid, in two batches: around it, then towards the peak."""
        framing = grid.framings[best.framing]
        around = self._tried([_moved(framing, best.box, STEP * move) for move in _MOVES], best)
        totals = np.array([found.total for found in around])
        # A parabola through either side and the middle peaks where its slope is naught.
        below, above = totals[0::2], totals[1::2]
        bend = np.minimum(below - 2 * best.total + above, -1e-9)
        peak = np.clip((below - above) / (2 * bend), -1.5, 1.5)
        nearer = self._tried([_moved(framing, best.box, STEP * share * peak) for share in SHARES], best)
        return _best([best, *around, *nearer])

    def last_resort(self, aspects: Sequence[Aspect], whole: float) -> Crop:
        """The largest window that keeps the subject whole, where the grid has none."""
        boxes = np.array([largest_window(self._size, self._subject, aspect) for aspect in aspects])
        found = _best(self._found(boxes, np.zeros(len(boxes), int)))
        return Crop(found.box, _clipped(found.score), _clipped(whole), len(boxes), len(boxes), (0.0, 0.0))

    def _tried(self, boxes: Sequence[Box], like: Found) -> list[Found]:
        """New windows of the same framing."""
        self.compared += len(boxes)
        return self._found(np.array(boxes), np.full(len(boxes), like.framing))

    def _found(self, boxes: Values, framings: NDArray[np.int64]) -> list[Found]:
        scores = self.exact(boxes)
        totals = scores + self.points(boxes)
        parts = zip(boxes, framings.tolist(), scores.tolist(), totals.tolist(), strict=True)
        return [Found(_box(box), *rest) for box, *rest in parts]


def _best(found: Sequence[Found]) -> Found:
    return max(found, key=lambda one: one.total)


_MOVES = np.array([(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)], float)
"""Left, right, up and down, smaller and larger."""

STEP = 1 / 96
"""How far windows are moved, and their sides, in refining: a share of the shorter side."""

SHARES = (0.5, 1.0)
"""Of the way to the peaks that are tried: the three lengths are not quite independent."""


def _moved(framing: Framing, box: Box, move: Values) -> Box:
    """The allowed window nearest to the one moved right and down, and grown on each side, by so many
    shorter sides.
    """
    left, top, right, bottom = box
    shorter = min(right - left, bottom - top)
    along, down, grow = (float(length) * shorter for length in move)
    level = framing.level(shorter + 2 * grow)
    if level is None:
        return box
    middle, centre = (left + right) / 2 + along, (top + bottom) / 2 + down
    return level.window(middle - level.width / 2, centre - level.height / 2)


def _input_size(box: Values) -> tuple[int, int]:
    """The window as the network sees it: its shorter side at the network's own size."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    zoom = INPUT_SIZE / min(width, height)
    return round(width * zoom), round(height * zoom)


def _box(values: Values) -> Box:
    left, top, right, bottom = values.tolist()
    return left, top, right, bottom


def _clipped(score: float) -> float:
    return min(max(float(score), 0.0), 9.0)
