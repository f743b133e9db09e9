"""Weights on disk."""

from pathlib import Path

import pytest
import torch

from model import checkpoint


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
