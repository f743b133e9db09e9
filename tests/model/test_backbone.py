from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision.models import resnet18

from model.backbone import MEAN, SPREAD, BackboneError, Renormalise, imagenet_resnet18
from model.network import normalise


def test_pixels_reach_it_as_imagenet_has_them() -> None:
    """Bytes normalised our way, then renormalised, are what torchvision's own transform gives."""
    pixels = torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8)
    mean, spread = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, SPREAD))
    torch.testing.assert_close(Renormalise()(normalise(pixels)), (pixels / 255 - mean) / spread)


def test_a_state_dict_from_a_file_is_its_trunk(tmp_path: Path) -> None:
    """The features are those of torchvision's network before its last layer."""
    torch.manual_seed(0)
    original = resnet18(weights=None).eval()
    torch.save(original.state_dict(), tmp_path / "weights.pth")
    network = imagenet_resnet18(tmp_path / "weights.pth").eval()
    pixels = torch.randn(2, 3, 96, 96)
    original.fc = torch.nn.Identity()
    with torch.inference_mode():
        expected = original(Renormalise()(pixels))
        torch.testing.assert_close(network.features(pixels), expected, rtol=1e-4, atol=1e-4)
        assert network.judge(pixels)[1].shape == (2,)


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_weights_that_cannot_be_had_are_named(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, empty or something else: an error with its name."""
    file = tmp_path / "weights.pth"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BackboneError, match=r"weights\.pth"):
        imagenet_resnet18(file)


def test_another_networks_weights_are_refused(tmp_path: Path) -> None:
    """A state dict that does not fit is an error, not a network with random layers."""
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(BackboneError, match="ImageNet weights cannot be had"):
        imagenet_resnet18(tmp_path / "other.pth")
