"""What training does to a batch of context pictures before the network sees them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from model.data import CONTEXT_ZOOM
from model.network import INPUT_SIZE

WINDOW_SHARE = 0.35
"""Share of the batch shown as a loose window of the photo, as the crop search sees it."""


def augment(contexts: Tensor, generator: torch.Generator) -> Tensor:
    """Random placement, border, mirror, colour and sharpness.

    Shape: (batch, 4, context, context) bytes, alpha last -> (batch, 3, 224, 224), 0..255.
    """
    pictures = _place(contexts, generator)
    pictures = _fill_border(pictures, generator)
    return _recolour(_soften(pictures, generator), generator)


def centre(contexts: Tensor) -> Tensor:
    """The canonical faces themselves. Shape: (batch, 4, context, context) -> (batch, 3, 224, 224)."""
    offset = (contexts.shape[-1] - INPUT_SIZE) // 2
    cut = contexts[..., offset : offset + INPUT_SIZE, offset : offset + INPUT_SIZE].float()
    alpha = cut[:, 3:] / 255
    return cut[:, :3] * alpha + 128 * (1 - alpha)


def _place(contexts: Tensor, generator: torch.Generator) -> Tensor:
    count = len(contexts)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    window = torch.rand(count, generator=generator) < WINDOW_SHARE
    zoom = torch.where(window, uniform(0.0, math.log(2.0)), uniform(-0.12, 0.12)).exp()
    angle = torch.where(window, uniform(-0.2, 0.2), uniform(-0.12, 0.12))
    # A loose window may hold the face anywhere; the told score's face stays nearly in place.
    reach = torch.where(window, (zoom - 0.85).clamp(min=0.04) * 0.6, torch.tensor(0.05))
    shift_x, shift_y = uniform(-1, 1) * reach, uniform(-1, 1) * reach
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    scale = zoom / CONTEXT_ZOOM
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([cos * mirror, -sin, shift_x, sin * mirror, cos, shift_y], dim=1)
    grid = functional.affine_grid(
        rows.view(count, 2, 3), [count, 4, INPUT_SIZE, INPUT_SIZE], align_corners=False
    )
    return functional.grid_sample(contexts.float(), grid, align_corners=False)


def _fill_border(pictures: Tensor, generator: torch.Generator) -> Tensor:
    # The photo's edge tells which source it came from: let every picture have any border.
    alpha = pictures[:, 3:] / 255
    colour = torch.rand(len(pictures), 3, 1, 1, generator=generator) * 255
    plain = torch.rand(len(pictures), 1, 1, 1, generator=generator) < 0.3
    return pictures[:, :3] * alpha + torch.where(plain, torch.tensor(128.0), colour) * (1 - alpha)


def _soften(pictures: Tensor, generator: torch.Generator) -> Tensor:
    small = functional.interpolate(pictures, scale_factor=0.5, mode="area")
    blurred = functional.interpolate(small, size=INPUT_SIZE, mode="bilinear", align_corners=False)
    amount = torch.rand(len(pictures), 1, 1, 1, generator=generator) * 2 - 1
    return torch.lerp(pictures, blurred, amount.clamp(min=0))


def _recolour(pictures: Tensor, generator: torch.Generator) -> Tensor:
    def around_one(spread: float, channels: int = 1) -> Tensor:
        return 1 + (torch.rand(len(pictures), channels, 1, 1, generator=generator) * 2 - 1) * spread

    grey = pictures.mean(dim=1, keepdim=True)
    saturation = around_one(0.4) * (torch.rand(len(pictures), 1, 1, 1, generator=generator) > 0.08)
    pictures = torch.lerp(grey.expand_as(pictures), pictures, saturation)
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    pictures = (pictures - mean) * around_one(0.25) + mean * around_one(0.25)
    return (pictures * around_one(0.06, 3)).clamp(0, 255)
