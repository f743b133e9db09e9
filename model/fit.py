"""A whole run: a recipe's stretches one after another, the network growing between them."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model.growth import grown, size
from model.learners import Learner, PairLearner, ScoreLearner
from model.network import TinyDarknet
from model.recipe import Recipe, Stretch
from model.run import Point, RunFile
from model.training import Watch, learn

log = logging.getLogger(__name__)

COST_OF_GROWTH = 2.0
"""About how many times as long an epoch takes after a growth: for sharing out a budget of time."""


@dataclass(frozen=True)
class Lessons:
    """What there is to learn from; the arrays share their first axis."""

    contexts: NDArray[np.uint8]
    """Context pictures, see `model.augmentation`."""
    targets: NDArray[np.float32]
    """In standard units. Shape (n,)."""
    weights: NDArray[np.float32]
    """How much each rating counts; mean 1. Shape (n,)."""


@dataclass(frozen=True)
class Stage:
    """A stretch that has been trained."""

    stretch: Stretch
    parameters: int
    """Numbers that its network learned."""
    curve: Sequence[Point]
    kept: bool
    """False where its growth was refused."""


@dataclass(frozen=True)
class Fitted:
    """A run's outcome."""

    network: TinyDarknet
    stages: tuple[Stage, ...]


def fit(
    lessons: Lessons,
    recipe: Recipe,
    folder: Path,
    watch: Watch,
    *,
    key: Mapping[str, Any],
    seconds: float = math.inf,
    device: str = "cpu",
) -> Fitted:
    """Train a network by `recipe`; each stretch keeps its run in a file in `folder` and goes on from there.

    `key` (anything JSON) tells this run from others in the same folder. `seconds` is shared out
    among the stretches by what they are likely to cost; a stretch that has begun keeps its share.
    Raises RunError if the folder holds another run, ValueError if the lessons do not fit the recipe.
    """
    torch.manual_seed(recipe.seed)
    network = TinyDarknet(recipe.layers, recipe.dropout)
    stages: list[Stage] = []
    limits = _limits(recipe, seconds)
    for number, (stretch, limit) in enumerate(zip(recipe.stretches, limits, strict=True), start=1):
        candidate = copy.deepcopy(network)
        if stretch.grow:
            candidate = grown(candidate, stretch.grow, recipe.growth_noise, recipe.seed + number)
        own = {"recipe": recipe.to_json(), "stretch": asdict(stretch), **key}
        file = RunFile(folder / f"{number}-{stretch.name}.run.safetensors", own)
        torch.manual_seed(recipe.seed + number)  # whatever was learned, or read, before
        learner = _learner(stretch, lessons, candidate, recipe)
        learned, curve = learn(
            candidate, learner, lessons.contexts, stretch, recipe, watch, file, limit, device
        )
        kept = not stretch.optional or not stages or _worth(curve, stages[-1].curve, recipe)
        stages.append(Stage(stretch, size(learned), tuple(curve), kept))
        if kept:
            network = learned
        else:
            log.warning("Growth before %r refused: it brought less than %g", stretch.name, recipe.worth)
    return Fitted(network, tuple(stages))


def _learner(stretch: Stretch, lessons: Lessons, network: TinyDarknet, recipe: Recipe) -> Learner:
    if stretch.task == "pairs":
        return PairLearner(lessons.targets, recipe)
    return ScoreLearner(lessons.targets, lessons.weights, network.head.in_features, recipe)


def _worth(curve: Sequence[Point], before: Sequence[Point], recipe: Recipe) -> bool:
    """Whether the grown network ended so much better than the one before."""
    return curve[-1].value >= before[-1].value + recipe.worth


def _limits(recipe: Recipe, seconds: float) -> list[float]:
    costs, factor = [], 1.0
    for stretch in recipe.stretches:
        factor *= COST_OF_GROWTH if stretch.grow == "wider" else 1.0
        costs.append(factor * stretch.epochs)
    return [seconds * cost / sum(costs) for cost in costs]
