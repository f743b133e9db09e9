"""`python -m benchmarks.network`: the shipped network against this machine's matrix multiplication.

Forward, in PyTorch and as the worker runs it (`model.engine`): the share of the peak that a large matrix
product of the same precision reaches here in the same run; and each layer's in PyTorch, which says
what stands in the way. Training step: bfloat16 against float32, the baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.report import run, seconds
from model import checkpoint
from model.engine import OpenVinoEngine
from model.network import INPUT_SIZE, STRIDE, TinyDarknet, seen
from worker.settings import PACKAGED_WEIGHTS

SIDE = seen(INPUT_SIZE)
"""Pixels of the pictures: those of the input that count, so that all do the same work."""

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def measure(quick: bool) -> dict[str, Any]:
    """Peaks, passes and layers; one thread, so that cores do not wait for one another."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    batch, rounds, side = (1, 1, 256) if quick else (16, 7, 2048)
    report: dict[str, Any] = {"baseline": "a matrix product of the same precision", "batch": batch}
    for name, kind in PRECISIONS.items():
        report[name] = _forward(name, kind, batch, rounds, side)
    steps = {name: seconds(_step(batch, name == "bfloat16"), rounds) for name in PRECISIONS}
    report["training step (ms a picture)"] = {
        **{name: round(took * 1000 / batch, 2) for name, took in steps.items()},
        "bfloat16 times as fast as float32": round(steps["float32"] / steps["bfloat16"], 2),
    }
    return report


def _network() -> TinyDarknet:
    """Of the shipped shape; its weights do not matter here."""
    _, card = checkpoint.load(PACKAGED_WEIGHTS)
    return TinyDarknet(checkpoint.read_layers(card["layers"]))


@torch.inference_mode()
def _forward(name: str, kind: torch.dtype, batch: int, rounds: int, side: int) -> dict[str, Any]:
    peak = _peak(kind, side, rounds)
    network = _network().eval().to(kind).to(memory_format=torch.channels_last)
    pixels = torch.randn(batch, 3, SIDE, SIDE).to(kind, memory_format=torch.channels_last)
    layers = _layers(network, pixels, rounds, peak)
    operations = sum(layer["GFLOP"] for layer in layers) * 1e9
    took = seconds(lambda: network(pixels), rounds)
    engine = _engine_seconds(name, batch, rounds)
    return {
        "peak (GFLOP/s)": round(peak / 1e9, 1),
        "PyTorch (ms a picture)": round(took * 1000 / batch, 2),
        "PyTorch, share of the peak": round(operations / took / peak, 3),
        "engine (ms a picture)": round(engine * 1000 / batch, 2),
        "engine, share of the peak": round(operations / engine / peak, 3),
        "engine, times as fast as PyTorch": round(took / engine, 2),
        "layers in PyTorch": [{**one, "share of time": round(one["ms"] / 1000 / took, 3)} for one in layers],
        "kinds of layers, share of time": _by_kind(layers, took),
    }


def _engine_seconds(name: str, batch: int, rounds: int) -> float:
    """Scores in single precision; contributions, in bfloat16 where the CPU has it, at stride 16."""
    engine = OpenVinoEngine(_network(), 1)
    pictures = np.random.default_rng(0).integers(0, 255, (batch, SIDE, SIDE, 3), np.uint8)
    if name == "float32":
        return seconds(lambda: engine.judge(pictures), rounds)
    return seconds(lambda: engine.contributions(pictures, STRIDE), rounds)


def _by_kind(layers: list[dict[str, Any]], took: float) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for layer in layers:
        kind = "convolution" if layer["GFLOP"] else layer["layer"]
        kinds[kind] = kinds.get(kind, 0.0) + layer["ms"] / 1000 / took
    return {kind: round(share, 3) for kind, share in kinds.items()}


def _peak(kind: torch.dtype, side: int, rounds: int) -> float:
    """Operations per second of a product of two square matrices."""
    left, right = torch.randn(side, side).to(kind), torch.randn(side, side).to(kind)
    return 2 * side**3 / seconds(lambda: left @ right, rounds)


def _layers(network: TinyDarknet, pixels: Tensor, rounds: int, peak: float) -> list[dict[str, Any]]:
    told = []
    for part in network.trunk:
        given = pixels
        # ELU works in place; bending values again takes as long as bending them once.
        took = seconds(lambda part=part, given=given: part(given), rounds)  # type: ignore[misc]
        pixels = part(given.clone())
        work = _operations(part, pixels)
        told.append(
            {
                "layer": _name(part),
                "out": list(pixels.shape[1:]),
                "ms": round(took * 1000, 3),
                "GFLOP": round(work / 1e9, 4),
                "share of the peak": round(work / took / peak, 3),
            }
        )
    return told


def _operations(part: nn.Module, out: Tensor) -> int:
    """Multiplications and additions of a convolution; nothing else here is of its kind."""
    if not isinstance(part, nn.Conv2d):
        return 0
    return 2 * out.numel() * part.in_channels * part.kernel_size[0] * part.kernel_size[1]


def _name(part: nn.Module) -> str:
    if isinstance(part, nn.Conv2d):
        return f"{part.kernel_size[0]}x{part.kernel_size[1]}, {part.in_channels} to {part.out_channels}"
    return type(part).__name__


def _step(batch: int, halved: bool) -> Callable[[], None]:
    network = _network().train().to(memory_format=torch.channels_last)
    pixels = torch.randn(batch, 3, INPUT_SIZE, INPUT_SIZE).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    targets = torch.randn(batch)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16) if halved else nullcontext():
            scores = network(pixels)
        loss = torch.nn.functional.huber_loss(scores.float(), targets)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


if __name__ == "__main__":
    run("network", __doc__, measure)
