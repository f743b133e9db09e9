"""Faces cut from rated photos, kept on disk: finding them takes minutes, and training is run often."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from model.data import CONTEXT_SIZE, CONTEXT_ZOOM, RatedFaces, Skipped, cut_faces
from model.ratings import Rated, standardise

VERSION = 1
"""Of how faces are found and cut; a new one makes old stores stale."""


def stored_faces(
    ratings: Sequence[Rated],
    folder: Path,
    cache: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> RatedFaces:
    """The ratings' faces, from `cache` or cut now (0.3 MB a face). The folder must be kept private.

    The pictures stay on disk and are read as they are needed, so that several runs share them. A
    photo that changed its size or came later is noticed; lines added or taken away, too. Raises
    DataError if no photo yields a face, OSError if the cache cannot be written.
    """
    place = cache / f"faces-{_key(ratings, folder)}"
    if not (place / "faces.json").exists():
        cut = cut_faces(ratings, folder, progress)
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / "contexts.npy", cut.contexts)
        told = json.dumps([asdict(photo) for photo in cut.skipped])
        draft = place / "faces.json.new"
        draft.write_text(told, encoding="utf-8")
        draft.replace(place / "faces.json")  # last of all: a store cut short is made anew
    skipped = [Skipped(**photo) for photo in json.loads((place / "faces.json").read_text(encoding="utf-8"))]
    lost = {photo.image for photo in skipped}
    rated = tuple(row for row in ratings if row.image not in lost)
    contexts = np.load(place / "contexts.npy", mmap_mode="r")
    return RatedFaces(rated, contexts, standardise(rated), tuple(skipped))


def _key(ratings: Sequence[Rated], folder: Path) -> str:
    """Of the photos alone: other ratings of the same photos share their faces."""
    digest = hashlib.sha256(f"{VERSION} {CONTEXT_SIZE} {CONTEXT_ZOOM}".encode())
    for row in ratings:
        path = folder / row.image
        size = path.stat().st_size if path.is_file() else -1
        digest.update(f"{row.image}\0{size}\0".encode())
    return digest.hexdigest()[:16]
