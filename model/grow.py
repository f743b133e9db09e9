"""Net2Net (Chen, Goodfellow, Shlens 2015, arXiv:1511.05641): pure functions from network to network.

A grown network computes what its parent computed, and can learn more.

* `wider` copies units and divides what the next layers take from a unit by its number of
  copies. Noise on the copies lets them part; without it they would stay alike for ever, and
  with it the function is kept only nearly.
* `deeper` puts in a residual branch that starts at zero. The paper's identity layer, followed
  by an activation of its own, needs an idempotent one, and ELU is not: ELU(ELU(x)) != ELU(x) for
  x < 0. An identity convolution before the existing ELU would be exact too, but as two linear
  maps in a row it could compute nothing that one cannot. The branch (1x1, ELU, 1x1) can learn any
  pointwise nonlinear mix of its channels, and keeps the feature map's size, on which the unpadded
  trunk rests.

An optimiser's moments belong to the parent's shapes. Growth resets them on purpose: make a new
optimiser and let its learning rate climb anew.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from model.network import Layer, Residual, TinyDarknet


def wider(
    network: TinyDarknet, layer: int, width: int, generator: torch.Generator, noise: float = 0.0
) -> TinyDarknet:
    """A copy of `network` whose `layer` (an index into `network.layers`) has `width` units.

    For a convolution these are its output channels, for a residual branch its hidden ones. The
    first units stay; each new one copies a random one. `noise` is the standard deviation of what
    is added to a copy's incoming weights, as a share of their own. Raises ValueError if the layer
    has no units, or more than `width`.
    """
    spec = network.layers[layer]
    if spec == "pool":
        raise ValueError(f"layer {layer} is a pool: it has no units")
    hidden = spec[0] == "residual"
    units = spec[1] if spec[0] == "residual" else spec[0]
    if width < units:
        raise ValueError(f"layer {layer} has {units} units: {width} would be narrower")
    sources = torch.cat([torch.arange(units), torch.randint(units, (width - units,), generator=generator)])
    layers = list(network.layers)
    layers[layer] = ("residual", width) if spec[0] == "residual" else (width, spec[1])
    grown = _shell(network, layers)
    old, new = list(_parts(network, layer)), list(_parts(grown, layer))
    _copy_units(old[0], new[0], sources, noise, generator)
    if hidden:
        _share(_outer(old[0]), _outer(new[0]), sources)
    else:
        _pass_on(old[1:], new[1:], sources)
    return grown


def deeper(network: TinyDarknet, layer: int, hidden: int, generator: torch.Generator) -> TinyDarknet:
    """A copy of `network` with a new residual branch of `hidden` units right after `layer`.

    Raises ValueError if `layer` is not a convolution's or a residual branch's index.
    """
    if network.layers[layer] == "pool":
        raise ValueError(f"layer {layer} is a pool: put the branch after a convolution")
    layers = [*network.layers[: layer + 1], ("residual", hidden), *network.layers[layer + 1 :]]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        grown = TinyDarknet(layers, network.dropout.p)
    kept = [part for number, part in enumerate(_learning(grown)) if number != _number(layers, layer + 1)]
    for old, new in zip(_learning(network), kept, strict=True):
        new.load_state_dict(old.state_dict())
    return grown.train(network.training).to(next(network.parameters()).device)


def doubled(
    network: TinyDarknet, generator: torch.Generator, noise: float = 0.0, after_pools: int = 0
) -> TinyDarknet:
    """A copy of `network` with the widths after so many pools doubled, hidden ones included."""
    for number, layer in enumerate(network.layers):
        if layer != "pool" and network.layers[:number].count("pool") >= after_pools:
            units = layer[1] if layer[0] == "residual" else layer[0]
            network = wider(network, number, 2 * units, generator, noise)
    return network


def _shell(network: TinyDarknet, layers: list[Layer]) -> TinyDarknet:
    """A network of these layers with `network`'s values wherever the shapes agree."""
    with torch.random.fork_rng(devices=[]):
        grown = TinyDarknet(layers, network.dropout.p)
    values = grown.state_dict()
    for name, value in network.state_dict().items():
        if values[name].shape == value.shape:
            values[name] = value.clone()
    grown.load_state_dict(copy.deepcopy(values))
    return grown.train(network.training).to(next(network.parameters()).device)


def _learning(network: TinyDarknet) -> Iterator[nn.Module]:
    """What learns, in order: a part for each layer that is not a pool, then the head."""
    yield from (part for part in network.trunk if isinstance(part, nn.Conv2d | Residual))
    yield network.head


def _number(layers: Iterable[Layer], layer: int) -> int:
    """Where the part of that layer stands among those that learn."""
    return sum(spec != "pool" for spec in list(layers)[:layer])


def _parts(network: TinyDarknet, layer: int) -> Iterator[nn.Module]:
    """The layer's part, and what takes its channels: residual branches, then a convolution or the head."""
    parts = list(_learning(network))[_number(network.layers, layer) :]
    yield parts[0]
    for part in parts[1:]:
        yield part
        if not isinstance(part, Residual):
            return


def _incoming(part: nn.Module) -> nn.Conv2d:
    chosen = part.inner if isinstance(part, Residual) else part
    assert isinstance(chosen, nn.Conv2d)  # noqa: S101  the head has no units of its own to widen
    return chosen


def _outer(part: nn.Module) -> nn.Conv2d:
    assert isinstance(part, Residual)  # noqa: S101  only a residual branch has an outer half
    return part.outer


def _copy_units(
    old: nn.Module, new: nn.Module, sources: Tensor, noise: float, generator: torch.Generator
) -> None:
    """Give `new` the units of `old` that `sources` names, the later copies with noise."""
    giver, taker = _incoming(old), _incoming(new)
    with torch.no_grad():
        weights = giver.weight[sources].clone()
        copies = slice(giver.out_channels, None)
        spread = noise * giver.weight.std()
        weights[copies] += spread * torch.randn(weights[copies].shape, generator=generator).to(weights)
        taker.weight.copy_(weights)
        if giver.bias is not None and taker.bias is not None:
            taker.bias.copy_(giver.bias[sources])


def _pass_on(old: list[nn.Module], new: list[nn.Module], sources: Tensor) -> None:
    """Let what takes the channels know of the copies, residual branches on both of their sides."""
    for giver, taker in zip(old, new, strict=True):
        if isinstance(giver, Residual) and isinstance(taker, Residual):
            _share(giver.inner, taker.inner, sources)
            with torch.no_grad():
                taker.outer.weight.copy_(giver.outer.weight[sources])
                if giver.outer.bias is not None and taker.outer.bias is not None:
                    taker.outer.bias.copy_(giver.outer.bias[sources])
        else:
            _share(giver, taker, sources)


def _share(giver: nn.Module, taker: nn.Module, sources: Tensor) -> None:
    """Divide what is taken from each unit among its copies."""
    assert isinstance(giver, nn.Conv2d | nn.Linear)  # noqa: S101
    assert isinstance(taker, nn.Conv2d | nn.Linear)  # noqa: S101
    copies = torch.bincount(sources)[sources].to(giver.weight)
    shape = [1, -1] + [1] * (giver.weight.dim() - 2)
    with torch.no_grad():
        taker.weight.copy_(giver.weight[:, sources] / copies.view(shape))
        if giver.bias is not None and taker.bias is not None:
            taker.bias.copy_(giver.bias)
