"""When a network grows, and that it says the same afterwards."""

from __future__ import annotations

import itertools

import pytest
import torch

from model.growth import grown, size, stalled
from model.network import Layer, TinyDarknet
from model.recipe import Growth

SMALL: tuple[Layer, ...] = (
    (4, 3), "pool", (6, 3), "pool", (64, 3), (8, 1), "pool", (10, 1), (64, 3), "pool", (72, 1),
)  # fmt: skip
"""Narrow and wide layers, before the third pool and after it."""

KINDS: tuple[Growth, ...] = ("wider", "wider late", "deeper")
CHAINS = [*((kind,) for kind in KINDS), *itertools.product(KINDS, repeat=2)]


def _pixels() -> torch.Tensor:
    return torch.randn(4, 3, 72, 72, generator=torch.Generator().manual_seed(9))


def _network() -> TinyDarknet:
    torch.manual_seed(0)
    network = TinyDarknet(SMALL, dropout=0.0)
    torch.nn.init.normal_(network.head.weight, std=0.3)
    with torch.no_grad():  # the size of standard units
        network.head.weight /= network(_pixels()).abs().max()
    return network


@pytest.mark.parametrize(
    ("curve", "patience", "stall"),
    [
        ([], 2, False),
        ([0.1, 0.1], 2, False),
        ([0.1, 0.1, 0.1], 2, True),
        ([0.1, 0.1, 0.2], 2, False),
        ([0.1, 0.2, 0.1, 0.1], 2, True),
        ([0.5, 0.5005, 0.5009], 2, True),
        ([0.5, 0.5005, 0.5011], 2, False),
        ([0.9, 0.1, 0.1, 0.1], 0, False),
        ([-2.0, -1.5, -1.4], 1, False),
    ],
)
def test_a_stall_is_no_progress_for_long_enough(curve: list[float], patience: int, *, stall: bool) -> None:
    """The best of the last epochs against the best before; a thousandth is none; 0 waits for ever."""
    assert stalled(curve, patience) is stall


@pytest.mark.parametrize("chain", CHAINS, ids=" then ".join)
def test_growth_keeps_the_scores(chain: tuple[Growth, ...]) -> None:
    """Without noise each way, and each after each, gives the same scores and doubts, and a larger network."""
    network = _network()
    larger = network
    for number, kind in enumerate(chain):
        larger = grown(larger, kind, 0.0, number)
    with torch.inference_mode():
        pairs = zip(network.judge(_pixels()), larger.judge(_pixels()), strict=True)
        assert max(float((before - after).abs().max()) for before, after in pairs) <= 1e-5
    assert size(larger) > size(network)


def test_late_growth_leaves_the_early_layers() -> None:
    """Up to the third pool all layers keep their widths and their weights; after it all are doubled."""
    network = _network()
    larger = grown(network, "wider late", 0.1, 0)
    third = [number for number, layer in enumerate(SMALL) if layer == "pool"][2]
    assert larger.layers[: third + 1] == SMALL[: third + 1]
    assert larger.layers[third + 1 :] == ((20, 1), (128, 3), "pool", (144, 1))
    before, after = network.state_dict(), larger.state_dict()
    early = [name for name in before if name.startswith("trunk.") and before[name].shape == after[name].shape]
    assert len([name for name in early if name.endswith("weight")]) == 4
    assert all(torch.equal(before[name], after[name]) for name in early)


def test_wide_layers_get_a_branch() -> None:
    """Of a quarter of their width, right after them; narrow ones do not."""
    layers = grown(_network(), "deeper", 0.0, 0).layers
    assert layers == (
        (4, 3), "pool", (6, 3), "pool", (64, 3), ("residual", 16), (8, 1), "pool",
        (10, 1), (64, 3), ("residual", 16), "pool", (72, 1), ("residual", 18),
    )  # fmt: skip


def test_growth_follows_its_seed() -> None:
    """One seed, one network; another seed parts the clones another way."""
    first, again, other = (
        torch.cat([value.flatten() for value in grown(_network(), "wider", 0.1, seed).parameters()])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
