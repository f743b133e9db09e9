"""From an aligned face to its score; holds what is loaded once: the face finder and the scorer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image

from model.faces import FaceFinder
from model.predict import Scorer
from worker.align import Aligned, align
from worker.crop import best_crop
from worker.framing import SQUARE, Aspect
from worker.messages import Refusal


@dataclass(frozen=True)
class Judge:
    """Face finder and scorer, ready."""

    finder: FaceFinder
    scorer: Scorer

    @classmethod
    def load(cls, weights: Path, device: str = "auto", threads: int | None = None) -> Self:
        """Load both (seconds). Raises as `Scorer.load` does."""
        scorer = Scorer.load(weights, device, threads)
        return cls(FaceFinder(str(scorer.device)), scorer)
