"""Rated photos: their faces, found once, and the pictures cut for training, kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.faces import Face, FaceFinder, canonical
from model.network import INPUT_SIZE
from model.photo import Unreadable, read_photo
from model.ratings import DataError, Rated, read_ratings, standardise

__all__ = [
    "DataError", "Found", "Rated", "RatedFaces", "Skipped", "cut_faces", "find_faces", "read_ratings",
    "standardise",
]  # fmt: skip

CONTEXT_ZOOM = 1.5
"""A context picture shows this many times the canonical square, for augmentation to move in."""

CONTEXT_SIZE = round(INPUT_SIZE * CONTEXT_ZOOM)
"""Side of a context picture in pixels."""

MISSING, NO_FACE = "missing", "no face"

UNREADABLE = {
    Unreadable.NOT_A_PICTURE: "not a picture",
    Unreadable.BROKEN: "broken picture",
    Unreadable.TOO_MANY_PIXELS: "too many pixels",
}


class Finder(Protocol):
    """`model.faces.FaceFinder`, as far as we need it."""

    def find(self, photo: Image.Image, /) -> list[Face]:
        """All faces of an upright RGB photo, the largest first."""


@dataclass(frozen=True)
class Found:
    """A photo with a face."""

    photo: Image.Image
    """Upright, RGB."""
    faces: tuple[Face, ...]
    """The largest first; at least one."""


@dataclass(frozen=True)
class Skipped:
    """A rated photo that gives nothing to learn from or to compare, and why."""

    image: str
    reason: str
    """`no face`, `missing`, or why the file cannot be read."""

    @property
    def lost(self) -> bool:
        """Whether the file is to blame, and not what the photo shows."""
        return self.reason != NO_FACE


@dataclass(frozen=True)
class RatedFaces:
    """Faces found in rated photos; the arrays share their first axis."""

    rated: tuple[Rated, ...]
    contexts: NDArray[np.uint8]
    """Shape (n, CONTEXT_SIZE, CONTEXT_SIZE, 4): RGB, and alpha 0 beyond the photo's edge."""
    targets: NDArray[np.float32]
    """Shape (n,): the rating in standard units of its own data set (mean 0, sd 1)."""
    skipped: tuple[Skipped, ...]


def cut_faces(
    ratings: Sequence[Rated], folder: Path, progress: Callable[[int], None] = lambda done: None
) -> RatedFaces:
    """Find the largest face of each photo and cut it with some of its surroundings.

    Calls `progress` with the number of photos done after each. Takes 0.33 MB a face, once. Raises
    DataError if no photo yields a face.
    """
    found: list[Rated] = []
    skipped: list[Skipped] = []
    # Reserved, not yet taken: pages that no face is written to cost nothing.
    contexts = np.empty((len(ratings), CONTEXT_SIZE, CONTEXT_SIZE, 4), np.uint8)
    for done, (rated, photo) in enumerate(find_faces(ratings, folder, FaceFinder()), start=1):
        if isinstance(photo, Skipped):
            skipped.append(photo)
        else:
            contexts[len(found)] = _context(photo)
            found.append(rated)
        progress(done)
    if not found:
        raise DataError(nothing_found(skipped, folder))
    return RatedFaces(tuple(found), contexts[: len(found)], standardise(found), tuple(skipped))


def find_faces(
    ratings: Sequence[Rated], folder: Path, finder: Finder
) -> Iterator[tuple[Rated, Found | Skipped]]:
    """Each rated photo, read and searched for faces, or why that was in vain."""
    for rated in ratings:
        photo = _open(folder / rated.image)
        if isinstance(photo, str):
            yield rated, Skipped(rated.image, photo)
            continue
        faces = tuple(finder.find(photo))
        yield rated, Found(photo, faces) if faces else Skipped(rated.image, NO_FACE)


def nothing_found(skipped: Sequence[Skipped], folder: Path) -> str:
    """One line on photos of which none is of use."""
    if not skipped:
        return f"no photos of {folder} are named"
    first = skipped[0]
    return f"none of {len(skipped)} photos below {folder} is of use; the first, {first.image}: {first.reason}"


def _open(path: Path) -> Image.Image | str:
    try:
        # A pipe or a device would never end.
        if path.exists() and not path.is_file():
            return "not a file"
        photo = read_photo(path.read_bytes())
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return f"cannot be opened: {error.strerror or error}"
    return UNREADABLE[photo] if isinstance(photo, Unreadable) else photo


def _context(found: Found) -> NDArray[np.uint8]:
    picture = canonical(found.photo.convert("RGBA"), found.faces[0], CONTEXT_SIZE, CONTEXT_ZOOM)
    return np.asarray(picture)
