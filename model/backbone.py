"""A network that has learned from ImageNet, for comparison: what would pre-training elsewhere buy?

Nothing of it is shipped: its weights are others' work, under terms of their own.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, resnet18

from model.network import FaceNetwork

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels, as its networks are trained with."""


class BackboneError(ValueError):
    """The backbone's weights cannot be had; the message says why."""


class Renormalise(nn.Module):
    """From `model.network.normalise`'s pixels to ImageNet's. Shape: (batch, 3, height, width) -> same."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        mean, spread = self.get_buffer("mean"), self.get_buffer("spread")
        return (pixels * 0.25 + 0.5 - mean) / spread


def imagenet_resnet18(file: Path | None = None, dropout: float = 0.5) -> FaceNetwork:
    """ResNet-18 (He et al. 2016) with torchvision's ImageNet weights, and a new head.

    The weights come from `file` (a state dict as torchvision has it), or are downloaded. Raises
    BackboneError if they cannot be had.
    """
    network = resnet18(weights=None)
    try:
        network.load_state_dict(_weights(file))
    except (
        OSError,
        EOFError,
        URLError,
        RuntimeError,
        pickle.UnpicklingError,
        AttributeError,
        TypeError,
    ) as error:
        where = str(file) if file else ResNet18_Weights.DEFAULT.url
        raise BackboneError(f"ResNet-18's ImageNet weights cannot be had from {where}: {error}") from error
    parts = list(network.children())[:-2]  # its own average and its classes stay behind
    return FaceNetwork(nn.Sequential(Renormalise(), *parts), network.fc.in_features, dropout)


def _weights(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        downloaded: Mapping[str, Any] = ResNet18_Weights.DEFAULT.get_state_dict(progress=False)
        return downloaded
    stored: Mapping[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return stored
