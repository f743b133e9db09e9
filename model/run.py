"""Where a training run stands, and the file from which it goes on after being killed.

All randomness of a step is drawn from the seed and the step's number, so a run that was cut off
anywhere and goes on from its file ends with the very weights of one that was not (on CPU, with
the same number of threads).
"""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from model.network import FaceNetwork

log = logging.getLogger(__name__)

SAVE_SECONDS = 45.0
"""Between two saves: being killed costs less than a minute's work."""


class RunError(Exception):
    """A run cannot go on from its file; the message names the file and what to do."""


@dataclass(frozen=True)
class Point:
    """A learning curve's point: how things stood at an epoch's end."""

    epoch: int
    loss: float
    """Mean over the epoch's steps."""
    seconds: float
    """Spent so far in this stretch, over all processes that worked at it; earlier validation included."""
    agreement: Mapping[str, float]
    """Named correlations with people on held-out faces; empty without such."""

    @property
    def value(self) -> float:
        """How good the network is, the higher the better.

        The mean correlation over the data sets; without held-out faces, less the loss.
        """
        told = [value for name, value in self.agreement.items() if not name.endswith(WITHIN)]
        return sum(told) / len(told) if told else -self.loss


WITHIN = " within"
"""Ends the name of a correlation within groups."""


@dataclass
class RunState:
    """Everything that changes while a network is trained."""

    pair: nn.ModuleDict
    """The network, and the learner with what it learns beside."""
    averaged: FaceNetwork
    """The exponential average of the network's weights."""
    optimiser: torch.optim.Optimizer
    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    """Time spent, over all processes that worked at it."""
    limit: float = math.inf
    """Seconds at which the stretch ends, as they were when it began."""
    losses: list[float] = field(default_factory=list)
    """Of this epoch's steps so far."""
    curve: list[Point] = field(default_factory=list)
    """One for each epoch done."""

    @classmethod
    def start(cls, pair: nn.ModuleDict, optimiser: torch.optim.Optimizer) -> Self:
        """A run's beginning."""
        network = pair["network"]
        assert isinstance(network, FaceNetwork)  # noqa: S101
        return cls(pair, copy.deepcopy(network).eval(), optimiser)


class RunFile:
    """A run on disk, in one file that is always whole: the old state or the new one."""

    def __init__(
        self,
        path: Path,
        key: Mapping[str, Any],
        every: float = SAVE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key` (anything JSON) tells runs apart: recipe, data, layers. `every`: seconds between saves."""
        self._path = path
        self._key = json.loads(json.dumps(key))
        self._every = every
        self._clock = clock
        self._saved = clock()

    def restore(self, state: RunState) -> bool:
        """Bring `state` to where the file is, if there is one; whether there was.

        Raises RunError if the file is damaged or belongs to another run.
        """
        if not self._path.exists():
            return False
        try:
            with safe_open(self._path, "pt") as stored:
                told = json.loads((stored.metadata() or {}).get("run", "{}"))
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError) as error:
            raise RunError(f"{self._path} is damaged ({error}): delete it to begin anew") from error
        if told.get("key") != self._key:
            raise RunError(
                f"{self._path} belongs to a run with another recipe or other data: "
                "choose another folder, or delete it to begin anew"
            )
        _put(state, tensors)
        state.step, state.seconds, state.limit = told["step"], told["seconds"], told["limit"]
        state.losses, state.curve = told["losses"], [Point(**point) for point in told["curve"]]
        return True

    def save_if_due(self, state: RunState) -> None:
        """Save if the last time was long enough ago."""
        if self._clock() - self._saved >= self._every:
            self.save(state)

    def save(self, state: RunState) -> None:
        """Write the file. A full disk is logged, leaves the last file as it was, and stops nothing."""
        self._saved = self._clock()
        draft = self._path.with_name(self._path.name + ".new")
        told = {
            "key": self._key,
            "step": state.step,
            "seconds": state.seconds,
            "limit": state.limit,
            "losses": state.losses,
            "curve": [asdict(point) for point in state.curve],
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            save_file(_tensors(state), draft, {"run": json.dumps(told)})
            draft.replace(self._path)
        except (OSError, SafetensorError) as error:
            draft.unlink(missing_ok=True)
            log.error("Could not save the run to %s (%s); the last save stands", self._path, error)


def _tensors(state: RunState) -> dict[str, Tensor]:
    named = {f"pair.{name}": value for name, value in state.pair.state_dict().items()}
    named |= {f"averaged.{name}": value for name, value in state.averaged.state_dict().items()}
    for number, moments in state.optimiser.state_dict()["state"].items():
        named |= {f"optimiser.{number}.{name}": value for name, value in moments.items()}
    return {name: value.detach().cpu().contiguous() for name, value in named.items()}


def _put(state: RunState, tensors: Mapping[str, Tensor]) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, moment = name.split(".")
            moments.setdefault(int(number), {})[moment] = value
    state.pair.load_state_dict(_below("pair.", tensors))
    state.averaged.load_state_dict(_below("averaged.", tensors))
    groups = state.optimiser.state_dict()["param_groups"]
    state.optimiser.load_state_dict({"state": moments, "param_groups": groups})


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
