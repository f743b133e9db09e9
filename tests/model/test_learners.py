"""What a network learns from a batch: the losses against references, and what they reach."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal

from model.learners import (
    BIN_SPREAD,
    BINS,
    PairLearner,
    ScoreLearner,
    concordance,
    distribution_loss,
    doubt_loss,
)
from model.recipe import PairLoss, Recipe
from tests.model import drawn

KINDS: tuple[PairLoss, ...] = get_args(PairLoss)
TARGETS = np.linspace(-2, 2, 40).astype(np.float32)
CLASSES = np.repeat(np.arange(10), 4)
EVEN = np.ones(40, np.float32)
PLAIN = replace(drawn.recipe(), concordance=0.0, distribution=0.0)


def _pixels(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 64, 64, generator=torch.Generator().manual_seed(5))


def _score_learner(recipe: Recipe, targets: np.ndarray = TARGETS, weights: np.ndarray = EVEN) -> ScoreLearner:
    torch.manual_seed(0)
    return ScoreLearner(targets, weights, 8, recipe)


@pytest.mark.parametrize("kind", ["hinge", "contrastive"])
def test_a_batch_is_of_pairs(kind: PairLoss) -> None:
    """Half of one class, half of two; the first half of the batch is paired with the second."""
    learner = PairLearner(TARGETS, replace(drawn.recipe(), pair_loss=kind))
    chosen = learner.choose(np.arange(40), torch.Generator().manual_seed(0))
    assert chosen.shape == (40,)
    many = [learner.choose(np.arange(40), torch.Generator().manual_seed(seed)) for seed in range(20)]
    same = [CLASSES[one[:20]] == CLASSES[one[20:]] for one in many]
    assert 0.4 < np.mean(same) < 0.6


@pytest.mark.parametrize("kind", ["triplet", "symmetric"])
def test_a_batch_is_of_anchors_and_positives(kind: PairLoss) -> None:
    """Two faces of one class each; negatives are mined from the batch."""
    learner = PairLearner(TARGETS, replace(drawn.recipe(), pair_loss=kind))
    chosen = learner.choose(np.arange(40), torch.Generator().manual_seed(0))
    assert chosen.shape == (40,)
    assert (CLASSES[chosen[:20]] == CLASSES[chosen[20:]]).all()
    assert (chosen[:20] != chosen[20:]).all()
    assert len(set(CLASSES[chosen])) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_loss_shapes_the_trunk(kind: PairLoss) -> None:
    """A finite loss whose gradient reaches the first layer; the head is not asked."""
    learner = PairLearner(TARGETS, replace(drawn.recipe(), pair_loss=kind))
    network = drawn.network()
    loss = learner.loss(network, _pixels(8), np.array([0, 4, 20, 36, 1, 5, 21, 37]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(loss.item())
    gradients = [drawn.gradient(value) for value in network.trunk.parameters()]
    assert all(bool(one.isfinite().all()) for one in gradients)
    assert gradients[0].abs().max() > 0
    assert network.head.weight.grad is None


def test_an_odd_batch_leaves_one_out() -> None:
    """Pairs need two."""
    learner = PairLearner(TARGETS, drawn.recipe())
    chosen = learner.choose(np.arange(7), torch.Generator().manual_seed(0))
    assert chosen.shape == (6,)
    assert math.isfinite(learner.loss(drawn.network(), _pixels(6), chosen).item())


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_concordance_is_lins(shift: float) -> None:
    """2 covariance / (both variances + squared distance of the means), Lin 1989, equation 2."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=50)
    second = 0.6 * first + rng.normal(size=50) + shift
    expected = 2 * np.cov(first, second, bias=True)[0, 1]
    expected /= first.var() + second.var() + (first.mean() - second.mean()) ** 2
    assert concordance(torch.tensor(first), torch.tensor(second)).item() == pytest.approx(expected, abs=1e-5)


def test_concordance_wants_values_not_only_order() -> None:
    """1 for the same values, less for the same order elsewhere, -1 for the opposite, 0 for a constant."""
    values = torch.linspace(-1, 1, 9)
    told = [concordance(one, values).item() for one in (values, values + 1, 3 * values, -values, 0 * values)]
    assert told == pytest.approx([1, 0.4545, 0.6, -1, 0], abs=1e-3)


def test_the_distribution_loss_is_least_where_both_agree() -> None:
    """At the discrete normal distribution around the score; anything else costs more."""
    targets = torch.tensor([-1.0, 0.25, 2.5])
    right = -0.5 * ((targets[:, None] - BINS) / BIN_SPREAD).square()
    least = distribution_loss(right, targets)
    entropy = torch.distributions.Categorical(logits=right).entropy()  # type: ignore[no-untyped-call]
    assert torch.allclose(least, entropy, atol=1e-4)
    for seed in range(5):
        noise = torch.randn(right.shape, generator=torch.Generator().manual_seed(seed))
        assert (distribution_loss(right + 0.3 * noise, targets) > least).all()
    assert (distribution_loss(right, targets - 0.2) > least).all()


