"""`python -m model.finetune`: from rated photos to the shipped scorer, with the Huber loss."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model import checkpoint
from model.agreement import correlations
from model.data import RatedFaces, Skipped, cut_faces, read_ratings, standardise
from model.network import LAYERS, TinyDarknet
from model.run import RunError, RunFile
from model.training import Progress, Recipe, predict_faces, train

CENTRE, SPREAD = 4.5, 1.5
"""0..9 points at, and per, standard unit: the middle of the scale, and people's usual spread."""


def main() -> None:
    """Train on all folds but one, report on that one, save weights after every epoch.

    Killed and started again, it goes on from the last minute.
    """
    arguments = _parser().parse_args()
    ratings_file = arguments.data / "ratings.csv"
    data_hash = hashlib.sha256(ratings_file.read_bytes()).hexdigest()
    faces = _cached_faces(ratings_file, arguments.cache / f"faces-{data_hash[:16]}.npz")
    folds = np.array([rated.fold for rated in faces.rated])
    held_out = _select(faces, folds == arguments.hold_out)
    training = _select(faces, folds != arguments.hold_out)
    recipe = Recipe(epochs=arguments.epochs, seed=arguments.seed)
    print(f"{len(training.rated)} faces to learn from, {len(held_out.rated)} held out, "
          f"{len(faces.skipped)} skipped", flush=True)  # fmt: skip

    def report(progress: Progress) -> None:
        metrics = correlations(held_out.rated, predict_faces(progress.network, held_out), held_out.targets)
        shown = " ".join(f"{name} {m['pearson']:.3f} ({m['pearson_within_group']:.3f})"
                         for name, m in metrics.items())  # fmt: skip
        print(f"{time.strftime('%H:%M:%S')} epoch {progress.epoch}/{progress.epochs} "
              f"loss {progress.loss:.4f} {shown} {progress.seconds:.0f} s", flush=True)  # fmt: skip
        description = _description(recipe, progress, metrics, data_hash, len(training.rated))
        checkpoint.save(arguments.out, progress.network.state_dict(), description)

    torch.manual_seed(recipe.seed)
    key = {"recipe": asdict(recipe), "ratings_sha256": data_hash, "hold_out": arguments.hold_out}
    try:
        train(TinyDarknet(), training, recipe, report, RunFile(arguments.out / "run.safetensors", key))
    except RunError as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model.finetune", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with ratings.csv and the photos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("runs"),
        help="folder for the faces cut from the photos; keep it private",
    )
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hold-out", type=int, default=0, help="the fold that is not learned from")
    return parser


def _cached_faces(ratings_file: Path, cache: Path) -> RatedFaces:
    ratings = read_ratings(ratings_file)
    if not cache.exists():
        cut = cut_faces(ratings, ratings_file.parent)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, contexts=cut.contexts, skipped=np.array([astuple(one) for one in cut.skipped], str))
        return cut
    stored = np.load(cache)
    skipped = tuple(Skipped(str(image), str(reason)) for image, reason in stored["skipped"].reshape(-1, 2))
    rated = tuple(row for row in ratings if row.image not in {one.image for one in skipped})
    return RatedFaces(rated, stored["contexts"], standardise(rated), skipped)


def _select(faces: RatedFaces, chosen: Any) -> RatedFaces:
    rated = tuple(row for row, kept in zip(faces.rated, chosen, strict=True) if kept)
    return replace(faces, rated=rated, contexts=faces.contexts[chosen], targets=faces.targets[chosen])


def _description(
    recipe: Recipe, progress: Progress, metrics: dict[str, Any], data_hash: str, faces: int
) -> dict[str, Any]:
    return {
        "network": "tiny-darknet-elu-unpadded",
        "layers": LAYERS,
        "scale": {"centre": CENTRE, "spread": SPREAD},
        "recipe": asdict(recipe),
        "trained": {
            "faces": faces,
            "epochs": progress.epoch,
            "seconds": round(progress.seconds),
            "ratings_sha256": data_hash,
        },
        "held_out": metrics,
    }


if __name__ == "__main__":
    main()
