"""Losses on feature vectors, for pre-training on score classes before scores are learned.

All take the distances between features of one shared trunk (a Siamese network: Bromley et al.
1993) and give a scalar, the mean over what contributes. Distances are L1, as in the 2017 Selfai
project, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Distance = Callable[[Tensor, Tensor], Tensor]
"""From two batches of features, shape (n, channels), to n distances."""


def l1_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference over the channels, so that a margin means the same at any width."""
    return (first - second).abs().mean(dim=1)


def l2_distance(first: Tensor, second: Tensor) -> Tensor:
    """Root of the mean squared difference over the channels; smooth at zero."""
    return ((first - second).square().mean(dim=1) + 1e-12).sqrt()


def hinge_embedding(
    first: Tensor, second: Tensor, same: Tensor, margin: float = 1.0, distance: Distance = l1_distance
) -> Tensor:
    """Hinge embedding: the distance of a pair of one class, max(0, margin - distance) of another.

    Shape: features (n, channels) twice, `same` (n,) booleans -> scalar.
    """
    distances = distance(first, second)
    return torch.where(same, distances, functional.relu(margin - distances)).mean()


def contrastive(
    first: Tensor, second: Tensor, same: Tensor, margin: float = 1.0, distance: Distance = l2_distance
) -> Tensor:
    """Contrastive loss with squares on both sides (Hadsell, Chopra, LeCun 2006, after Chopra et al. 2005).

    Shape: features (n, channels) twice, `same` (n,) booleans -> scalar.
    """
    distances = distance(first, second)
    return torch.where(same, distances.square(), functional.relu(margin - distances).square()).mean()


def triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 0.2,
    distance: Distance = l2_distance,
) -> Tensor:
    """Triplet loss (Schroff, Kalenichenko, Philbin 2015, eq. 2): the other class stands farther by a margin.

    Shape: features (n, channels) three times -> scalar.
    """
    return functional.relu(distance(anchor, positive) - distance(anchor, negative) + margin).mean()


def symmetric_triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 0.2,
    distance: Distance = l2_distance,
) -> Tensor:
    """SymTriplet: the anchor and the positive both keep off the negative.

    The mean of both distances to the negative takes the place of the anchor's (S. Zhang et al.,
    Tracking Persons-of-Interest via Adaptive Discriminative Features, ECCV 2016).
    Shape: features (n, channels) three times -> scalar.
    """
    away = (distance(anchor, negative) + distance(positive, negative)) / 2
    return functional.relu(distance(anchor, positive) - away + margin).mean()


def semi_hard_negatives(
    features: Tensor, classes: Tensor, anchors: Tensor, positives: Tensor, margin: float = 0.2
) -> Tensor:
    """For each pair of a class the batch's nearest negative that is farther than the positive.

    Schroff et al. 2015, section 3.2: within the margin, but not nearer than the positive, so that
    training does not collapse; where there is none, the farthest negative stands in.

    Shape: features (n, channels), classes (n,), indices (m,) twice -> indices (m,).
    Raises ValueError if a pair's class is the only one in the batch.
    """
    distances = ((features[anchors, None] - features[None]).square().mean(dim=2) + 1e-12).sqrt()
    other = classes[anchors, None] != classes[None]
    if not bool(other.any(dim=1).all()):
        raise ValueError("a batch needs at least two score classes to mine negatives from")
    near = distances.gather(1, positives[:, None])
    semi_hard = other & (distances > near) & (distances < near + margin)
    nearest = distances.masked_fill(~semi_hard, torch.inf).argmin(dim=1)
    farthest = distances.masked_fill(~other, -torch.inf).argmax(dim=1)
    return torch.where(semi_hard.any(dim=1), nearest, farthest)