def test_the_doubt_loss_is_a_normal_likelihood() -> None:
    """Minus the logarithm of the error's density, up to its constant (torch.distributions)."""
    told, doubt, targets = (
        torch.randn(20, generator=torch.Generator().manual_seed(seed)) for seed in range(3)
    )
    expected = -Normal(told, doubt.exp()).log_prob(targets) - 0.5 * math.log(2 * math.pi)  # type: ignore[no-untyped-call]
    assert torch.allclose(doubt_loss(told, doubt, targets), expected, atol=1e-4)


def test_the_best_doubt_is_the_errors_size() -> None:
    """With errors of 0.5 the loss is least at a doubt of log 0.5; an exact hit does not run away."""
    doubts = torch.linspace(-3, 2, 501)
    losses = doubt_loss(torch.zeros(501), doubts, torch.full((501,), 0.5))
    assert doubts[losses.argmin()].item() == pytest.approx(math.log(0.5), abs=0.02)
    assert torch.isfinite(doubt_loss(torch.zeros(2), torch.tensor([-1e4, 1e4]), torch.zeros(2))).all()


def test_doubting_leaves_the_score_alone() -> None:
    """However large the doubt, trunk and score learn the very same; the doubt itself learns."""
    gradients, doubts = [], []
    for log_doubt in (0.0, 2.0):
        network = drawn.network(dropout=0.0)
        with torch.no_grad():
            network.head.bias[1] = log_doubt
        _score_learner(PLAIN).loss(network, _pixels(8), np.arange(0, 40, 5)).backward()  # type: ignore[no-untyped-call]
        found = {name: drawn.gradient(value) for name, value in network.named_parameters()}
        doubts.append(found["head.weight"][1])
        gradients.append([*(found[name] for name in found if "trunk" in name), found["head.weight"][0]])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    assert gradients[0][0].abs().max() > 0
    assert doubts[0].abs().max() > 0
    assert not torch.equal(doubts[0], doubts[1])


def test_a_rating_counts_by_its_weight() -> None:
    """One without weight may say anything; twice the weight is twice the loss."""
    chosen, pixels, network = np.arange(4), _pixels(4), drawn.network(dropout=0.0)
    wrong, none, twice = TARGETS.copy(), EVEN.copy(), 2 * EVEN
    wrong[2], none[2] = 50.0, 0.0

    def loss(targets: np.ndarray, weights: np.ndarray) -> float:
        return _score_learner(PLAIN, targets, weights).loss(network, pixels, chosen).item()

    assert loss(wrong, none) == pytest.approx(loss(TARGETS, none))
    assert loss(wrong, EVEN) > loss(TARGETS, EVEN) + 5
    assert loss(TARGETS, twice) == pytest.approx(2 * loss(TARGETS, EVEN))


def test_the_companions_count_as_the_recipe_says() -> None:
    """With weight nothing they are left out; otherwise each adds its share to the loss."""
    chosen, pixels, network = np.arange(0, 40, 5), _pixels(8), drawn.network()
    nn.init.zeros_(network.head.weight)
    told = []
    for concordance_weight, distribution_weight in ((0.0, 0.0), (0.2, 0.0), (0.0, 0.5)):
        learner = _score_learner(
            replace(PLAIN, concordance=concordance_weight, distribution=distribution_weight)
        )
        nn.init.zeros_(learner.distribution.weight)
        nn.init.zeros_(learner.distribution.bias)
        told.append(learner.loss(network, pixels, chosen).item())
    # One score for all faces has no concordance, and a flat distribution costs the same at each bin.
    assert np.diff(told[:2]) == pytest.approx(0.2, abs=1e-5)
    assert told[2] - told[0] == pytest.approx(0.5 * math.log(len(BINS)), abs=1e-4)


def test_balanced_draws_are_even_over_the_classes() -> None:
    """However rare a class; without balance the order stays as it came."""
    targets = np.concatenate([np.full(90, -1.0), np.full(9, 0.0), np.full(1, 1.0)]).astype(np.float32)
    learner = _score_learner(replace(PLAIN, balanced=1.0, classes=3), targets, np.ones(100, np.float32))
    order = np.arange(60)
    many = [learner.choose(order, torch.Generator().manual_seed(seed)) for seed in range(20)]
    shares = [np.mean(targets[np.concatenate(many)] == score) for score in (-1, 0, 1)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.06)
    assert all(one.shape == order.shape for one in many)
    plain = _score_learner(PLAIN)
    assert plain.choose(order, torch.Generator()) is order


@pytest.mark.parametrize("task", ["pairs", "scores"])
def test_one_score_for_all_teaches_nothing(task: str) -> None:
    """An error, before hours are spent."""
    same = np.zeros(8, np.float32)
    with pytest.raises(ValueError, match="one score class"):
        PairLearner(same, PLAIN) if task == "pairs" else _score_learner(PLAIN, same, EVEN[:8])
