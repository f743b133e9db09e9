"""What runs the trained network: OpenVINO on a CPU, PyTorch on a GPU.

On CPUs OpenVINO bends (ELU) where it multiplies, and keeps the weights as its kernels want them;
PyTorch passes over memory for each layer (`benchmarks.network` measures both). The graph is
built here layer by layer, from the network's own modules.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from openvino import Node, opset1, opset15
from torch import Tensor, nn

from model.network import (
    FIELD,
    Residual,
    TinyDarknet,
    normalise,
    padded,
    seen,
    shift_stages,
    stitched,
)

Pictures = NDArray[np.uint8]
"""RGB pictures of one size, shape (n, height, width, 3)."""


class Engine(Protocol):
    """A trained network, ready to judge; safe to call from several threads."""

    def judge(self, pictures: Pictures, /) -> NDArray[np.float32]:
        """Scores in standard units, and log doubts, as `FaceNetwork.judge`. Shape (2, n)."""

    def contributions(self, pictures: Pictures, stride: int, /) -> NDArray[np.float32]:
        """As `TinyDarknet.contributions`; on most devices in half precision."""


class TorchEngine:
    """PyTorch, in half precision on a GPU."""

    def __init__(self, network: TinyDarknet, device: torch.device) -> None:
        self._device = device
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._network = network.eval().to(device, self._dtype).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def judge(self, pictures: Pictures, /) -> NDArray[np.float32]:
        """See `Engine`."""
        both = torch.stack(self._network.judge(self._input(_trimmed(pictures))))
        return _array(both)

    @torch.inference_mode()
    def contributions(self, pictures: Pictures, stride: int, /) -> NDArray[np.float32]:
        """See `Engine`."""
        return _array(self._network.contributions(self._input(pictures), stride))

    def _input(self, pictures: Pictures) -> Tensor:
        stacked = torch.from_numpy(pictures)
        if self._device.type == "cuda":  # bytes cross, from pinned memory; floats are made over there
            stacked = stacked.pin_memory().to(self._device, non_blocking=True)
        pixels = normalise(stacked.permute(0, 3, 1, 2))
        return pixels.to(self._dtype).contiguous(memory_format=torch.channels_last)


class OpenVinoEngine:
    """OpenVINO on a CPU: scores in single precision, since bfloat16 moves them by up to 0.04 points;
    contributions, which only tell which windows are worth a closer look, in bfloat16 where the
    CPU has instructions for it.
    """

    def __init__(self, network: TinyDarknet, threads: int) -> None:
        self._network, self._threads = network.eval(), threads
        self._lock = threading.Lock()
        self._judge = self._compiled(self._judging(), "f32")
        self._maps: dict[int, openvino.CompiledModel] = {}

    def judge(self, pictures: Pictures, /) -> NDArray[np.float32]:
        """See `Engine`."""
        return _passed(self._judge, _trimmed(pictures)).T

    def contributions(self, pictures: Pictures, stride: int, /) -> NDArray[np.float32]:
        """See `Engine`."""
        down, across = ((side - FIELD) // stride + 1 for side in pictures.shape[1:3])
        room = padded(torch.from_numpy(pictures).permute(0, 3, 1, 2), stride).permute(0, 2, 3, 1)
        values = torch.from_numpy(_passed(self._map(stride), room.contiguous().numpy()))
        return stitched(values.squeeze(1), stride)[:, :down, :across].numpy()

    def _map(self, stride: int) -> openvino.CompiledModel:
        with self._lock:
            if stride not in self._maps:
                self._maps[stride] = self._compiled(self._mapping(stride), _rough_precision())
            return self._maps[stride]

    def _compiled(self, model: openvino.Model, precision: str) -> openvino.CompiledModel:
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            # Pinned, the workers of one machine would all sit on its first core.
            "ENABLE_CPU_PINNING": False,
        }
        return _core().compile_model(model, "CPU", options)

    def _judging(self) -> openvino.Model:
        pixels = _pixels()
        features = opset15.reduce_mean(_run(self._network.trunk, _normalised(pixels)), [2, 3], False)
        head = self._network.head
        both = opset15.matmul(features, _constant(head.weight), False, True)
        return openvino.Model([opset15.add(both, _constant(head.bias[None]))], [pixels])

    def _mapping(self, stride: int) -> openvino.Model:
        pixels = _pixels()
        stages = shift_stages(self._network.trunk, stride)
        values = _run(stages[0], _normalised(pixels))
        for stage in stages[1:]:
            values = _run(stage, _shifted(values))
        head = self._network.head
        told = _convolved(values, head.weight[:1, :, None, None], head.bias[:1])
        return openvino.Model([told], [pixels])


@cache
def _core() -> openvino.Core:
    return openvino.Core()


def _rough_precision() -> str:
    has = torch.cpu.get_capabilities()
    return "bf16" if has.get("amx_bf16") or has.get("avx512_bf16") else "f32"


def _passed(model: openvino.CompiledModel, pictures: Pictures) -> NDArray[np.float32]:
    # A request of its own each time: requests are not safe to share between threads.
    output = model.create_infer_request().infer([pictures])[0]
    return np.array(output, np.float32)


def _trimmed(pictures: Pictures) -> Pictures:
    """Without the last rows and columns, which no place sees: so that fewer sizes differ."""
    down, across = (seen(side) for side in pictures.shape[1:3])
    return np.ascontiguousarray(pictures[:, :down, :across])


def _array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.float().cpu().numpy()
    return array


def _pixels() -> Any:
    return opset15.parameter([-1, -1, -1, 3], np.uint8)


def _normalised(pixels: Node) -> Node:
    """As `model.network.normalise`."""
    floats = opset15.convert(opset15.transpose(pixels, [0, 3, 1, 2]), np.float32)
    return opset15.subtract(opset15.multiply(floats, np.float32(4 / 255)), np.float32(2))


def _run(parts: Iterable[nn.Module], values: Node) -> Node:
    for part in parts:
        values = _part(part, values)
    return values


def _part(part: nn.Module, values: Node) -> Node:
    """One module of the trunk. Raises TypeError at one that it does not know."""
    if isinstance(part, nn.Conv2d):
        return _convolved(values, part.weight, part.bias)
    if isinstance(part, nn.ELU):
        return opset15.elu(values, part.alpha)
    if isinstance(part, nn.MaxPool2d):
        return opset1.max_pool(values, [2, 2], [0, 0], [0, 0], [2, 2])
    if isinstance(part, Residual):
        inner = opset15.elu(_convolved(values, part.inner.weight, part.inner.bias), 1.0)
        return opset15.add(values, _convolved(inner, part.outer.weight, part.outer.bias))
    raise TypeError(f"no such layer in OpenVINO's graph: {type(part).__name__}")


def _convolved(values: Node, weight: Tensor, bias: Tensor | None) -> Node:
    made = opset15.convolution(values, _constant(weight), [1, 1], [0, 0], [0, 0], [1, 1])
    return made if bias is None else opset15.add(made, _constant(bias.reshape(1, -1, 1, 1)))


def _shifted(values: Node) -> Node:
    """As `model.network.shifted`."""
    end = np.iinfo(np.int64).max
    bounds: Sequence[tuple[int, int]] = ((0, -1), (1, end))
    parts = [
        opset15.slice(values, [top, left], [bottom, right], [1, 1], [2, 3])
        for top, bottom in bounds
        for left, right in bounds
    ]
    return opset15.concat(parts, 0)


def _constant(values: Tensor) -> Node:
    return opset15.constant(values.detach().float().cpu().numpy())
