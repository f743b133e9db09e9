"""Tiny Darknet with ELU, unpadded: the scorer's network, top to bottom.

Layer widths follow Tiny Darknet (Redmon, 2016, https://pjreddie.com/darknet/tiny-darknet/)
as the 2017 Selfai project used it: ELU (Clevert, Unterthiner, Hochreiter 2015) throughout,
no batch norm. Our one change: no convolution pads. Without padding a place of the feature
map sees nothing but its own pixels, so a window's score read from one pass over a whole
photo equals the score of that window cut out and passed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

INPUT_SIZE = 192
"""Side of the network's input, in pixels."""

STRIDE = 16
"""Input pixels between neighbouring places of the feature map: four 2x2 max-pools."""

DENSE_STRIDE = STRIDE // 2
"""The same for `TinyDarknet.dense_contributions`."""

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

    def contributions(self, pixels: Tensor) -> Tensor:
        """What each place of the feature map adds; a window's score is the mean over its places.

        Shape: (batch, 3, height, width) -> (batch, places down, places across).
        """
        features: Tensor = self.trunk(pixels)
        weights = self.head.weight[:1, :, None, None]
        return nn.functional.conv2d(features, weights, self.head.bias[:1]).squeeze(1)

    def dense_contributions(self, pixels: Tensor) -> Tensor:
        """As `contributions`, with a place every `DENSE_STRIDE` pixels.

        A window's own places are every second one of these, across and down. The layers before
        the last pool pass once over the picture; the pool and those after it pass over it shifted
        by nothing and by one place in either direction ("shift and stitch": Long, Shelhamer,
        Darrell 2015, arXiv:1411.4038, section 3.2), which asks for as much as a picture twice as
        large would of them and for nothing more of the others.

        Shape: (1, 3, height, width) -> (1, places down, places across).
        """
        pool = max(index for index, part in enumerate(self.trunk) if isinstance(part, nn.MaxPool2d))
        features: Tensor = self.trunk[:pool](pixels)
        extra = [1 - features.shape[2] % 2, 1 - features.shape[3] % 2]
        padded = nn.functional.pad(features, (0, extra[1], 0, extra[0]), mode="replicate")
        down, across = padded.shape[2] - 1, padded.shape[3] - 1
        shifted = [padded[:, :, y : y + down, x : x + across] for y in (0, 1) for x in (0, 1)]
        features = self.trunk[pool:](torch.cat(shifted))
        values = nn.functional.conv2d(features, self.head.weight[:1, :, None, None], self.head.bias[:1])
        down, across = values.shape[2:]
        stitched = values.reshape(2, 2, down, across).permute(2, 0, 3, 1).reshape(1, 2 * down, 2 * across)
        return stitched[:, : 2 * down - extra[0], : 2 * across - extra[1]]


def places(pixels: int) -> int:
    """How many places of the feature map a side of `pixels` input pixels gives (0: too small)."""
    for layer in LAYERS:
        if layer == "pool":
            pixels //= 2
        elif layer[0] != "residual":
            pixels -= layer[1] - 1
    return max(pixels, 0)


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
