"""Weights on disk: tensors as safetensors, everything else as plain JSON beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

TENSORS = "scorer.safetensors"
CARD = "scorer.json"
FORMAT = "selfai-scorer-1"


class WeightsError(Exception):
    """The weights are missing, damaged, or another program's; the message names the file."""


def save(folder: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Write both files; a reader finds the old pair or the new one, each file whole."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{TENSORS}.new"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, draft)
    draft.chmod(0o644)  # safetensors makes files that only their owner can read
    draft.replace(folder / TENSORS)
    draft = folder / f"{CARD}.new"
    draft.write_text(json.dumps({"format": FORMAT, **description}, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / CARD)


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read both files back.

    Raises WeightsError, naming the file, if one is missing, damaged or of another format.
    """
    card = folder / CARD
    try:
        description = json.loads(card.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"no scorer at {folder}: {card.name} is missing") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{card} cannot be read: {error}") from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise WeightsError(f"{card} does not describe a scorer of format {FORMAT}")
    try:
        return load_file(folder / TENSORS), description
    except FileNotFoundError as error:
        raise WeightsError(f"no scorer at {folder}: {TENSORS} is missing") from error
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{folder / TENSORS} cannot be read: {error}") from error
