"""Muon and AdamW in one: against the singular value decomposition, and against PyTorch's AdamW."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from model.optimiser import SIZE, Muon, orthogonal


def _matrix(rows: int, columns: int) -> Tensor:
    """Random directions, singular values from 0.1 to 1."""
    generator = torch.Generator().manual_seed(rows * 1000 + columns)
    left, _, right = torch.linalg.svd(torch.randn(rows, columns, generator=generator), full_matrices=False)
    matrix: Tensor = left @ torch.diag(torch.linspace(0.1, 1, min(rows, columns))) @ right
    return matrix


@pytest.mark.parametrize(("rows", "columns"), [(8, 72), (72, 8), (24, 24), (64, 9), (1, 27), (16, 1)])
def test_orthogonal_is_near_the_polar_factor(rows: int, columns: int) -> None:
    """All singular values come near 1, and their vectors stay: U V' of the decomposition."""
    matrix = _matrix(rows, columns)
    found = orthogonal(matrix)
    values = torch.linalg.svdvals(found)
    assert found.shape == matrix.shape
    assert found.dtype == matrix.dtype
    assert values.min() > 0.6
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    cosine = torch.nn.functional.cosine_similarity(found.flatten(), (left @ right).flatten(), dim=0)
    assert cosine > 0.95


def test_orthogonal_knows_no_size() -> None:
    """A gradient a thousand times larger gives the same step; one of zeros gives none."""
    matrix = _matrix(8, 16)
    assert torch.allclose(orthogonal(1000 * matrix), orthogonal(matrix), atol=0.05)
    assert orthogonal(torch.zeros(4, 6)).abs().max() == 0


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def _step(module: nn.Module, optimiser: torch.optim.Optimizer, number: int) -> None:
    """One step on a batch that follows from its number."""
    shape = (5, 3, 6, 6) if isinstance(module, nn.Sequential) else (5, 4)
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(number))
    optimiser.zero_grad()
    (module(batch) - 1).square().mean().backward()
    optimiser.step()


def _mixed() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ELU(), nn.Flatten(), nn.Linear(64, 2))


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_rest_is_adamw(decay: float) -> None:
    """What is no convolution moves as under PyTorch's AdamW, step for step."""
    torch.manual_seed(0)
    ours = nn.Linear(4, 3)
    theirs = copy.deepcopy(ours)
    optimiser = Muon([ours], decay)
    reference = torch.optim.AdamW(theirs.parameters(), weight_decay=decay)
    for number in range(20):
        for module, one in ((ours, optimiser), (theirs, reference)):
            _set_rate(one, 0.02 / (1 + number))
            _step(module, one, number)
        for value, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(value, expected, rtol=0, atol=1e-6)


def test_a_convolutions_step_has_adamws_size() -> None:
    """Its root mean square is that of an AdamW step, times the reach."""
    module = _mixed()
    before = module.state_dict()["0.weight"].clone()
    optimiser = Muon([module], 0.0, reach=3.0)
    _set_rate(optimiser, 0.01)
    _step(module, optimiser, 0)
    moved = (module.state_dict()["0.weight"] - before).square().mean().sqrt()
    assert moved == pytest.approx(0.01 * 3 * SIZE, rel=0.2)


def test_it_descends() -> None:
    """A convolution and a linear layer together come down to a hundredth of where they began."""
    torch.manual_seed(1)
    wanted, module = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)
    linear = nn.Linear(4, 1)
    batch = torch.randn(16, 3, 8, 8)
    optimiser = Muon([module, linear], 0.0)

    def loss() -> Tensor:
        apart: Tensor = (module(batch) - wanted(batch).detach()).square().mean()
        alone: Tensor = (linear(torch.ones(4)) - 1).square().mean()
        return apart + alone

    first = loss().item()
    for number in range(150):
        _set_rate(optimiser, 0.03 * (1 - number / 150))
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert loss().item() < 0.01 * first


def test_the_state_survives_being_put_away() -> None:
    """Loaded into a new optimiser, it goes on to the very same weights."""
    module = _mixed()
    optimiser = Muon([module], 0.02)
    for number in range(3):
        _step(module, optimiser, number)
    other = copy.deepcopy(module)
    again = Muon([other], 0.02)
    again.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for number in range(3, 6):
        _step(module, optimiser, number)
        _step(other, again, number)
    for value, expected in zip(other.parameters(), module.parameters(), strict=True):
        assert torch.equal(value, expected)


def test_what_has_no_gradient_stays() -> None:
    """Not even decay touches it."""
    module = _mixed()
    module[0].requires_grad_(False)
    before = copy.deepcopy(module.state_dict())
    _step(module, Muon([module], 0.5), 0)
    after = module.state_dict()
    assert torch.equal(after["0.weight"], before["0.weight"])
    assert not torch.equal(after["3.weight"], before["3.weight"])
