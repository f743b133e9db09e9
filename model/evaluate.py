"""How well the scorer agrees with people: from rated photos to figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.agreement import Agreement, Estimate, Values, agree, estimate, pearson, within
from model.calibration import Calibration, Coverage, calibrate, cover, cover_thirds
from model.data import Finder, Found, Skipped, find_faces
from model.faces import canonical, views
from model.gaps import Gap, GroupFigures, compare_groups, largest_gaps
from model.network import INPUT_SIZE
from model.predict import Judged
from model.ratings import Rated
from model.robustness import ALTERATIONS, Movement, movements

LOOSE = 1.4
"""Zoom of the loose windows whose scores are compared as well: the crop search looks at such."""


class FaceScorer(Protocol):
    """`model.predict.Scorer`, as far as we need it."""

    def judge(self, faces: Sequence[Sequence[Image.Image]], /) -> list[Judged]:
        """Scores 0..9 of faces given by their views, each with its plus-minus."""

    def unclipped(self, pictures: Sequence[Image.Image], /) -> list[float]:
        """Points of windows, for comparing them."""


@dataclass(frozen=True)
class Scores:
    """What the scorer says of rated photos; all points are of 0..9."""

    rated: tuple[Rated, ...]
    judged: tuple[Judged, ...]
    """One a rated photo, as people are told."""
    loose: tuple[float, ...]
    """One a rated photo: its loose window's points, from a single pass."""
    skipped: tuple[Skipped, ...]
    altered: tuple[Mapping[str, float | None], ...] = ()
    """One a rated photo, if asked for: scores by `ALTERATIONS`' names, None where no face was found."""


@dataclass(frozen=True)
class Loose:
    """Agreement of the scores of loose windows."""

    n: int
    pearson: Estimate
    pearson_within_group: Estimate


@dataclass(frozen=True)
class Part:
    """All figures of one data set, or of all together."""

    agreement: Agreement
    loose: Loose
    calibration: Calibration
    coverage: Coverage


@dataclass(frozen=True)
class Figures:
    """Everything that an evaluation tells."""

    photos: int
    scored: int
    refused: int
    """Photos without a face."""
    lost: int
    """Photos missing or unreadable."""
    reasons: dict[str, int]
    overall: Part
    datasets: dict[str, Part]
    coverage_by_third: tuple[Coverage, ...]
    groups: tuple[GroupFigures, ...]
    largest_gaps: tuple[Gap, ...]
    skipped: tuple[Skipped, ...]
    robustness: tuple[Movement, ...] = field(default=())


def score_photos(
    ratings: Sequence[Rated],
    folder: Path,
    scorer: FaceScorer,
    finder: Finder,
    *,
    robustness: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Scores:
    """Score the largest face of each rated photo below `folder`, from its whole file.

    `robustness` also scores its altered copies, with the face found anew in each. Calls `progress`
    with the number of photos done after each.
    """
    rated: list[Rated] = []
    judged: list[Judged] = []
    loose: list[float] = []
    skipped: list[Skipped] = []
    altered: list[Mapping[str, float | None]] = []
    for done, (row, photo) in enumerate(find_faces(ratings, folder, finder), start=1):
        if isinstance(photo, Skipped):
            skipped.append(photo)
        else:
            rated.append(row)
            judged += scorer.judge([views(photo.photo, photo.faces[0])])
            loose += scorer.unclipped([canonical(photo.photo, photo.faces[0], INPUT_SIZE, LOOSE)])
            if robustness:
                altered.append(_altered(photo, scorer, finder))
        progress(done)
    return Scores(tuple(rated), tuple(judged), tuple(loose), tuple(skipped), tuple(altered))


def figures(scores: Scores) -> Figures:
    """All figures of an evaluation; those that too few photos cannot give are NaN."""
    columns = _Columns.of(scores)
    lost = sum(skipped.lost for skipped in scores.skipped)
    told, human = columns.told, columns.human
    return Figures(
        photos=len(scores.rated) + len(scores.skipped),
        scored=len(scores.rated),
        refused=len(scores.skipped) - lost,
        lost=lost,
        reasons=dict(Counter(skipped.reason for skipped in scores.skipped).most_common()),
        overall=_part(columns),
        datasets={
            str(dataset): _part(columns.take(columns.datasets == dataset))
            for dataset in np.unique(columns.datasets)
        },
        coverage_by_third=cover_thirds(told, columns.plus_minus, human),
        groups=compare_groups(told, human, columns.datasets, columns.groups),
        largest_gaps=largest_gaps(told - human, columns.datasets, columns.groups),
        skipped=scores.skipped,
        robustness=movements(told.tolist(), scores.altered) if scores.altered else (),
    )


@dataclass(frozen=True)
class _Columns:
    told: Values
    plus_minus: Values
    loose: Values
    human: Values
    datasets: NDArray[np.str_]
    groups: NDArray[np.str_]

    @classmethod
    def of(cls, scores: Scores) -> _Columns:
        return cls(
            np.array([judged.score for judged in scores.judged], np.float64),
            np.array([judged.plus_minus for judged in scores.judged], np.float64),
            np.array(scores.loose, np.float64),
            np.array([rated.score for rated in scores.rated], np.float64),
            np.array([rated.dataset for rated in scores.rated], np.str_),
            np.array([rated.group for rated in scores.rated], np.str_),
        )

    def take(self, own: NDArray[np.bool_]) -> _Columns:
        return _Columns(*(column[own] for column in vars(self).values()))

    @property
    def strata(self) -> NDArray[np.str_]:
        """Groups of one name in two data sets are two groups."""
        return np.strings.add(np.strings.add(self.datasets, "\n"), self.groups)


def _part(columns: _Columns) -> Part:
    told, human, loose = columns.told, columns.human, columns.loose
    return Part(
        agree(told, human, columns.datasets, columns.strata),
        Loose(len(loose), estimate(pearson, loose, human), within(loose, human, columns.strata)),
        calibrate(told, human),
        cover(told, columns.plus_minus, human),
    )


def _altered(found: Found, scorer: FaceScorer, finder: Finder) -> dict[str, float | None]:
    scores: dict[str, float | None] = {}
    for name, alter in ALTERATIONS.items():
        photo = alter(found.photo, found.faces)
        faces = finder.find(photo)
        scores[name] = scorer.judge([views(photo, faces[0])])[0].score if faces else None
    return scores
