"""What the worker's tests share: a scorer with made-up weights, portraits, and drawn pictures."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import pytest
import skimage.data
import torch
from PIL import Image

from model import checkpoint
from model.network import INPUT_SIZE, LAYERS, TinyDarknet
from worker.score import Judge


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights as training writes them, but random."""
    torch.manual_seed(0)
    network = TinyDarknet()
    torch.nn.init.normal_(network.head.weight, std=0.03)
    folder = tmp_path_factory.mktemp("weights")
    scale = {"knots": [[-3, 3.9], [3, 5.1]], "doubt": 1.0}
    checkpoint.save(
        folder, network.state_dict(), {"layers": LAYERS, "input_size": INPUT_SIZE, "scale": scale}
    )
    return folder


@pytest.fixture(scope="session")
def judge(weights: Path) -> Judge:
    """Face finder and scorer, loaded once."""
    return Judge.load(weights, "cpu", threads=1)


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    """One person, the face about a fifth of the height. 512 by 512."""
    return Image.fromarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def hopper() -> bytes:
    """Grace Hopper's portrait, a JPEG file."""
    return hopper_file().read_bytes()


def hopper_file() -> Path:
    """The portrait that comes with matplotlib."""
    return Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
