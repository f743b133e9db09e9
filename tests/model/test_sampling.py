"""Score classes, and what is drawn from them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.sampling import ClassSampler, score_classes

SKEWED = torch.tensor([0] * 200 + [1] * 20 + [2] * 2)
"""A class of many faces, one of some, one of two."""


def _sampler(classes: torch.Tensor = SKEWED, seed: int = 0) -> ClassSampler:
    return ClassSampler(classes, torch.Generator().manual_seed(seed))


def test_classes_are_equal_steps() -> None:
    """The highest score belongs to the highest class; classes without faces leave no gap."""
    scores = torch.tensor([0.0, 0.9, 1.0, 5.0, 9.0])
    assert score_classes(scores, 9).tolist() == [0, 0, 1, 2, 3]
    assert score_classes(-scores, 2).tolist() == [1, 1, 1, 0, 0]


@pytest.mark.parametrize(("scores", "count"), [([1.0, 2.0], 1), ([3.0, 3.0, 3.0], 5)])
def test_one_class_is_an_error(scores: list[float], count: int) -> None:
    """Nothing could be told apart."""
    with pytest.raises(ValueError, match="class"):
        score_classes(torch.tensor(scores), count)


def test_each_class_is_seen_as_often() -> None:
    """However few its faces are, and each of its faces as often as the others."""
    drawn = _sampler().faces(30_000)
    shares = torch.bincount(SKEWED[drawn]) / 30_000
    assert shares.tolist() == pytest.approx([1 / 3] * 3, abs=0.015)
    of_two = torch.bincount(drawn, minlength=222)[220:] / 10_000
    assert of_two.tolist() == pytest.approx([0.5, 0.5], abs=0.03)


def test_half_of_the_pairs_are_of_one_class() -> None:
    """And what is said of a pair is true."""
    first, second, same = _sampler().pairs(10_000)
    assert torch.equal(SKEWED[first] == SKEWED[second], same)
    assert float(same.float().mean()) == pytest.approx(0.5, abs=0.02)


def test_triplets_hold_their_classes() -> None:
    """The positive shares the anchor's class, the negative does not; all other classes come up."""
    anchors, positives, negatives = _sampler().triplets(10_000)
    assert torch.equal(SKEWED[anchors], SKEWED[positives])
    assert bool((SKEWED[anchors] != SKEWED[negatives]).all())
    of_first = SKEWED[negatives][SKEWED[anchors] == 0]
    assert (torch.bincount(of_first, minlength=3) / len(of_first)).tolist() == pytest.approx(
        [0, 0.5, 0.5], abs=0.03
    )


def test_partners_are_even() -> None:
    """Every other face of a class is a partner as often."""
    classes = torch.tensor([0] * 5 + [1] * 5)
    first, second, same = _sampler(classes).pairs(40_000)
    partners = torch.bincount(second[same & (first == 2)], minlength=10)
    assert partners[2] == 0
    assert (partners[:5] / partners.sum()).tolist() == pytest.approx([0.25, 0.25, 0, 0.25, 0.25], abs=0.03)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(0, 99))
def test_a_face_meets_itself_only_where_it_is_alone(numbers: list[int], seed: int) -> None:
    """Whatever the classes' sizes."""
    _, classes = torch.unique(torch.tensor(numbers), return_inverse=True)
    if int(classes.max()) == 0:
        return
    first, second, same = _sampler(classes, seed).pairs(50)
    alone = torch.bincount(classes)[classes[first]] == 1
    assert torch.equal(first == second, same & alone)


def test_one_seed_gives_one_row_of_draws() -> None:
    """The same generator state, the same faces."""
    assert torch.equal(_sampler(seed=3).faces(50), _sampler(seed=3).faces(50))
    assert not torch.equal(_sampler(seed=3).faces(50), _sampler(seed=4).faces(50))
