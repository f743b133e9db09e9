"""The trained scorer: faces to scores, and a photo to the contribution of each of its places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from model import checkpoint
from model.checkpoint import WeightsError
from model.engine import Engine, OpenVinoEngine, TorchEngine
from model.network import INPUT_SIZE, TinyDarknet
from model.scale import Scale

__all__ = ["DeviceError", "Judged", "Scorer", "WeightsError", "pick_device"]

BATCH = 16
"""Pictures per pass; beyond it a CPU gains nothing."""


class DeviceError(Exception):
    """There is no such device here; the message names it."""


@dataclass(frozen=True)
class Judged:
    """What is said of one face."""

    score: float
    """0..9, not rounded."""
    plus_minus: float
    """Points; about 68 % of people's mean ratings lie within one of the score."""


class Scorer:
    """Tiny Darknet with its trained weights, and the scale that turns its output into 0..9."""

    def __init__(self, network: TinyDarknet, scale: Scale, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self._engine: Engine = (
            OpenVinoEngine(network, torch.get_num_threads())
            if self.device.type == "cpu"
            else TorchEngine(network, self.device)
        )
        self._scale = scale

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
        return cls(_network(folder, tensors, card), _scale(folder, card), device)

    def judge(self, faces: Sequence[Sequence[Image.Image]]) -> list[Judged]:
        """Scores with their plus-minus of faces, each given by its views (`model.faces.views`).

        Both rest on the mean over a face's views and their mirror images. People rate all alike,
        the network nearly so, and the mean agrees better with people than any (see model/LOG.md).
        """
        seen = [view for face in faces for view in face]
        mirrored = [view.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for view in seen]
        if not seen:
            return []
        outputs, doubts = self.outputs([*seen, *mirrored]).reshape(2, 2, len(faces), -1).mean(axis=(1, 3))
        pairs = zip(self._scale.told(outputs), self._scale.plus_minus(doubts), strict=True)
        return [Judged(float(score), float(plus_minus)) for score, plus_minus in pairs]

    def outputs(self, pictures: Sequence[Image.Image]) -> NDArray[np.float64]:
        """What the network itself says of each picture: scores in standard units, and log doubts.

        Shape: n pictures of one size -> (2, n).
        """
        batches = (pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH))
        said = [self._engine.judge(_stacked(batch)).astype(np.float64) for batch in batches]
        return np.concatenate([np.empty((2, 0)), *said], axis=1)

    def unclipped(self, pictures: Sequence[Image.Image]) -> list[float]:
        """Points for comparing windows: one pass each, beyond 0 and 9 too.

        On the scale's nearest straight line, as `contributions` are.
        """
        points: list[float] = self._scale.straight(self.outputs(pictures)[0]).tolist()
        return points

    def contributions(self, picture: Image.Image, stride: int) -> NDArray[np.float32]:
        """What each place of an RGB picture adds, in the points of `unclipped`, every `stride` pixels.

        The mean over a window's places, `STRIDE` pixels apart, is what `unclipped` says of the
        window, which is why both are straight; to a few hundredths in half precision.
        Shape (places down, places across).
        """
        values = self._engine.contributions(_stacked([picture]), stride)
        return self._scale.straight(values[0]).astype(np.float32)


def _stacked(pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
    return np.stack([np.asarray(picture) for picture in pictures])


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
    try:
        layers = checkpoint.read_layers(card.get("layers"))
    except ValueError as error:
        raise WeightsError(f"{folder / checkpoint.CARD} {error}") from error
    if card.get("input_size") != INPUT_SIZE:
        told = card.get("input_size")
        raise WeightsError(f"{folder / checkpoint.CARD} is for pictures of {told} pixels, not {INPUT_SIZE}")
    with torch.device("meta"):  # its shapes alone: the weights come from the file
        network = TinyDarknet(layers)
    try:
        network.load_state_dict(dict(tensors), assign=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{folder / checkpoint.TENSORS} does not fit its network: {reason}") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WeightsError(f"{folder / checkpoint.TENSORS} is damaged: it holds numbers that are not finite")
    return network


def _scale(folder: Path, card: Mapping[str, Any]) -> Scale:
    try:
        return Scale.from_json(card.get("scale"))
    except ValueError as error:
        raise WeightsError(f"{folder / checkpoint.CARD} gives no scale: {error}") from error
