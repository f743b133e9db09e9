"""The training loop: one stretch of a recipe, from a network to a better one."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.augmentation import augment, views
from model.growth import stalled
from model.learners import Learner
from model.network import FaceNetwork, normalise
from model.optimiser import Muon
from model.recipe import Recipe, Stretch
from model.run import Point, RunFile, RunState

Pictures = NDArray[np.uint8]
Network = TypeVar("Network", bound=FaceNetwork)


class Watch(Protocol):
    """Who looks on while a stretch is trained."""

    def step(self, stretch: Stretch, step: int, steps: int, loss: float) -> None:
        """A step is done."""

    def validate(self, network: FaceNetwork) -> dict[str, float]:
        """How well the averaged network does on held-out faces: named correlations; empty without such."""

    def epoch(self, stretch: Stretch, curve: Sequence[Point]) -> None:
        """An epoch is done; `curve` holds a point for each so far."""


def learn(  # noqa: PLR0917  a call names them
    network: Network,
    learner: Learner,
    contexts: Pictures,
    stretch: Stretch,
    recipe: Recipe,
    watch: Watch,
    file: RunFile | None = None,
    limit: float = math.inf,
    device: str = "cpu",
) -> tuple[Network, list[Point]]:
    """Train `network` in place on all of `contexts`; returns the averaged network, on the CPU, and its curve.

    Goes on from `file` where that stands, and saves to it now and then. Deterministic on CPU for
    one seed and one number of threads, however often it was cut off, unless `limit` (seconds)
    ends it; a run keeps the limit that it began with. Raises RunError if the file is another
    run's, ValueError if there are fewer faces than a batch holds.
    """
    epoch_steps = len(contexts) // recipe.batch
    if epoch_steps == 0:
        raise ValueError(f"{len(contexts)} faces do not fill a batch of {recipe.batch}")
    assert isinstance(learner, nn.Module)  # noqa: S101  its parameters learn, too
    pair = nn.ModuleDict({"network": network, "learner": learner}).to(device)
    pair = pair.to(memory_format=torch.channels_last)
    state = RunState.start(pair, Muon([pair], recipe.weight_decay))
    state.limit = limit
    if file is not None:
        file.restore(state)
    course = _Course(learner, contexts, stretch, recipe, epoch_steps, state.limit)
    with _fed(course) as feed:
        while not course.ended(state):
            started = time.monotonic()
            _step(state, course, *feed(state.step))
            watch.step(stretch, state.step, course.steps, state.losses[-1])
            state.seconds += time.monotonic() - started
            if state.step % epoch_steps == 0:
                _close_epoch(state, course, watch)
            if file is not None:
                file.save_if_due(state)
    if state.losses:  # time cut an epoch short
        _close_epoch(state, course, watch)
    if file is not None:
        file.save(state)
    return cast(Network, state.averaged.cpu()), state.curve


def predict_faces(
    network: FaceNetwork, contexts: Pictures, device: str = "cpu", batch: int = 64
) -> NDArray[np.float32]:
    """Outputs for canonical faces: the mean over each face's views and their mirror images.

    Shape: contexts -> (n, 2): scores in standard units, and log doubts.
    """
    network = network.to(device).eval()
    told = []
    with torch.inference_mode(), _half(device):
        for start in range(0, len(contexts), batch):
            seen = [_pixels(view, device) for view in views(contexts[start : start + batch])]
            both = [*seen, *(pixels.flip(-1) for pixels in seen)]
            passes = [torch.stack(network.judge(pixels), 1).float() for pixels in both]
            told.append(torch.stack(passes).mean(dim=0).cpu().numpy())
    return np.concatenate(told) if told else np.empty((0, 2), np.float32)


@dataclass(frozen=True)
class _Course:
    """What stays the same over a stretch."""

    learner: Learner
    contexts: Pictures
    stretch: Stretch
    recipe: Recipe
    epoch_steps: int
    limit: float

    @property
    def steps(self) -> int:
        return self.stretch.epochs * self.epoch_steps

    def done(self, state: RunState) -> float:
        """Share of the stretch that is done, by steps or by time."""
        return max(state.step / self.steps, state.seconds / self.limit)

    def ended(self, state: RunState) -> bool:
        values = [point.value for point in state.curve]
        stall = state.step % self.epoch_steps == 0 and stalled(values, self.stretch.patience)
        return self.done(state) >= 1 or stall

    def rate(self, state: RunState) -> float:
        """The learning rate: a climb, then half a cosine down to nothing, or level."""
        done, warmup = self.done(state), self.recipe.warmup
        if done < warmup:
            factor = (done + 1 / self.steps) / warmup
        elif self.stretch.falls:
            factor = 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))
        else:
            factor = 1.0
        return self.stretch.learning_rate * min(factor, 1.0)

    def batch(self, step: int) -> tuple[NDArray[np.int64], Pictures]:
        """A step's faces and their augmentation, which follow from the seed and its number alone."""
        epoch, place = divmod(step, self.epoch_steps)
        size = self.recipe.batch
        order = torch.randperm(len(self.contexts), generator=self.generator(2 * epoch)).numpy()
        generator = self.generator(2 * step + 1)
        chosen = self.learner.choose(order[place * size : (place + 1) * size], generator)
        seed = int(torch.randint(2**62, (1,), generator=generator))
        return chosen, augment(self.contexts[chosen], np.random.default_rng(seed))

    def generator(self, number: int) -> torch.Generator:
        """A generator of its own for each number, whatever was drawn before."""
        name = f"{self.recipe.seed} {self.stretch.name} {number}"
        mixed = hashlib.blake2b(name.encode(), digest_size=7).digest()
        return torch.Generator().manual_seed(int.from_bytes(mixed))


