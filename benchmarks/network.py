"""`python -m benchmarks.network`: the network's passes in bfloat16 against single precision.

Each ratio is taken within one run, on this machine, in one process; the baseline is named.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import torch

from model.network import INPUT_SIZE, TinyDarknet

ROUNDS = 7
BATCH = 32


def main() -> None:
    """Print milliseconds a picture and ratios as JSON."""
    torch.manual_seed(0)
    network = TinyDarknet().to(memory_format=torch.channels_last)
    pixels = torch.randn(BATCH, 3, INPUT_SIZE, INPUT_SIZE).to(memory_format=torch.channels_last)
    timed = {
        "forward": {halved: _milliseconds(_forward(network, pixels, halved)) for halved in (False, True)},
        "training step": {halved: _milliseconds(_step(network, pixels, halved)) for halved in (False, True)},
    }
    report = {
        name: {
            "float32, baseline (ms a picture)": round(times[False], 2),
            "bfloat16 (ms a picture)": round(times[True], 2),
            "times as fast": round(times[False] / times[True], 2),
        }
        for name, times in timed.items()
    }
    print(json.dumps({"batch": BATCH, "threads": torch.get_num_threads(), **report}, indent=2))


def _forward(network: TinyDarknet, pixels: torch.Tensor, halved: bool) -> Callable[[], None]:
    def run() -> None:
        network.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=halved):
            network(pixels)

    return run


def _step(network: TinyDarknet, pixels: torch.Tensor, halved: bool) -> Callable[[], None]:
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    targets = torch.randn(BATCH)

    def run() -> None:
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=halved):
            scores = network(pixels)
        loss = torch.nn.functional.huber_loss(scores.float(), targets)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return run


def _milliseconds(run: Callable[[], None]) -> float:
    """Median of some rounds after a warm-up, a picture."""
    run()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000 / BATCH


if __name__ == "__main__":
    main()
