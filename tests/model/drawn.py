"""Faces that we draw, a network that learns them in seconds, and one who looks on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from model.data import CONTEXT_SIZE, Rated, RatedFaces
from model.fit import Lessons
from model.network import FaceNetwork, Layer, TinyDarknet
from model.recipe import Recipe, Stretch
from model.run import Point

TINY: tuple[Layer, ...] = ((4, 3), "pool", (4, 3), "pool", (8, 3), "pool", (8, 3))
"""Learns to tell stripes in a few epochs."""

SCORES = Stretch("finetune", "scores", epochs=2, learning_rate=3e-3)


def recipe(*stretches: Stretch, seed: int = 0, batch: int = 4, averaging: float = 0.9) -> Recipe:
    """A tiny recipe; growth without noise."""
    return Recipe(stretches or (SCORES,), TINY, batch=batch, averaging=averaging, growth_noise=0.0, seed=seed)


def striped_faces(count: int, folds: int = 1, dataset: str = "drawn") -> RatedFaces:
    """Pictures rated by how strongly they are striped, the folds in turn."""
    rng = np.random.default_rng(0)
    targets = np.linspace(-1.5, 1.5, count).astype(np.float32)
    contexts = np.full((count, CONTEXT_SIZE, CONTEXT_SIZE, 4), 255, np.uint8)
    stripes = np.where(np.arange(CONTEXT_SIZE) // 12 % 2, 1.0, -1.0)[None, :, None]
    for context, target in zip(contexts, targets, strict=True):
        noise = rng.normal(0, 8, (CONTEXT_SIZE, CONTEXT_SIZE, 3))
        context[..., :3] = np.clip(128 + stripes * 30 * (target + 2) + noise, 0, 255)
    rated = tuple(
        Rated(f"{number}.jpg", dataset, "ab"[number % 2], 4.5 + float(target), number % folds)
        for number, target in enumerate(targets)
    )
    return RatedFaces(rated, contexts, targets, ())


def lessons(count: int) -> Lessons:
    """The striped faces, all ratings counting alike."""
    faces = striped_faces(count)
    return Lessons(faces.contexts, faces.targets, np.ones(count, np.float32))


def network(seed: int = 0, dropout: float = 0.5) -> TinyDarknet:
    """A tiny one, from a seed."""
    torch.manual_seed(seed)
    return TinyDarknet(TINY, dropout)


def weights(of: nn.Module) -> torch.Tensor:
    """All its numbers in a row."""
    return torch.cat([value.detach().flatten() for value in of.parameters()])


def gradient(of: torch.Tensor) -> torch.Tensor:
    """What a backward pass left there."""
    assert of.grad is not None
    return of.grad


class CutOff(Exception):
    """Stands for the kill."""


class Onlooker:
    """A `model.training.Watch` that counts, tells what it was given to tell, and may cut the run off."""

    def __init__(self, *told: float, last_step: int | None = None, last_epoch: int | None = None) -> None:
        """`told`: correlations by validation, the last one again and again; none: nothing is held out."""
        self._told, self._last = list(told), (last_step, last_epoch)
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.epochs: list[tuple[str, int]] = []

    def step(self, _stretch: Stretch, step: int, _steps: int, loss: float) -> None:
        """Count a step."""
        self.steps.append(step)
        self.losses.append(loss)
        if len(self.steps) == self._last[0]:
            raise CutOff

    def validate(self, _network: FaceNetwork) -> dict[str, float]:
        """What was given to tell."""
        if not self._told:
            return {}
        told = self._told.pop(0) if len(self._told) > 1 else self._told[0]
        return {"drawn": told, "drawn within": 0.0}

    def epoch(self, stretch: Stretch, curve: Sequence[Point]) -> None:
        """Note an epoch."""
        self.epochs.append((stretch.name, curve[-1].epoch))
        if len(self.epochs) == self._last[1]:
            raise CutOff
