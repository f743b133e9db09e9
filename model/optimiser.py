"""Muon for convolutions, AdamW for the rest, in one optimiser.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) makes each step of a weight
matrix orthogonal, so that all its directions learn at one pace. Its steps are scaled to the size
of AdamW's (Liu et al. 2025, arXiv:2502.16982, section 2.2), so that both share a learning rate.
PyTorch's own Muon takes matrices only; a convolution is one here, a row for each output channel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
BETAS = (0.9, 0.999)
SIZE = 0.2
"""Root mean square of an AdamW step, as share of the learning rate (Liu et al. 2025)."""

ROUNDS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration that brings all singular values near 1 (Jordan et al. 2024)."""


class Muon(torch.optim.Optimizer):
    """See the module. `reach` multiplies the learning rate of the orthogonal steps."""

    def __init__(self, parts: Iterable[nn.Module], weight_decay: float, reach: float = 2.0) -> None:
        modules = [module for part in parts for module in part.modules()]
        matrices = [module.weight for module in modules if isinstance(module, nn.Conv2d)]
        taken = {id(matrix) for matrix in matrices}
        every = [values for module in modules for values in module.parameters(recurse=False)]
        others = [values for values in every if id(values) not in taken]
        groups = [{"params": matrices, "orthogonal": True}, {"params": others, "orthogonal": False}]
        super().__init__(groups, {"lr": 1e-3, "weight_decay": weight_decay, "reach": reach})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take a step; parameters without a gradient stay as they are."""
        for group in self.param_groups:
            for values in group["params"]:
                if values.grad is None:
                    continue
                change = self._muon(values) if group["orthogonal"] else self._adam(values)
                rate = group["lr"] * (group["reach"] if group["orthogonal"] else 1.0)
                values.mul_(1 - rate * group["weight_decay"]).sub_(change, alpha=rate)

    def _muon(self, values: Tensor) -> Tensor:
        state = self.state[values]
        gradient = values.grad.flatten(1) if values.grad is not None else values.flatten(1)
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        ahead = gradient.lerp(state["momentum"], MOMENTUM)
        scale = SIZE * max(ahead.shape) ** 0.5
        step: Tensor = scale * orthogonal(ahead).view_as(values)
        return step

    def _adam(self, values: Tensor) -> Tensor:
        """Adam's step (Kingma and Ba 2015) for a learning rate of 1."""
        state = self.state[values]
        gradient = values.grad if values.grad is not None else torch.zeros_like(values)
        if not state:
            state |= {
                "step": torch.zeros(()),
                "mean": torch.zeros_like(values),
                "square": torch.zeros_like(values),
            }
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - BETAS[0])
        state["square"].lerp_(gradient.square(), 1 - BETAS[1])
        done = state["step"].item()
        spread = (state["square"] / (1 - BETAS[1] ** done)).sqrt_() + 1e-8
        step: Tensor = state["mean"] / (1 - BETAS[0] ** done) / spread
        return step


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix whose singular values are all 1 (0.7 to 1.2 after five rounds).

    Newton-Schulz iteration in bfloat16, as Jordan et al. 2024. Shape: (rows, columns) -> the same.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    values = (matrix.T if tall else matrix).bfloat16()
    values = values / (values.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        gram = values @ values.T
        values = a * values + (b * gram + c * gram @ gram) @ values
    nearest: Tensor = (values.T if tall else values).to(matrix.dtype)
    return nearest
