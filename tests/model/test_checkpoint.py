"""Weights on disk."""

from pathlib import Path
from typing import Any

import pytest
import torch

from model import checkpoint
from model.network import LAYERS


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a small set of weights."""
    checkpoint.save(tmp_path, {"a": torch.arange(3.0)}, {"note": "ours"})
    return tmp_path


def test_what_was_saved_comes_back(saved: Path) -> None:
    """Tensors and description are read as they were written, and no draft stays behind."""
    tensors, description = checkpoint.load(saved)
    assert torch.equal(tensors["a"], torch.arange(3.0))
    assert description == {"format": checkpoint.FORMAT, "note": "ours"}
    assert sorted(path.name for path in saved.iterdir()) == [checkpoint.CARD, checkpoint.TENSORS]


def test_a_later_save_replaces_the_first(saved: Path) -> None:
    """Saving again leaves the newer tensors only."""
    checkpoint.save(saved, {"b": torch.zeros(1)}, {})
    assert list(checkpoint.load(saved)[0]) == ["b"]


@pytest.mark.parametrize("missing", [checkpoint.CARD, checkpoint.TENSORS])
def test_a_missing_file_is_named(saved: Path, missing: str) -> None:
    """The error says which file of the two is not there."""
    (saved / missing).unlink()
    with pytest.raises(checkpoint.WeightsError, match=missing):
        checkpoint.load(saved)


@pytest.mark.parametrize("damaged", [checkpoint.CARD, checkpoint.TENSORS])
def test_a_damaged_file_is_named(saved: Path, damaged: str) -> None:
    """The error says which file of the two cannot be read."""
    (saved / damaged).write_bytes(b"\x00rubbish")
    with pytest.raises(checkpoint.WeightsError, match=damaged):
        checkpoint.load(saved)


@pytest.mark.parametrize("text", ['{"format": "other-2"}', "{}", "[]"])
def test_foreign_weights_are_refused(saved: Path, text: str) -> None:
    """A description of another format is an error that names the format we read."""
    (saved / checkpoint.CARD).write_text(text)
    with pytest.raises(checkpoint.WeightsError, match=checkpoint.FORMAT):
        checkpoint.load(saved)


@pytest.mark.parametrize("version", ["selfai-scorer-1", "selfai-scorer-3"])
def test_another_versions_weights_are_named(saved: Path, version: str) -> None:
    """The error says whose they are and what to do."""
    (saved / checkpoint.CARD).write_text(f'{{"format": "{version}"}}')
    with pytest.raises(checkpoint.WeightsError, match=f"another version of Selfai .{version}.*train anew"):
        checkpoint.load(saved)


def test_half_precision_is_stored_small_and_read_back_single(tmp_path: Path) -> None:
    """Half the bytes; what comes back is single precision, nearly what was saved."""
    weights = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    checkpoint.save(tmp_path, {"a": weights}, {}, halved=True)
    read = checkpoint.load(tmp_path)[0]["a"]
    assert read.dtype == torch.float32
    torch.testing.assert_close(read, weights, rtol=1e-3, atol=1e-4)
    assert (tmp_path / checkpoint.TENSORS).stat().st_size < 2200


def as_written(layers: Any) -> Any:
    """Layers as JSON gives them back."""
    return [layer if isinstance(layer, str) else list(layer) for layer in layers]


def test_layers_are_read_as_the_network_takes_them() -> None:
    """Any widths, and residual branches anywhere."""
    assert checkpoint.read_layers(as_written(LAYERS)) == LAYERS
    grown = (("residual", 4), (99, 3), *LAYERS[1:], ("residual", 7))
    assert checkpoint.read_layers(as_written(grown)) == grown
    assert checkpoint.read_layers([*as_written(LAYERS), [2048, 1]])[-1] == (2048, 1)


@pytest.mark.parametrize(
    "written",
    [
        ["swim"], [["pool"]], [["residual"]], [["residual", "4"]], [["residual", 0]], [[8]], [[8, 3, 1]],
        [[0, 3]], [[8, 0]], [[8.0, 3]], [[True, 3]], [[8, -3]], [[2**40, 3]], [{"8": 3}], [None], [[[8], 3]],
    ],
)  # fmt: skip
def test_layers_that_we_do_not_know_are_named(written: Any) -> None:
    """The first bad one, by its number."""
    with pytest.raises(ValueError, match="describes another network: layer 20"):
        checkpoint.read_layers([*as_written(LAYERS), *written])


@pytest.mark.parametrize("written", [None, {}, [], "pool", 7])
def test_no_layers_are_an_error(written: Any) -> None:
    """The card must say which they are."""
    with pytest.raises(ValueError, match="gives no layers"):
        checkpoint.read_layers(written)


@pytest.mark.parametrize(
    "layers",
    [LAYERS[1:], (*LAYERS, "pool"), ((16, 5), *LAYERS[1:]), LAYERS[:-1], LAYERS[::-1]],
)
def test_another_geometry_is_refused(layers: Any) -> None:
    """Windows are read off by our pools and kernels."""
    with pytest.raises(ValueError, match="another geometry"):
        checkpoint.read_layers(as_written(layers))
