"""Rated photos: the ratings file, and the faces cut from the photos once and kept in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.faces import FaceFinder, canonical
from model.photo import Unreadable, read_photo

CONTEXT_ZOOM = 1.5
"""A context picture shows this many times the canonical square, for augmentation to move in."""

CONTEXT_SIZE = 336
"""Side of a context picture in pixels: `CONTEXT_ZOOM` times the network's 224."""


@dataclass(frozen=True)
class Rated:
    """One row of a ratings file."""

    image: str
    """Path below the ratings file's folder."""
    dataset: str
    group: str
    score: float
    """Mean human rating, stretched to 0..9."""
    fold: int


@dataclass(frozen=True)
class RatedFaces:
    """Faces found in rated photos; the arrays share their first axis."""

    rated: tuple[Rated, ...]
    contexts: NDArray[np.uint8]
    """Shape (n, CONTEXT_SIZE, CONTEXT_SIZE, 4): RGB, and alpha 0 beyond the photo's edge."""
    targets: NDArray[np.float32]
    """Shape (n,): the rating in standard units of its own data set (mean 0, sd 1)."""
    skipped: tuple[str, ...]
    """Images that could not be read, or show no face."""


def read_ratings(path: Path) -> list[Rated]:
    """Read a ratings file with the columns image, dataset, group, score_0_9 and fold.

    Raises ValueError, naming the file and the line, where a row does not fit.
    """
    rows = []
    with path.open(newline="", encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                rated = Rated(
                    row["image"], row["dataset"], row["group"], float(row["score_0_9"]), int(row["fold"])
                )
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: not a rating ({error!r})") from error
            if not 0 <= rated.score <= 9:
                raise ValueError(f"{path}, line {number}: score_0_9 is {rated.score}, outside 0..9")
            rows.append(rated)
    return rows


def cut_faces(ratings: Sequence[Rated], folder: Path) -> RatedFaces:
    """Find the largest face of each photo and cut it with some of its surroundings."""
    found: list[Rated] = []
    contexts: list[NDArray[np.uint8]] = []
    for rated, context in _contexts(ratings, folder):
        if context is not None:
            found.append(rated)
            contexts.append(context)
    kept = {rated.image for rated in found}
    skipped = tuple(rated.image for rated in ratings if rated.image not in kept)
    return RatedFaces(tuple(found), np.stack(contexts), standardise(found), skipped)


def standardise(ratings: Sequence[Rated]) -> NDArray[np.float32]:
    """Scores in standard units of each data set: other people rated on another scale."""
    scores = np.array([rated.score for rated in ratings], np.float32)
    datasets = np.array([rated.dataset for rated in ratings])
    for dataset in np.unique(datasets):
        own = datasets == dataset
        scores[own] = (scores[own] - scores[own].mean()) / max(float(scores[own].std()), 1e-6)
    return scores


def _contexts(ratings: Sequence[Rated], folder: Path) -> Iterator[tuple[Rated, NDArray[np.uint8] | None]]:
    finder = FaceFinder()
    for rated in ratings:
        photo = read_photo((folder / rated.image).read_bytes())
        faces = [] if isinstance(photo, Unreadable) else finder.find(photo)
        if isinstance(photo, Unreadable) or not faces:
            yield rated, None
        else:
            context = canonical(photo.convert("RGBA"), faces[0], CONTEXT_SIZE, CONTEXT_ZOOM)
            yield rated, np.asarray(context)
