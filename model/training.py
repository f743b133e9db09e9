"""The training loop: Huber loss on ratings, AdamW, one cosine, an average of the weights."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.augmentation import augment, centre
from model.data import RatedFaces
from model.network import normalise
from model.run import RunFile, RunState


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
    network: nn.Module,
    faces: RatedFaces,
    recipe: Recipe,
    report: Callable[[Progress], None],
    file: RunFile | None = None,
) -> nn.Module:
    """Train `network` in place on all of `faces`; returns the averaged network.

    With `file`, goes on from where that stands, and saves to it now and then. Deterministic on
    CPU for one seed and one number of threads, however often it was cut off. Raises RunError if
    the file is another run's, ValueError if there are fewer faces than a batch holds.
    """
    epoch_steps = len(faces.targets) // recipe.batch
    if epoch_steps == 0:
        raise ValueError(f"{len(faces.targets)} faces do not fill a batch of {recipe.batch}")
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=recipe.weight_decay)
    state = RunState.start(network, optimiser)
    if file is not None:
        file.restore(state)
    while state.step < recipe.epochs * epoch_steps:
        started = time.monotonic()
        _learn(state, faces, recipe, epoch_steps)
        state.seconds += time.monotonic() - started
        epoch, place = divmod(state.step, epoch_steps)
        if place == 0:
            loss = float(np.mean(state.losses))
            report(Progress(epoch, recipe.epochs, loss, state.seconds, state.averaged))
            state.losses = []
        if file is not None:
            file.save_if_due(state)
    if file is not None:
        file.save(state)
    return state.averaged


def predict_faces(network: nn.Module, faces: RatedFaces, batch: int = 32) -> NDArray[np.float32]:
    """The network's output for the canonical faces, in standard units. Shape (n,)."""
    network.eval()
    scores = []
    with torch.inference_mode():
        for start in range(0, len(faces.targets), batch):
            pictures = centre(_channels_first(faces.contexts[start : start + batch]))
            scores.append(network(_input(pictures)).numpy())
    return np.concatenate(scores)


def _learn(state: RunState, faces: RatedFaces, recipe: Recipe, epoch_steps: int) -> None:
    """One step: its faces, their augmentation and the dropout follow from the seed and its number."""
    epoch, place = divmod(state.step, epoch_steps)
    order = torch.randperm(len(faces.targets), generator=_generator(recipe.seed, 2 * epoch)).numpy()
    chosen = np.sort(order[place * recipe.batch : (place + 1) * recipe.batch])
    generator = _generator(recipe.seed, 2 * state.step + 1)
    pictures = augment(_channels_first(faces.contexts[chosen]), generator)
    torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
    rate = _cosine(state.step, recipe.epochs * epoch_steps, recipe.warmup)
    for group in state.optimiser.param_groups:
        group["lr"] = recipe.learning_rate * rate
    state.network.train()
    targets = torch.from_numpy(faces.targets[chosen])
    state.losses.append(_step(state.network, state.optimiser, pictures, targets, recipe))
    state.step += 1
    _average(state.averaged, state.network, min(recipe.averaging, state.step / (state.step + 10)))


def _generator(seed: int, number: int) -> torch.Generator:
    """A generator of its own for each number, whatever was drawn before."""
    mixed = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed))


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


def _cosine(step: int, steps: int, warmup: float) -> float:
    """The learning rate's factor: a climb, then half a cosine down to nothing."""
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def _channels_first(contexts: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(contexts).permute(0, 3, 1, 2)


def _input(pictures: Tensor) -> Tensor:
    return normalise(pictures).contiguous(memory_format=torch.channels_last)
