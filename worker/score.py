"""From an aligned face to its score; holds what is loaded once, the face finder and the scorer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from PIL import Image

from model.faces import Face, FaceFinder, views
from model.network import INPUT_SIZE
from model.predict import Judged, Scorer
from worker.align import Aligned, Finder, align
from worker.crop import Crop, WindowScorer, best_crop
from worker.framing import SQUARE, Aspect
from worker.messages import Refusal

MADE_UP = Face(
    (300.0, 200.0, 460.0, 410.0),
    ((340.0, 280.0), (420.0, 280.0), (380.0, 320.0), (350.0, 360.0), (410.0, 360.0)),
    1.0,
)
"""Where a face might be; the worker warms up on it."""


class FaceScorer(WindowScorer, Protocol):
    """`model.predict.Scorer`, as far as the worker needs it."""

    def judge(self, faces: Sequence[Sequence[Image.Image]], /) -> list[Judged]:
        """Scores 0..9 of faces given by their views, each with its plus-minus."""


@dataclass(frozen=True)
class Scored:
    """A photo whose largest face got a score."""

    aligned: Aligned
    score: float
    """0..9, not rounded."""
    plus_minus: float
    """Points; about 68 % of people's mean ratings lie within one of the score."""


@dataclass(frozen=True)
class Judge:
    """Face finder and scorer, ready for photos."""

    finder: Finder
    scorer: FaceScorer
    device: str = "cpu"

    @classmethod
    def load(cls, weights: Path, device: str = "auto", threads: int | None = None) -> Self:
        """Load both, which takes seconds. Raises as `Scorer.load` does."""
        scorer = Scorer.load(weights, device, threads)
        return cls(FaceFinder(str(scorer.device)), scorer, str(scorer.device))

    def warm_up(self) -> None:
        """Go through the motions once: first calls allocate, choose kernels and build graphs."""
        blank = Image.new("RGB", (4 * INPUT_SIZE, 4 * INPUT_SIZE), "grey")
        self.finder.find(blank)
        self.scorer.judge([views(blank, MADE_UP)])
        best_crop(self.scorer, blank, [MADE_UP])

    def score(self, data: bytes) -> Scored | Refusal:
        """Score the largest face of a photo, given as a file's bytes."""
        aligned = align(data, self.finder)
        if isinstance(aligned, Refusal):
            return aligned
        [judged] = self.scorer.judge([views(aligned.photo, aligned.face)])
        return Scored(aligned, judged.score, judged.plus_minus)

    def crop(self, aligned: Aligned, aspects: Sequence[Aspect] = (SQUARE,), all_faces: bool = False) -> Crop:
        """The best crop around the scored face, or around all."""
        faces = aligned.faces if all_faces else aligned.faces[:1]
        return best_crop(self.scorer, aligned.photo, faces, aspects)