@contextmanager
def _fed(course: _Course) -> Iterator[Callable[[int], tuple[NDArray[np.int64], Pictures]]]:
    """Batches by their steps; while one is learned, the next is made ready beside it."""
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(1) as beside:
        ready: dict[int, Future[tuple[NDArray[np.int64], Pictures]]] = {}

        def feed(step: int) -> tuple[NDArray[np.int64], Pictures]:
            batch = ready.pop(step) if step in ready else beside.submit(course.batch, step)
            if step + 1 < course.steps:
                ready[step + 1] = beside.submit(course.batch, step + 1)
            return batch.result()

        yield feed


def _step(state: RunState, course: _Course, chosen: NDArray[np.int64], pictures: Pictures) -> None:
    torch.manual_seed(course.generator(2 * state.step + 1).initial_seed())  # for the dropout
    for group in state.optimiser.param_groups:
        group["lr"] = course.rate(state)
    network = state.pair["network"]
    assert isinstance(network, FaceNetwork)  # noqa: S101
    device = next(network.parameters()).device.type
    network.train()
    with _half(device):
        loss = course.learner.loss(network, _pixels(pictures, device), chosen)
    state.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(state.pair.parameters(), course.recipe.clip)
    state.optimiser.step()
    state.losses.append(loss.item())
    state.step += 1
    _average(state.averaged, network, min(course.recipe.averaging, state.step / (state.step + 10)))


def _close_epoch(state: RunState, course: _Course, watch: Watch) -> None:
    started = time.monotonic()
    loss = float(np.mean(state.losses))
    epoch = math.ceil(state.step / course.epoch_steps)
    stretch, every = course.stretch, course.recipe.validate_every
    due = stretch.patience or course.done(state) >= 1 or epoch % every == 0
    # Pairs teach the features and leave the head as it was: its scores say nothing yet.
    agreement = watch.validate(state.averaged) if due and stretch.task == "scores" else {}
    state.curve.append(Point(epoch, loss, state.seconds, agreement))
    state.seconds += time.monotonic() - started
    state.losses = []
    watch.epoch(course.stretch, state.curve)


def _average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    mean: Tensor
    value: Tensor
    with torch.no_grad():
        for mean, value in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)
        # A backbone has batch norm; our own network has no buffers.
        for mean, value in zip(averaged.buffers(), network.buffers(), strict=True):
            mean.copy_(value)


def _half(device: str) -> torch.autocast:
    return torch.autocast(device, torch.bfloat16)


def _pixels(pictures: Pictures, device: str) -> Tensor:
    """Bytes (n, height, width, 3) to the network's input (n, 3, height, width), channels last."""
    return normalise(torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2))
