"""A picture within the picture: a photo with bars beside it, pasted into another, in a screenshot.

Where someone has put a picture into a larger one, straight seams run along its sides. Seams are
looked for around the face, a rectangle of them is a frame; sides may be the photo's own edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.messages import Box

SIDE = 480
"""Pixels: the photo is reduced to about this longest side."""

STEP = 16.0
"""Of 255: a step between neighbouring pixels that counts in full."""

BESIDE = 4
"""Pixels on either side of a seam where there must be less of a step: grass is no seam."""

CALMER = 0.75
"""How much of what is taken off for steps beside a seam counts on the calmer side."""

CLEAR = 0.4
"""Mean evidence along each seam of a frame. Measured on portraits put into scenes of eight kinds
(`benchmarks.composition`), and on portraits as they are."""

SLIM = 0.03
"""A bar narrower than this share of the photo is part of it."""

CANDIDATES = 6
"""Seams that are tried on each side of the face."""

Values = NDArray[np.float32]
Places = NDArray[np.int64]


def find_frame(photo: Image.Image, face: Box) -> Box | None:
    """The frame around a face's box, within the photo, or None if there is none to be seen.

    The frame lies a pixel or two within the seams, so that nothing of what is around shows.
    """
    reduced = photo.reduce(max(1, round(max(photo.size) / SIDE)))
    to_photo = photo.width / reduced.width, photo.height / reduced.height
    # Planes, so that all of a plane's neighbouring pixels are compared at once.
    pixels = np.ascontiguousarray(np.asarray(reduced).transpose(2, 0, 1), np.float32)
    left, right = (round(face[edge] / to_photo[0]) for edge in (0, 2))
    top, bottom = (round(face[edge] / to_photo[1]) for edge in (1, 3))
    upright = _Seams(pixels, top, bottom)
    level = _Seams(np.ascontiguousarray(pixels.transpose(0, 2, 1)), left, right)
    rows = level.before(top), level.after(bottom)
    columns = upright.before(left), upright.after(right)
    found = _best(upright, level, rows, columns)
    return None if found is None else _within(found, reduced.size, photo.size)


class _Seams:
    """Evidence for seams that run down a picture, each named by the column it lies before."""

    def __init__(self, pixels: Values, start: int, end: int) -> None:
        """`start` and `end` are the rows of the face, along which a seam must be seen."""
        height, self.width = pixels.shape[1:]
        self._sums = np.zeros((height + 1, self.width + 1), np.float32)
        np.cumsum(_evidence(pixels), axis=0, out=self._sums[1:])
        start = min(max(start, 0), height - 1)
        end = min(max(end, start + 1), height)
        self._beside_face = (self._sums[end] - self._sums[start]) / (end - start)

    def before(self, column: int) -> Places:
        """Candidates on the near side, the picture's edge first."""
        return self._candidates(0, self._slim, column)

    def after(self, column: int) -> Places:
        """Candidates on the far side, the picture's edge first."""
        return self._candidates(self.width, column + 1, self.width - self._slim)

    @property
    def _slim(self) -> int:
        return int(SLIM * self.width) + 1

    def _candidates(self, edge: int, first: int, last: int) -> Places:
        columns = np.arange(max(first, 0), max(first, last, 0))
        order = np.argsort(-self._beside_face[columns])[:CANDIDATES]
        clear = columns[order][self._beside_face[columns[order]] > CLEAR * 0.75]
        return np.append(edge, clear)

    def along(self, columns: Places, rows: Sequence[Places]) -> Values:
        """Mean evidence of each column from each first to each last row; edges count as certain.

        Shape (first rows, last rows, columns).
        """
        first, last = rows
        length = np.maximum(last[None, :] - first[:, None], 1)
        sums = self._sums[last][None, :, columns] - self._sums[first][:, None, columns]
        means: Values = sums / length[..., None]
        means[..., (columns == 0) | (columns == self.width)] = np.inf
        return means


def _evidence(pixels: Values) -> Values:
    """How much of a step there is before each column, less what steps there are beside it.

    Shape (3, height, width) -> (height, width + 1).
    """
    _, height, width = pixels.shape
    steps = np.zeros((height, width + 1), np.float32)
    if width <= 2 * BESIDE + 4:
        return steps
    near = pixels[:, :, 1:] - pixels[:, :, :-1]
    # Over two pixels on either side, too: a seam that reducing has blurred counts as well.
    wide = (near[:, :, 2:] + near[:, :, :-2]) / 2 + near[:, :, 1:-1]
    biggest = np.maximum(np.abs(near[:, :, 1:-1]).max(0), np.abs(wide).max(0))
    steps[:, 2:-2] = np.minimum(biggest / STEP, 1)
    left, right = steps[:, : -2 * BESIDE], steps[:, 2 * BESIDE :]
    calmer, livelier = np.minimum(left, right), np.maximum(left, right)
    evidence = np.zeros_like(steps)
    evidence[:, BESIDE:-BESIDE] = steps[:, BESIDE:-BESIDE] - CALMER * calmer - (1 - CALMER) * livelier
    return evidence


def _best(
    upright: _Seams, level: _Seams, rows: tuple[Places, Places], columns: tuple[Places, Places]
) -> Box | None:
    """The rectangle of clear seams with the most evidence, in the reduced picture's pixels."""
    (tops, bottoms), (lefts, rights) = rows, columns
    sides = [
        upright.along(lefts, rows)[:, :, :, None],
        upright.along(rights, rows)[:, :, None, :],
        level.along(tops, columns).transpose(2, 0, 1)[:, None],
        level.along(bottoms, columns).transpose(2, 0, 1)[None],
    ]
    shape = len(tops), len(bottoms), len(lefts), len(rights)
    each = np.stack([np.broadcast_to(side, shape) for side in sides])
    total = np.where(np.isinf(each), 0.0, each).sum(0)
    total[each.min(0) <= CLEAR] = 0.0
    if total.max() <= 0:
        return None
    top, bottom, left, right = np.unravel_index(total.argmax(), shape)
    return float(lefts[left]), float(tops[top]), float(rights[right]), float(bottoms[bottom])


def _within(frame: Box, reduced: tuple[int, int], photo: tuple[int, int]) -> Box:
    """In the photo's pixels, and where a side is a seam, within it by half a pixel of the reduced."""
    inset = 0.5 if reduced != photo else 0.0
    near = [
        (place + inset) * photo[axis] / reduced[axis] if place > 0 else 0.0
        for axis, place in enumerate(frame[:2])
    ]
    far = [
        (place - inset) * photo[axis] / reduced[axis] if place < reduced[axis] else float(photo[axis])
        for axis, place in enumerate(frame[2:])
    ]
    return near[0], near[1], far[0], far[1]
