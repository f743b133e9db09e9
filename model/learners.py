"""What a network learns from a batch: score classes in pairs, or the scores themselves."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model import losses
from model.network import FaceNetwork
from model.recipe import Recipe
from model.sampling import ClassSampler, score_classes


class Learner(Protocol):
    """What the training loop needs of a task."""

    def choose(self, order: NDArray[np.int64], generator: torch.Generator) -> NDArray[np.int64]:
        """The faces of a step: `order` as it comes, or others in its place. Shape: (batch,) -> (batch,)."""

    def loss(self, network: FaceNetwork, pixels: Tensor, chosen: NDArray[np.int64]) -> Tensor:
        """What the step brings down. Shape: (batch, 3, height, width), (batch,) -> scalar."""


class PairLearner(nn.Module):
    """Siamese pre-training: faces of one score class together, of two classes apart."""

    def __init__(self, targets: NDArray[np.float32], recipe: Recipe) -> None:
        super().__init__()
        self._classes = score_classes(torch.from_numpy(targets), recipe.classes)
        self._kind = recipe.pair_loss

    def choose(self, order: NDArray[np.int64], generator: torch.Generator) -> NDArray[np.int64]:
        """As many pairs (or triplets) as the batch holds, one after another."""
        sampler = ClassSampler(self._classes, generator)
        if self._kind in ("hinge", "contrastive"):
            first, second, _ = sampler.pairs(len(order) // 2)
            return torch.cat([first, second]).numpy()
        anchors, positives, _ = sampler.triplets(len(order) // 2)
        return torch.cat([anchors, positives]).numpy()

    def loss(self, network: FaceNetwork, pixels: Tensor, chosen: NDArray[np.int64]) -> Tensor:
        """The first half of the batch is paired with the second."""
        features = network.features(pixels).float()
        classes = self._classes[torch.from_numpy(chosen)].to(features.device)
        half = len(chosen) // 2
        first, second = features[:half], features[half : 2 * half]
        if self._kind in ("hinge", "contrastive"):
            loss = losses.hinge_embedding if self._kind == "hinge" else losses.contrastive
            return loss(first, second, classes[:half] == classes[half : 2 * half])
        numbers = torch.arange(half, device=features.device)
        negatives = losses.semi_hard_negatives(features, classes, numbers, numbers + half)
        kind = losses.triplet if self._kind == "triplet" else losses.symmetric_triplet
        return kind(first, second, features[negatives])


class ScoreLearner(nn.Module):
    """Fine-tuning on human scores: Huber's loss, and two companions that agree with it.

    The companions see what Huber's loss does not: the whole distribution that a score is drawn
    from (by a head of its own, which is not shipped), and how a batch's scores go together. The
    doubt is learned by the likelihood of the error that the score turns out to have.
    """

    def __init__(
        self, targets: NDArray[np.float32], weights: NDArray[np.float32], width: int, recipe: Recipe
    ) -> None:
        super().__init__()
        self._targets, self._weights = torch.from_numpy(targets), torch.from_numpy(weights)
        self._classes = score_classes(self._targets, recipe.classes)
        self._recipe = recipe
        self.distribution = nn.Linear(width, len(BINS))

    def choose(self, order: NDArray[np.int64], generator: torch.Generator) -> NDArray[np.int64]:
        """The order itself, or evenly from the score classes."""
        if torch.rand(1, generator=generator).item() >= self._recipe.balanced:
            return order
        return ClassSampler(self._classes, generator).faces(len(order)).numpy()

    def loss(self, network: FaceNetwork, pixels: Tensor, chosen: NDArray[np.int64]) -> Tensor:
        """The sum of all four."""
        features = network.features(pixels)
        dropped = network.dropout(features)
        told = network.head(dropped)[:, 0].float()
        doubt = network.head(features.detach())[:, 1].float()
        numbers = torch.from_numpy(chosen)
        targets, weights = (values[numbers].to(told.device) for values in (self._targets, self._weights))
        recipe = self._recipe
        total = functional.huber_loss(told, targets, reduction="none", delta=recipe.huber_delta)
        total = total + doubt_loss(told, doubt, targets)
        if recipe.distribution:
            spread = distribution_loss(self.distribution(dropped).float(), targets)
            total = total + recipe.distribution * spread
        loss = (weights * total).mean()
        if recipe.concordance:
            loss = loss + recipe.concordance * (1 - concordance(told, targets))
        return loss


BINS = torch.linspace(-3.2, 3.2, 33)
"""Middles of the label distribution's bins, in standard units."""

BIN_SPREAD = 0.3
"""Standard deviation of the distribution that stands for one score, in standard units."""


def doubt_loss(told: Tensor, doubt: Tensor, targets: Tensor) -> Tensor:
    """Minus the log-likelihood of the error under a normal distribution of width exp(doubt).

    Nix and Weigend 1994; the error itself is taken as given. Shape: (n,) three times -> (n,).
    """
    error = (told.detach() - targets).square()
    doubt = doubt.clamp(-4, 3)
    return 0.5 * error * torch.exp(-2 * doubt) + doubt


def distribution_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy to a discrete normal distribution around each score (Gao et al. 2017).

    Shape: (n, bins), (n,) -> (n,).
    """
    bins = BINS.to(targets.device)
    wanted = torch.softmax(-0.5 * ((targets[:, None] - bins) / BIN_SPREAD).square(), dim=1)
    return -(wanted * torch.log_softmax(logits, dim=1)).sum(dim=1)


def concordance(first: Tensor, second: Tensor) -> Tensor:
    """Lin's concordance correlation coefficient (Lin 1989): 1 where both agree in value.

    Shape: (n,) twice -> scalar.
    """
    together = ((first - first.mean()) * (second - second.mean())).mean()
    apart = (first.mean() - second.mean()).square()
    spread = first.var(unbiased=False) + second.var(unbiased=False)
    return 2 * together / (spread + apart + 1e-6)
