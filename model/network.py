"""Tiny Darknet with ELU, unpadded: the scorer's network, top to bottom.

Layer widths follow Tiny Darknet (Redmon, 2016, https://pjreddie.com/darknet/tiny-darknet/)
as the 2017 Selfai project used it: ELU (Clevert, Unterthiner, Hochreiter 2015) throughout,
no batch norm. Our one change: no convolution pads. Without padding a place of the feature
map sees nothing but its own pixels, so a window's score read from one pass over a whole
photo equals the score of that window cut out and passed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

INPUT_SIZE = 192
"""Side of the network's input, in pixels."""

STRIDE = 16
"""Input pixels between neighbouring places of the feature map: four 2x2 max-pools."""

FIELD = 166
"""Input pixels across that a place of the feature map sees."""

Layer = tuple[int, int] | tuple[Literal["residual"], int] | Literal["pool"]
"""A convolution's (output channels, kernel size), a residual branch's hidden width, or a 2x2 max-pool."""

LAYERS: tuple[Layer, ...] = (
    (16, 3),
    "pool",
    (32, 3),
    "pool",
    (16, 1),
    (128, 3),
    (16, 1),
    (128, 3),
    "pool",
    (32, 1),
    (256, 3),
    (32, 1),
    (256, 3),
    "pool",
    (64, 1),
    (512, 3),
    (64, 1),
    (512, 3),
    (128, 1),
    (1024, 3),
)
"""Tiny Darknet's, from the photo to the average."""


class Residual(nn.Module):
    """A pointwise branch beside the identity: x + outer(ELU(inner(x))), both 1x1 convolutions.

    `outer` starts at zero, so that a new branch changes nothing until it has learned something.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, hidden, 1)
        self.outer = nn.Conv2d(hidden, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Shape: (batch, channels, height, width) -> the same."""
        branch: Tensor = self.outer(nn.functional.elu(self.inner(features)))
        return features + branch


