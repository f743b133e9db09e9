"""The trained scorer: faces to scores, and a photo to the contribution of each of its places."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from model import checkpoint
from model.checkpoint import WeightsError
from model.network import LAYERS, TinyDarknet, normalise

__all__ = ["DeviceError", "Scorer", "WeightsError", "pick_device"]

LOWEST, HIGHEST = 0.0, 9.0
"""The scale that people see."""

BATCH = 16
"""Pictures per pass; beyond it a CPU gains nothing."""


class DeviceError(Exception):
    """There is no such device here; the message names it."""


class Scorer:
    """Tiny Darknet with its trained weights, and the scale that turns its output into 0..9.

    Single precision on CPU: bfloat16 was measured to save 3 ms of 8 ms a picture on CPUs that
    have it, and to cost elsewhere. Half precision on GPU.
    """

    def __init__(self, network: TinyDarknet, centre: float, spread: float, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self._dtype = torch.float16 if self.device.type == "cuda" else torch.float32
        prepared = network.eval().to(self.device, self._dtype)
        self._network = prepared.to(memory_format=torch.channels_last)
        self._centre, self._spread = centre, spread

    @classmethod
    def load(cls, folder: Path, device: str = "auto", threads: int | None = None) -> Self:
        """The scorer whose weights lie in `folder`.

        `device` is `cpu`, `cuda`, or `auto` for a GPU if there is one; `threads` sets PyTorch's
        number of CPU threads for the whole process. Raises WeightsError, naming the file, if the
        weights are missing, damaged, or another network's; DeviceError if there is no such device.
        """
        device = pick_device(device)
        if threads is not None:
            torch.set_num_threads(threads)
        tensors, card = checkpoint.load(folder)
        return cls(_network(folder, tensors, card), *_scale(folder, card), device)

    def score(self, faces: Sequence[Image.Image]) -> list[float]:
        """Scores 0..9, not rounded, of canonical faces: RGB pictures of one size.

        Each is the mean over the face and its mirror image. People rate both alike, the network
        nearly so, and the mean agrees better with people than either (see model/LOG.md).
        """
        mirrored = [face.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for face in faces]
        values = self.unclipped([*faces, *mirrored])
        pairs = zip(values[: len(faces)], values[len(faces) :], strict=True)
        return [min(max((one + other) / 2, LOWEST), HIGHEST) for one, other in pairs]

    def unclipped(self, pictures: Sequence[Image.Image]) -> list[float]:
        """What the network says of each picture itself, beyond 0 and 9 too: for comparing windows."""
        values: list[float] = []
        for start in range(0, len(pictures), BATCH):
            with torch.inference_mode():
                output = self._network(self._input(pictures[start : start + BATCH]))
            values += self._scaled(output.cpu().float().numpy()).tolist()
        return values

    def contributions(self, picture: Image.Image) -> NDArray[np.float32]:
        """What each place of an RGB picture adds, on the scale of `unclipped`.

        The mean over a window's places is the window's own score. Shape (places down, places across).
        """
        with torch.inference_mode():
            output = self._network.contributions(self._input([picture]))
        return self._scaled(output[0].cpu().float().numpy())

    def _input(self, pictures: Sequence[Image.Image]) -> Tensor:
        stacked = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
        pixels = normalise(stacked.permute(0, 3, 1, 2).to(self.device))
        return pixels.to(self._dtype).contiguous(memory_format=torch.channels_last)

    def _scaled(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        return output * np.float32(self._spread) + np.float32(self._centre)


def pick_device(name: str) -> str:
    """`auto` as what there is; anything else as it stands. Raises DeviceError if it is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not name.startswith("cuda"):
        raise DeviceError(f"no device {name!r}: say auto, cpu or cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise DeviceError(f"no device {name!r}: PyTorch finds no GPU here; say auto or cpu")
    return name


def _network(folder: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> TinyDarknet:
    if card.get("layers") != [list(layer) if layer != "pool" else layer for layer in LAYERS]:
        raise WeightsError(f"{folder / checkpoint.CARD} describes another network than ours")
    network = TinyDarknet()
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{folder / checkpoint.TENSORS} does not fit our network: {reason}") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WeightsError(f"{folder / checkpoint.TENSORS} is damaged: it holds numbers that are not finite")
    return network


def _scale(folder: Path, card: Mapping[str, Any]) -> tuple[float, float]:
    try:
        scale = float(card["scale"]["centre"]), float(card["scale"]["spread"])
    except (KeyError, TypeError, ValueError):
        scale = math.nan, math.nan
    if not all(math.isfinite(number) for number in scale):
        raise WeightsError(f"{folder / checkpoint.CARD} gives no scale (centre, spread)")
    return scale
