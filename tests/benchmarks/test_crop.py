"""The crop search's benchmark and its sheet, at tiny sizes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: object) -> str:
    """What a benchmark prints."""
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_search_is_compared_with_both_baselines(tmp_path: Path) -> None:
    """A ratio to each, and the regret, in the printed and in the written report."""
    file = tmp_path / "crop.json"
    told = json.loads(run("benchmarks.crop", "--quick", "--json", file))
    assert told == json.loads(file.read_text(encoding="utf-8"))
    figures = told["1:1, about 50 windows"]
    assert figures["windows, median"] >= 50
    assert figures["one by one, times as long"] > 0 and figures["batched, times as long"] > 0
    assert 0 <= figures["regret, median"] <= figures["regret, worst"] < 0.05


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_sheet_shows_photos_beside_their_crops(tmp_path: Path) -> None:
    """A picture with room for the photos asked for."""
    run("benchmarks.sheet", tmp_path / "sheet.png", "--count", "1")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > sheet.height
