"""What a researcher sees while training runs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from model.display import Display, line
from model.network import FaceNetwork
from model.recipe import Stretch
from model.run import Point

FINETUNE = Stretch("finetune", "scores", epochs=2)
TOLD = {"asia": 0.81234, "asia within": 0.7, "europe": 0.5, "europe within": 0.4}
CURVE = [Point(1, 1.5, 60.0, {}), Point(2, 0.25, 150.0, TOLD)]


def _validation(_network: FaceNetwork) -> dict[str, float]:
    return TOLD


def _shown(folder: Path, *, terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=120)
    with Display(console, folder, _validation, "fold 1: ") as display:
        for epoch in (1, 2):
            display.step(FINETUNE, 2 * epoch - 1, 4, 1.0)
            display.step(FINETUNE, 2 * epoch, 4, 0.5)
            display.epoch(FINETUNE, CURVE[:epoch])
        display.step(Stretch("grow", "scores", epochs=1), 1, 9, 0.5)
    return written.getvalue()


def test_a_line_an_epoch() -> None:
    """Stretch, epoch, loss, agreement by data set and within groups, and the time."""
    shown = "finetune 2/2 loss 0.250 asia 0.812 (0.700) europe 0.500 (0.400) 2.5 min"
    assert line(FINETUNE, CURVE[1]).split() == shown.split()


def test_a_file_gets_plain_lines(tmp_path: Path) -> None:
    """Where nobody watches there is no bar and not one control character, only a line an epoch."""
    shown = _shown(tmp_path, terminal=False)
    assert [text.split()[:7] for text in shown.splitlines()] == [
        ["fold", "1:", "finetune", f"{epoch}/2", "loss", loss, last]
        for epoch, loss, last in ((1, "1.500", "1.0"), (2, "0.250", "asia"))
    ]
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    """With the stretch that runs and its loss; the lines stay."""
    shown = _shown(tmp_path, terminal=True)
    assert "fold 1: grow" in shown
    assert "loss 0.500" in shown
    assert "finetune 2/2" in shown


def test_the_curves_are_kept(tmp_path: Path) -> None:
    """As numbers and as a picture, after each epoch; the folder is made."""
    _shown(tmp_path / "new", terminal=False)
    with (tmp_path / "new" / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[0]["asia"] == ""
    assert float(rows[1]["asia within"]) == 0.7
    assert (tmp_path / "new" / "curves.png").stat().st_size > 1000


def test_curves_that_cannot_be_kept_stop_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and training goes on."""
    (tmp_path / "file").write_text("in the way")
    assert "finetune 2/2" in _shown(tmp_path / "file", terminal=False)
    assert "Could not save the curves" in caplog.text
