"""Growing a network changes nothing that it computes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.grow import deeper, doubled, wider
from model.network import LAYERS, Layer, Residual, TinyDarknet

SMALL: tuple[Layer, ...] = (
    (4, 3), "pool", (6, 1), ("residual", 3), (5, 3), ("residual", 4), ("residual", 2), "pool", (7, 1), (8, 3)
)  # fmt: skip
"""Each kind of layer beside each other kind that may stand there."""

CLOSE = 1e-5
"""Largest absolute difference that rounding explains; never a sum, where errors cancel."""


def _network(layers: tuple[Layer, ...], seed: int = 0) -> TinyDarknet:
    torch.manual_seed(seed)
    network = TinyDarknet(layers, dropout=0.0)
    for part in network.modules():
        if isinstance(part, Residual):  # as if it had learned something
            torch.nn.init.normal_(part.outer.weight, std=0.2)
    torch.nn.init.normal_(network.head.weight, std=0.3)
    with torch.no_grad():  # the size of standard units, which is what the scorer gives
        network.head.weight /= network(_pixels(190 if layers is LAYERS else 40)).abs().max()
    return network


def _pixels(size: int) -> torch.Tensor:
    return torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(9))


def _difference(one: TinyDarknet, other: TinyDarknet, size: int = 40) -> float:
    pixels = _pixels(size)
    largest = 0.0
    for training in (False, True):
        with torch.inference_mode():
            pairs = zip(one.train(training).judge(pixels), other.train(training).judge(pixels), strict=True)
            largest = max([largest, *(float((said - after).abs().max()) for said, after in pairs)])
    return largest


UNITS = [number for number, layer in enumerate(SMALL) if layer != "pool"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["wider", "deeper"]), st.integers(0, 99), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("layer", UNITS)
@pytest.mark.parametrize("more", [0, 1, 5])
def test_wider_keeps_the_function(layer: int, more: int) -> None:
    """Any layer, widened by nothing, by one unit, or so far that units are copied several times."""
    network = _network(SMALL)
    spec = SMALL[layer]
    units = next(size for size in spec if isinstance(size, int))
    grown = wider(network, layer, units + more, torch.Generator().manual_seed(1))
    assert next(size for size in grown.layers[layer] if isinstance(size, int)) == units + more
    assert _difference(network, grown) <= CLOSE


@pytest.mark.parametrize("layer", UNITS)
def test_deeper_keeps_the_function(layer: int) -> None:
    """A new branch after any layer with units changes nothing."""
    network = _network(SMALL)
    grown = deeper(network, layer, 6, torch.Generator().manual_seed(1))
    assert len(grown.layers) == len(SMALL) + 1
    assert grown.layers[layer + 1] == ("residual", 6)
    assert _difference(network, grown) <= CLOSE


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(0, 2**31 - 1))
def test_any_chain_keeps_the_function(steps: list[tuple[str, int, int]], seed: int) -> None:
    """Growths of any kind, anywhere, one after the other."""
    network = _network(SMALL, seed)
    grown, generator = network, torch.Generator().manual_seed(seed)
    for kind, place, more in steps:
        places = [number for number, layer in enumerate(grown.layers) if layer != "pool"]
        layer = places[place % len(places)]
        if kind == "deeper":
            grown = deeper(grown, layer, more + 1, generator)
        else:
            units = next(size for size in grown.layers[layer] if isinstance(size, int))
            grown = wider(grown, layer, units + more, generator)
    assert _difference(network, grown) <= CLOSE


@pytest.mark.slow
def test_the_whole_network_doubles_exactly() -> None:
    """All layers of the shipped shape, after a deepening."""
    network = _network(LAYERS)
    generator = torch.Generator().manual_seed(1)
    grown = doubled(deeper(network, len(LAYERS) - 1, 32, generator), generator)
    assert grown.layers[0] == (32, 3)
    assert grown.layers[-1] == ("residual", 64)
    assert grown.head.in_features == 2048
    assert _difference(network, grown, 190) <= CLOSE


def test_noise_parts_the_copies() -> None:
    """With noise the copies differ from their originals, without it they do not."""
    network = _network(SMALL)
    exact, noisy = (wider(network, 0, 8, torch.Generator().manual_seed(1), noise) for noise in (0.0, 0.1))
    weights = [grown.state_dict()["trunk.0.weight"].flatten(1) for grown in (exact, noisy)]
    assert [len(torch.unique(weight, dim=0)) for weight in weights] == [4, 8]
    assert 0 < _difference(network, noisy) < 1


def test_a_new_branch_learns() -> None:
    """Its zero half has a gradient at once, and after a step the other half has one, too."""
    grown = deeper(_network(((4, 3), (5, 3))), 0, 3, torch.Generator().manual_seed(1))
    branch = next(part for part in grown.modules() if isinstance(part, Residual))
    optimiser = torch.optim.SGD(grown.parameters(), 0.1)
    for _ in range(2):
        optimiser.zero_grad()
        grown(torch.randn(2, 3, 9, 9)).sum().backward()
        optimiser.step()
    for half in (branch.inner, branch.outer):
        assert half.weight.grad is not None
        assert half.weight.grad.abs().max() > 0


def test_the_parent_stays_as_it_was() -> None:
    """Growth is pure: no weight is shared, and the state of the random generator is left alone."""
    network = _network(SMALL)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    for grown in (
        wider(network, 0, 9, torch.Generator()),
        deeper(network, 0, 3, torch.Generator()),
        doubled(network, torch.Generator()),
    ):
        for value in grown.parameters():
            value.data.fill_(7)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(("layer", "width"), [(1, 9), (0, 3), (5, 2)])
def test_what_cannot_grow_is_an_error(layer: int, width: int) -> None:
    """A pool has no units, and no layer becomes narrower."""
    with pytest.raises(ValueError, match=f"layer {layer}"):
        wider(_network(SMALL), layer, width, torch.Generator())


def test_no_branch_after_a_pool() -> None:
    """Its place is after a convolution, or after another branch."""
    with pytest.raises(ValueError, match="layer 1"):
        deeper(_network(SMALL), 1, 3, torch.Generator())
