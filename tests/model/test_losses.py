"""Losses on feature vectors, against values worked out by hand and by plain loops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from model import losses

ZERO, ONE, FAR = torch.zeros(1, 4), torch.ones(1, 4), torch.full((1, 4), 3.0)
SAME, OTHER = torch.tensor([True]), torch.tensor([False])


@pytest.mark.parametrize("distance", [losses.l1_distance, losses.l2_distance])
def test_distances_do_not_grow_with_width(distance: losses.Distance) -> None:
    """Features that differ by 2 everywhere are 2 apart, however many there are."""
    for channels in (1, 7, 64):
        features = torch.randn(3, channels)
        torch.testing.assert_close(distance(features, features + 2), torch.full((3,), 2.0))


def test_hinge_embedding_by_hand() -> None:
    """A pair of one class costs its distance; another's only what it lacks to the margin."""
    assert losses.hinge_embedding(ZERO, ONE, SAME) == 1
    assert losses.hinge_embedding(ZERO, ONE, OTHER, margin=1.5) == 0.5
    assert losses.hinge_embedding(ZERO, FAR, OTHER, margin=1.5) == 0
    both = losses.hinge_embedding(ZERO.repeat(2, 1), ONE.repeat(2, 1), torch.tensor([True, False]), 1.5)
    assert both == 0.75


def test_hinge_embedding_is_pytorchs() -> None:
    """The same as torch.nn's, which takes the distances."""
    first, second = torch.randn(20, 8), torch.randn(20, 8)
    same = torch.rand(20) < 0.5
    distances = (first - second).abs().mean(1)
    expected = torch.nn.functional.hinge_embedding_loss(distances, torch.where(same, 1, -1), margin=1.0)
    torch.testing.assert_close(losses.hinge_embedding(first, second, same), expected)


def test_contrastive_by_hand() -> None:
    """Both sides are squared."""
    torch.testing.assert_close(losses.contrastive(ZERO, FAR, SAME), torch.tensor(9.0))
    torch.testing.assert_close(losses.contrastive(ZERO, ONE, OTHER, margin=1.5), torch.tensor(0.25))
    torch.testing.assert_close(losses.contrastive(ZERO, FAR, OTHER, margin=1.5), torch.tensor(0.0))


def test_triplets_by_hand() -> None:
    """The symmetric form also minds how far the positive is from the negative."""
    for negative, plain, symmetric in ((FAR, 0.0, 0.0), (1.2 * ONE, 0.0, 0.5), (-ONE, 0.2, 0.0)):
        torch.testing.assert_close(losses.triplet(ZERO, ONE, negative), torch.tensor(plain))
        torch.testing.assert_close(losses.symmetric_triplet(ZERO, ONE, negative), torch.tensor(symmetric))


@pytest.mark.parametrize(
    "loss",
    [
        lambda a, b, _: losses.hinge_embedding(a, b, SAME.repeat(len(a))),
        lambda a, b, _: losses.contrastive(a, b, OTHER.repeat(len(a)), margin=3),
        lambda a, b, c: losses.triplet(a, b, c, margin=9),
        lambda a, b, c: losses.symmetric_triplet(a, b, c, margin=9),
    ],
)
def test_equal_features_have_a_gradient_that_is_finite(loss: losses.Distance) -> None:
    """At distance zero, where a plain root has none."""
    a, b, c = (torch.ones(2, 4, requires_grad=True) for _ in range(3))
    loss(a, b, c).backward()  # type: ignore[call-arg, no-untyped-call]
    assert all(bool(torch.isfinite(x.grad).all()) for x in (a, b, c) if x.grad is not None)


def _mined_by_loop(features: Tensor, classes: Tensor, anchor: int, positive: int, margin: float) -> int:
    def apart(other: int) -> float:
        return float(((features[anchor] - features[other]).square().mean() + 1e-12).sqrt())

    near = apart(positive)
    negatives = [n for n in range(len(classes)) if classes[n] != classes[anchor]]
    semi_hard = [n for n in negatives if near < apart(n) < near + margin]
    return min(semi_hard, key=apart) if semi_hard else max(negatives, key=apart)


def test_semi_hard_negatives_are_those_of_a_plain_loop() -> None:
    """Over many random pairs, those without a semi-hard negative included."""
    torch.manual_seed(0)
    features, classes = torch.randn(40, 6), torch.randint(4, (40,))
    pairs = [
        (a, p) for a in range(40) for p in range(40) if a != p and classes[a] == classes[p]
    ]  # fmt: skip
    anchors, positives = (torch.tensor(side) for side in zip(*pairs, strict=True))
    for margin in (0.05, 0.3):
        mined = losses.semi_hard_negatives(features, classes, anchors, positives, margin)
        assert mined.tolist() == [_mined_by_loop(features, classes, a, p, margin) for a, p in pairs]


def test_one_class_has_no_negatives() -> None:
    """An error that says so, not an index out of nowhere."""
    with pytest.raises(ValueError, match="two score classes"):
        losses.semi_hard_negatives(torch.randn(3, 2), torch.zeros(3), torch.tensor([0]), torch.tensor([1]))
