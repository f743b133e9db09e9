"""Weights on disk: tensors as safetensors, everything else as plain JSON beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.network import LAYERS, Layer

TENSORS = "scorer.safetensors"
CARD = "scorer.json"
FORMAT = "selfai-scorer-2"

WIDEST = 1 << 16
"""Units of a layer; a card that speaks of more is damaged."""


class WeightsError(Exception):
    """The weights are missing, damaged, or another program's; the message names the file."""


def save(
    folder: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any], *, halved: bool = False
) -> None:
    """Write both files; a reader finds the old pair or the new one, each file whole.

    With `halved`, the weights are stored in half precision, in half the space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{TENSORS}.new"
    stored = {name: (tensor.half() if halved else tensor).contiguous() for name, tensor in tensors.items()}
    save_file(stored, draft)
    draft.chmod(0o644)  # safetensors makes files that only their owner can read
    draft.replace(folder / TENSORS)
    draft = folder / f"{CARD}.new"
    draft.write_text(json.dumps({"format": FORMAT, **description}, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / CARD)


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read both files back, weights in single precision.

    Raises WeightsError, naming the file, if one is missing, damaged or of another format.
    """
    description = _card(folder)
    try:
        tensors = load_file(folder / TENSORS)
    except FileNotFoundError as error:
        raise WeightsError(f"no scorer at {folder}: {TENSORS} is missing") from error
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{folder / TENSORS} cannot be read: {error}") from error
    return {name: tensor.to(torch.float32) for name, tensor in tensors.items()}, description


def read_layers(written: Any) -> tuple[Layer, ...]:
    """A card's layers as `model.network` takes them. Raises ValueError, naming the first bad one.

    Widths and residual branches are free. What moves or widens a place's view is not: windows
    are read off by the geometry of the layers in `model.network`.
    """
    if not isinstance(written, list) or not written:
        raise ValueError("gives no layers")
    layers = tuple(_layer(number, layer) for number, layer in enumerate(written))
    if _geometry(layers) != _geometry(LAYERS):
        raise ValueError("describes another geometry: its pools and kernels are not our network's")
    return layers


def _card(folder: Path) -> dict[str, Any]:
    card = folder / CARD
    try:
        description = json.loads(card.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"no scorer at {folder}: {card.name} is missing") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{card} cannot be read: {error}") from error
    made = description.get("format") if isinstance(description, dict) else None
    if isinstance(made, str) and made.startswith(FORMAT.rstrip("0123456789")) and made != FORMAT:
        raise WeightsError(
            f"{card} was made by another version of Selfai ({made}; this one reads {FORMAT}): "
            "use the weights that came with this version, or train anew"
        )
    if not isinstance(description, dict) or made != FORMAT:
        raise WeightsError(f"{card} does not describe a scorer of format {FORMAT}")
    return description


def _layer(number: int, written: Any) -> Layer:
    match written:
        case "pool":
            return "pool"
        case ["residual", int(hidden)] if _is_size(hidden):
            return ("residual", hidden)
        case [int(width), int(kernel)] if _is_size(width) and _is_size(kernel):
            return (width, kernel)
    raise ValueError(f"describes another network: layer {number} is {written!r:.60}")


def _is_size(number: int) -> bool:
    return not isinstance(number, bool) and 1 <= number <= WIDEST


def _geometry(layers: Sequence[Layer]) -> list[object]:
    """Pools and kernel sizes, in order, without what keeps the feature map's size."""
    steps = ["pool" if layer == "pool" else layer[1] for layer in layers if layer[0] != "residual"]
    return [step for step in steps if step != 1]