class FaceNetwork(nn.Module):
    """A trunk, a global average, dropout and two linear units.

    The first unit is the score, in *standard units* (mean 0, standard deviation 1 over the
    training ratings); the second is its doubt, the logarithm of the standard deviation that its
    error is expected to have. `model.scale` turns both into points of 0..9.
    """

    def __init__(self, trunk: nn.Module, channels: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        """Score pictures of any size from 170 pixels up.

        Shape: (batch, 3, height, width), normalised by `normalise` -> (batch,).
        """
        return self.judge(pixels)[0]

    def features(self, pixels: Tensor) -> Tensor:
        """The trunk's features, averaged over the picture. Shape: as `forward` -> (batch, channels)."""
        features: Tensor = self.trunk(pixels)
        return features.mean(dim=(2, 3))

    def judge(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and doubts (see the class). Shape: as `forward` -> (batch,) twice.

        Learning to doubt leaves the trunk alone: it reads the features, and does not shape them.
        """
        features = self.features(pixels)
        weight, bias = self.head.weight, self.head.bias
        scores = nn.functional.linear(self.dropout(features), weight[:1], bias[:1])
        doubts = nn.functional.linear(features.detach(), weight[1:], bias[1:])
        return scores.squeeze(1), doubts.squeeze(1)


class TinyDarknet(FaceNetwork):
    """The scorer: a `FaceNetwork` whose trunk is unpadded Tiny Darknet."""

    trunk: nn.Sequential

    def __init__(self, layers: Sequence[Layer] = LAYERS, dropout: float = 0.5) -> None:
        super().__init__(_trunk(layers), _width(layers), dropout)
        self.layers = tuple(layers)
        self.apply(_initialise)

    def contributions(self, pixels: Tensor, stride: int = STRIDE) -> Tensor:
        """What each place adds to the score, a place every `stride` pixels: 16, 8, 4 or 2.

        A window's own places are `STRIDE` pixels apart; its score is the mean over them. The
        smaller strides come of "shift and stitch" (Long, Shelhamer, Darrell 2015, arXiv:1411.4038,
        section 3.2): a pool passes over its input shifted by nothing and by one place either way,
        so that only the layers after it see more.

        Shape: (batch, 3, height, width) -> (batch, places down, places across).
        """
        down, across = ((side - FIELD) // stride + 1 for side in pixels.shape[2:])
        first, *later = shift_stages(self.trunk, stride)
        features: Tensor = first(padded(pixels, stride))
        for stage in later:
            features = stage(shifted(features))
        values = nn.functional.conv2d(features, self.head.weight[:1, :, None, None], self.head.bias[:1])
        return stitched(values.squeeze(1), stride)[:, :down, :across]


def places(pixels: int) -> int:
    """How many places of the feature map a side of `pixels` input pixels gives (0: too small)."""
    for layer in LAYERS:
        if layer == "pool":
            pixels //= 2
        elif layer[0] != "residual":
            pixels -= layer[1] - 1
    return max(pixels, 0)


def seen(pixels: int) -> int:
    """How many of a side's pixels all its places together see: the last few lie beyond them."""
    return FIELD + STRIDE * (places(pixels) - 1)


def shift_stages(trunk: nn.Sequential, stride: int) -> list[nn.Sequential]:
    """The trunk cut before the pools that must be shifted for this stride; see `contributions`."""
    pools = [index for index, part in enumerate(trunk) if isinstance(part, nn.MaxPool2d)]
    bounds = [0, *pools[len(pools) - _halvings(stride) :], len(trunk)]
    return [trunk[start:end] for start, end in pairwise(bounds)]


def padded(pixels: Tensor, stride: int) -> Tensor:
    """With black rows and columns, so that all that comes before a shifted pool has odd sides.

    Shape: (batch, 3, height, width) -> (batch, 3, 166 - stride + 16 m, 166 - stride + 16 n).
    """
    down, across = ((FIELD - stride - side) % STRIDE for side in pixels.shape[2:])
    return nn.functional.pad(pixels, (0, across, 0, down))


def shifted(features: Tensor) -> Tensor:
    """Shifted by nothing and by one place, down and across.

    Shape: (batch, channels, height, width) -> (4 batch, channels, height - 1, width - 1).
    """
    down, across = features.shape[2] - 1, features.shape[3] - 1
    return torch.cat([features[:, :, y : y + down, x : x + across] for y in (0, 1) for x in (0, 1)])


def stitched(values: Tensor, stride: int) -> Tensor:
    """Undo all of a pass's `shifted`, the last one first; each interleaves four maps to one.

    Shape: (4**k batch, height, width) -> (batch, 2**k height, 2**k width), for stride 16 / 2**k.
    """
    for _ in range(_halvings(stride)):
        batch, height, width = values.shape
        shifts = values.reshape(2, 2, batch // 4, height, width)
        values = shifts.permute(2, 3, 0, 4, 1).reshape(batch // 4, 2 * height, 2 * width)
    return values


def _halvings(stride: int) -> int:
    return (STRIDE // stride).bit_length() - 1


def normalise(pixels: Tensor) -> Tensor:
    """RGB bytes, shape (..., 3, height, width), to floats of about zero mean and unit spread."""
    return pixels.float().div_(255).sub_(0.5).div_(0.25)


def _trunk(layers: Sequence[Layer]) -> nn.Sequential:
    parts: list[nn.Module] = []
    channels = 3
    for layer in layers:
        if layer == "pool":
            # ELU rises monotonically: after the pool it gives the same on a quarter of the values.
            elu = [parts.pop()] if parts and isinstance(parts[-1], nn.ELU) else []
            parts += [nn.MaxPool2d(2), *elu]
        elif layer[0] == "residual":
            parts.append(Residual(channels, layer[1]))
        else:
            width, kernel = layer
            parts += [nn.Conv2d(channels, width, kernel), nn.ELU(inplace=True)]
            channels = width
    return nn.Sequential(*parts)


def _width(layers: Sequence[Layer]) -> int:
    """Channels that the last convolution gives."""
    return next(layer[0] for layer in reversed(layers) if isinstance(layer[0], int))


def _initialise(module: nn.Module) -> None:
    # He et al. 2015: without batch norm the gain must keep the signal's size through 14 layers.
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
    elif isinstance(module, Residual):  # after its own parts
        nn.init.zeros_(module.outer.weight)
