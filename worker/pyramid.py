"""A photo at falling sizes, so that no window is reduced from all of the photo's pixels."""

from __future__ import annotations

from PIL import Image

from worker.messages import Box

SPARE = 1.5
"""A window is cut from the smallest picture that has at least so many times the pixels asked for."""


class Pyramid:
    """The photo, its half, its quarter and so on, each made when first needed."""

    def __init__(self, photo: Image.Image) -> None:
        self._pictures = [photo]

    def cut(self, box: Box, size: tuple[int, int]) -> Image.Image:
        """What a box in the photo's pixels shows, at `size` (width, height)."""
        level = self._level(min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]))
        picture, scale = self._pictures[level], 0.5**level
        left, top, right, bottom = (length * scale for length in box)
        # Rounding may carry a window past the edge by some 1e-13 pixels, which Pillow refuses.
        within = max(0.0, left), max(0.0, top), min(picture.width, right), min(picture.height, bottom)
        return picture.resize(size, Image.Resampling.BICUBIC, within)

    def laid(self, box: Box, size: tuple[int, int], canvas: tuple[int, int]) -> Image.Image:
        """The same in the top left corner of a black canvas, which is no smaller."""
        picture = self.cut(box, size)
        return picture if size == canvas else picture.crop((0, 0, *canvas))

    def _level(self, shrink: float) -> int:
        """The last picture that is still large enough; adds those that are missing."""
        level = 0
        while shrink / 2 ** (level + 1) >= SPARE:
            level += 1
            if level == len(self._pictures):
                self._pictures.append(self._pictures[-1].reduce(2))
        return level
