"""`python -m benchmarks.network`: the network's passes against this machine's matrix multiplication.

Forward: its share of the peak that a large matrix product of the same precision reaches here in the
same run, and each layer's, which says what stands in the way. Training step: bfloat16 against
float32, the baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.report import run, seconds
from model.network import INPUT_SIZE, TinyDarknet

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def measure(quick: bool) -> dict[str, Any]:
    """Peaks, passes and layers; one thread, so that cores do not wait for one another."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    batch, rounds, side = (1, 1, 256) if quick else (16, 7, 2048)
    report: dict[str, Any] = {"baseline": "a matrix product of the same precision", "batch": batch}
    for name, kind in PRECISIONS.items():
        report[name] = _forward(kind, batch, rounds, side)
    steps = {name: seconds(_step(batch, name == "bfloat16"), rounds) for name in PRECISIONS}
    report["training step (ms a picture)"] = {
        **{name: round(took * 1000 / batch, 2) for name, took in steps.items()},
        "bfloat16 times as fast as float32": round(steps["float32"] / steps["bfloat16"], 2),
    }
    return report


@torch.inference_mode()
def _forward(kind: torch.dtype, batch: int, rounds: int, side: int) -> dict[str, Any]:
    peak = _peak(kind, side, rounds)
    network = TinyDarknet().eval().to(kind).to(memory_format=torch.channels_last)
    pixels = torch.randn(batch, 3, INPUT_SIZE, INPUT_SIZE).to(kind, memory_format=torch.channels_last)
    layers = _layers(network, pixels, rounds, peak)
    operations = sum(layer["GFLOP"] for layer in layers) * 1e9
    took = seconds(lambda: network(pixels), rounds)
    return {
        "peak (GFLOP/s)": round(peak / 1e9, 1),
        "forward (ms a picture)": round(took * 1000 / batch, 2),
        "forward, share of the peak": round(operations / took / peak, 3),
        "layers": [{**layer, "share of time": round(layer["ms"] / 1000 / took, 3)} for layer in layers],
    }


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
    network = TinyDarknet().train().to(memory_format=torch.channels_last)
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
