"""When a network grows, and how far: the policy around `model.grow`'s exact steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from model import grow
from model.network import TinyDarknet
from model.recipe import LATE, Growth

STALL = 0.001
"""Progress (of a correlation, or of the loss) below which an epoch counts as none."""

BRANCH = 4
"""A new residual branch is this many times narrower than what it stands beside."""

BRANCHED = 64
"""Convolutions of at least this many channels get a branch; narrower ones are cheap bottlenecks."""


def stalled(curve: Sequence[float], patience: int) -> bool:
    """Whether the last `patience` epochs brought nothing (never, with a patience of 0).

    `curve`: a value an epoch, the higher the better.
    """
    if patience == 0 or len(curve) <= patience:
        return False
    return max(curve[-patience:]) < max(curve[:-patience]) + STALL


def grown(network: TinyDarknet, growth: Growth, noise: float, seed: int) -> TinyDarknet:
    """The network after a growth: the same scores, save for the noise on the clones."""
    generator = torch.Generator().manual_seed(seed)
    if growth == "wider":
        return grow.doubled(network, generator, noise)
    if growth == "wider late":
        return grow.doubled(network, generator, noise, after_pools=LATE)
    for number in reversed(range(len(network.layers))):
        layer = network.layers[number]
        if layer != "pool" and layer[0] != "residual" and layer[0] >= BRANCHED:
            network = grow.deeper(network, number, layer[0] // BRANCH, generator)
    return network


def size(network: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(values.numel() for values in network.parameters())
