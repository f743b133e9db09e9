"""The training loop: Huber loss on ratings, AdamW, one cosine, an average of the weights."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.augmentation import augment, centre
from model.data import RatedFaces
from model.network import normalise


@dataclass(frozen=True)
class Recipe:
    """The numbers of one training run."""

    epochs: int = 60
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup: float = 0.03
    """Share of all steps in which the learning rate climbs."""
    huber_delta: float = 1.0
    """In standard units; beyond it the loss grows linearly (Huber 1964)."""
    averaging: float = 0.998
    """Decay per step of the exponential average of the weights, which is what ships."""
    clip: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a run stands after an epoch."""

    epoch: int
    epochs: int
    loss: float
    seconds: float
    network: nn.Module
    """The averaged network."""


def train(
    network: nn.Module, faces: RatedFaces, recipe: Recipe, report: Callable[[Progress], None]
) -> nn.Module:
    """Train `network` in place on all of `faces`; returns the averaged network.

    Deterministic on CPU for one seed and one number of threads.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    network = network.to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = recipe.epochs * (len(faces.targets) // recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _cosine(steps, recipe.warmup))
    started, step = time.monotonic(), 0
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        losses = []
        for pictures, targets in _batches(faces, recipe.batch, generator):
            losses.append(_step(network, optimiser, pictures, targets, recipe))
            schedule.step()
            step += 1
            _average(averaged, network, min(recipe.averaging, step / (step + 10)))
        seconds = time.monotonic() - started
        report(Progress(epoch, recipe.epochs, float(np.mean(losses)), seconds, averaged))
    return averaged


def predict_faces(network: nn.Module, faces: RatedFaces, batch: int = 32) -> NDArray[np.float32]:
    """The network's output for the canonical faces, in standard units. Shape (n,)."""
    network.eval()
    scores = []
    with torch.inference_mode():
        for start in range(0, len(faces.targets), batch):
            pictures = centre(_channels_first(faces.contexts[start : start + batch]))
            scores.append(network(_input(pictures)).numpy())
    return np.concatenate(scores)


def _batches(faces: RatedFaces, batch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(faces.targets), generator=generator).numpy()
    for start in range(0, len(order) - batch + 1, batch):
        chosen = np.sort(order[start : start + batch])
        pictures = augment(_channels_first(faces.contexts[chosen]), generator)
        yield pictures, torch.from_numpy(faces.targets[chosen])


def _step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    pictures: Tensor,
    targets: Tensor,
    recipe: Recipe,
) -> float:
    with torch.autocast("cpu", torch.bfloat16):
        predicted = network(_input(pictures))
    loss = nn.functional.huber_loss(predicted.float(), targets, delta=recipe.huber_delta)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    optimiser.step()
    return loss.item()


def _average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for mean, value in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)


def _cosine(steps: int, warmup: float) -> Callable[[int], float]:
    rise = max(1, round(steps * warmup))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

    return factor


def _channels_first(contexts: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(contexts).permute(0, 3, 1, 2)


def _input(pictures: Tensor) -> Tensor:
    return normalise(pictures).contiguous(memory_format=torch.channels_last)
