"""The numbers of a training run, as plain data: stretches of learning, and growth between them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from model.network import LAYERS, Layer

Task = Literal["pairs", "scores"]
"""What a stretch learns: to tell score classes apart (Siamese), or the scores themselves (Huber)."""

Growth = Literal["wider", "wider late", "deeper"]
"""Net2Net's ways: all widths doubled, or those after the third pool, where pictures are small and
width is cheap; or a residual branch after each wide convolution."""

LATE = 3
"""Pools after which a layer counts as late."""

PairLoss = Literal["hinge", "contrastive", "triplet", "symmetric"]


@dataclass(frozen=True)
class Stretch:
    """One stretch of training with one network, one task and one optimiser."""

    name: str
    task: Task
    epochs: int
    """At most; a stretch that watches for stalls may end sooner."""
    learning_rate: float = 1.4e-3
    grow: Growth | None = None
    """How the network grows before the stretch. Its optimiser starts anew, on purpose: moments
    belong to weights that the growth has split."""
    patience: int = 0
    """Epochs without progress after which training counts as stalled; 0: never."""
    falls: bool = True
    """Whether the learning rate falls to nothing (one cosine), or stays after its climb."""
    optional: bool = False
    """Whether the growth may be refused: undone unless it brings the validation `worth` further."""


@dataclass(frozen=True)
class Recipe:
    """A whole run."""

    stretches: tuple[Stretch, ...]
    layers: tuple[Layer, ...] = LAYERS
    """Of the network at the start."""
    batch: int = 64
    weight_decay: float = 0.02
    dropout: float = 0.5
    warmup: float = 0.03
    """Share of a stretch in which the learning rate climbs."""
    clip: float = 1.0
    """Largest norm of a step's gradient."""
    averaging: float = 0.998
    """Decay per step of the exponential average of the weights, which is what ships."""
    huber_delta: float = 1.0
    """In standard units; beyond it the loss grows linearly (Huber 1964)."""
    concordance: float = 0.3
    """Weight of 1 - Lin's concordance correlation of a batch (Lin 1989)."""
    distribution: float = 0.3
    """Weight of the label distribution loss (Gao et al. 2017, arXiv:1611.01731)."""
    pair_loss: PairLoss = "hinge"
    classes: int = 10
    """Score classes, for pairs and for balanced batches."""
    balanced: float = 0.0
    """Share of the batches drawn evenly from the score classes."""
    growth_noise: float = 0.02
    """Noise on the clones of a growth, as a share of their weights' spread."""
    worth: float = 0.002
    """Correlation that an optional growth must bring, or be refused."""
    validate_every: int = 1
    """Epochs between two looks at the held-out faces, where training does not watch for stalls."""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain data, for keys and cards."""
        return asdict(self)


def narrowed(early: float, late: float) -> tuple[Layer, ...]:
    """Tiny Darknet's layers, widths times `early` up to the third pool and `late` after it, at least 8."""
    layers: list[Layer] = []
    for layer in LAYERS:
        if layer == "pool" or layer[0] == "residual":
            layers.append(layer)
        else:
            factor = early if layers.count("pool") < LATE else late
            layers.append((max(8, round(layer[0] * factor)), layer[1]))
    return tuple(layers)


def shortened(recipe: Recipe, factor: float) -> Recipe:
    """The same with all stretches' epochs times `factor`, at least one each."""
    stretches = tuple(
        replace(stretch, epochs=max(1, round(stretch.epochs * factor))) for stretch in recipe.stretches
    )
    return replace(recipe, stretches=stretches)


STANDARD = Recipe((Stretch("finetune", "scores", epochs=40),), narrowed(0.5, 1.0), validate_every=4)
"""What the shipped scorer was trained by; chosen by what `model/LOG.md` measured."""

LAPTOP = Recipe((Stretch("finetune", "scores", epochs=16),), narrowed(0.5, 1.0), validate_every=2)
"""A fair scorer from some 5,000 photos in a quarter of an hour on two cores."""

WHOLE = Recipe(
    (
        Stretch("pretrain", "pairs", epochs=8, falls=False, patience=3),
        Stretch("finetune", "scores", epochs=24, falls=False, patience=3),
        Stretch("grow", "scores", epochs=24, falls=False, patience=3, grow="wider late", optional=True),
        Stretch("double", "scores", epochs=24, grow="wider", optional=True),
    ),
    narrowed(0.5, 0.5),
)
"""The method of 2017, every part of it: pairs first, growth at each stall, all widths doubled at the end."""

RECIPES = {"standard": STANDARD, "laptop": LAPTOP, "2017": WHOLE}


def only(recipe: Recipe, names: Collection[str]) -> Recipe:
    """The same with the stretches of these names. Raises ValueError for a name that it has not."""
    known = [stretch.name for stretch in recipe.stretches]
    for name in names:
        if name not in known:
            raise ValueError(f"no stage {name!r}: the recipe has {', '.join(known)}")
    return replace(recipe, stretches=tuple(one for one in recipe.stretches if one.name in names))
