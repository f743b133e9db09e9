"""Ratings files: what people said of photos, read so that a slip in a file is named, not trained on."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = 0.0, 9.0
"""The scale that all ratings are stretched to."""

FOLDS = 5
"""Folds of a file that names none."""

DELIMITERS = ",;\t"

Row = Mapping[str, str]


class DataError(ValueError):
    """A ratings file, or what it names, cannot be used; the message is one line that says where and why."""


@dataclass(frozen=True)
class Rated:
    """One row of a ratings file."""

    image: str
    """Path below the photos' folder."""
    dataset: str
    group: str
    score: float
    """Mean human rating, stretched to 0..9."""
    fold: int
    raters: int | None = None
    """How many people rated it, where the file says so."""


def read_ratings(path: Path, scale: tuple[float, float] | None = None) -> list[Rated]:
    """Read a ratings file: UTF-8 text with a header, fields apart by comma, semicolon or tab.

    Columns: `image`; the rating as `score_0_9`, or as `score` with its scale's ends in `low` and
    `high`, or as `score` on 0..9. `scale` says the ends of `score` instead. Optional: `dataset` (else
    the file's name), `group` (else ""), `fold` (else 0..4 by a hash of the image's name), `raters`.
    Raises DataError, naming the file and the line, where something does not fit.
    """
    reader = _reader(path)
    rated: list[Rated] = []
    lines: dict[PurePosixPath, int] = {}
    try:
        for row in reader:
            _check_width(row, reader.fieldnames or ())
            rated.append(_rated(row, path.stem, scale))
            image = PurePosixPath(rated[-1].image)
            if image in lines:
                raise DataError(f"{rated[-1].image!r} stands in line {lines[image]} already")
            lines[image] = reader.line_num
    except (DataError, csv.Error) as error:
        # A row that cannot even be split is not counted by the DictReader itself.
        raise DataError(f"{path}, line {reader.reader.line_num}: {error}") from error
    if not rated:
        raise DataError(f"{path} holds no ratings")
    return rated


def standardise(ratings: Sequence[Rated]) -> NDArray[np.float32]:
    """Scores in standard units of each data set: other people rated on another scale.

    A data set whose scores are all equal, or that has but one, gets zeros.
    """
    scores = np.array([rated.score for rated in ratings], np.float64)
    datasets = np.array([rated.dataset for rated in ratings])
    for dataset in np.unique(datasets):
        own = datasets == dataset
        centred = scores[own] - scores[own].mean()
        spread = float(centred.std())
        scores[own] = centred / spread if spread > 1e-6 else 0.0
    return scores.astype(np.float32)


def _reader(path: Path) -> csv.DictReader[str]:
    text = _text(path)
    if not text.strip():
        raise DataError(f"{path} is empty")
    header = text.splitlines()[0]
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise DataError(f"{path}, line 1: {error}") from error
    reader.fieldnames = names
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path}, line 1: column {name!r} stands there twice")
    missing = _missing_column(names)
    if missing:
        raise DataError(f"{path}, line 1: {missing}; the columns are {', '.join(names)[:200]}")
    return reader


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {line}: not UTF-8 text") from error


def _missing_column(names: Sequence[str]) -> str | None:
    if "image" not in names:
        return "no column 'image'"
    if "score_0_9" not in names and "score" not in names:
        return "no column 'score_0_9' or 'score'"
    if "score_0_9" not in names and ("low" in names) != ("high" in names):
        return "'low' and 'high' belong together, and one is missing"
    return None


def _check_width(row: Mapping[str | None, object], names: Sequence[str]) -> None:
    if None in row or None in row.values():
        raise DataError(f"not as many fields as the header's {len(names)}")


def _rated(row: Row, dataset: str, scale: tuple[float, float] | None) -> Rated:
    for name in ("image", "dataset", "group"):
        if any(ord(character) < 32 or ord(character) == 127 for character in row.get(name, "")):
            raise DataError(f"{name} {row[name]!r} holds a control character")
    image = _image(row)
    fold = _whole(row, "fold")
    return Rated(
        image,
        row.get("dataset", "").strip() or dataset,
        row.get("group", "").strip(),
        _score(row, scale),
        _fold_of(image) if fold is None else fold,
        _whole(row, "raters"),
    )


def _image(row: Row) -> str:
    image = row["image"]
    # Windows' rules know both slashes and drives; a file made there must not surprise here.
    path = PureWindowsPath(image)
    if not image.strip():
        raise DataError("no image is named")
    if path.anchor or ".." in path.parts:
        raise DataError(f"image {image!r} leads out of the photos' folder")
    return image


def _score(row: Row, scale: tuple[float, float] | None) -> float:
    name = "score_0_9" if scale is None and "score_0_9" in row else "score"
    if name not in row:
        raise DataError("a scale was given, and there is no column 'score'")
    low, high = (LOWEST, HIGHEST) if name == "score_0_9" else _scale(row, scale)
    score = _number(row, name)
    if not low <= score <= high:
        hint = "" if name == "score_0_9" or scale or "low" in row else " (its scale? columns low and high)"
        raise DataError(f"{name} is {score:g}, outside {low:g}..{high:g}{hint}")
    return LOWEST + (score - low) / (high - low) * (HIGHEST - LOWEST)


def _scale(row: Row, scale: tuple[float, float] | None) -> tuple[float, float]:
    if scale is None and "low" not in row:
        return LOWEST, HIGHEST
    low, high = scale or (_number(row, "low"), _number(row, "high"))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DataError(f"the scale {low:g}..{high:g} does not rise")
    return low, high


def _number(row: Row, name: str) -> float:
    try:
        number = float(row[name])
    except ValueError as error:
        raise DataError(f"{name} is {row[name]!r}, not a number") from error
    if not math.isfinite(number):
        raise DataError(f"{name} is {row[name]!r}, not a finite number")
    return number


def _whole(row: Row, name: str) -> int | None:
    if not row.get(name, "").strip():
        return None
    number = _number(row, name)
    if number < 0 or not number.is_integer():
        raise DataError(f"{name} is {row[name]!r}, not a whole number from 0 up")
    return int(number)


def _fold_of(image: str) -> int:
    return int.from_bytes(hashlib.sha256(image.encode()).digest()[:8]) % FOLDS
