"""`selfai evaluate`, as from the shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
import skimage.data
from click.testing import CliRunner, Result
from PIL import Image

from model.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's settings."""
    monkeypatch.delenv("SELFAI_WEIGHTS", raising=False)
    monkeypatch.setenv("SELFAI_DEVICE", "cpu")


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """Two portraits and a blank, rated."""
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "astronaut.png")
    hopper = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    (tmp_path / "hopper.jpg").write_bytes(hopper.read_bytes())
    Image.new("RGB", (200, 200), "white").save(tmp_path / "blank.png")
    path = tmp_path / "ratings.csv"
    path.write_text("image,score,fold\nastronaut.png,5,0\nhopper.jpg,4,1\nblank.png,1,1\n")
    return path


def run(*arguments: object) -> Result:
    """Run the command as from the shell."""
    return CliRunner().invoke(main, ["evaluate", *(str(argument) for argument in arguments)])


def test_in_words(ratings: Path) -> None:
    """Tables on standard output, nothing else anywhere; a photo without a face is an answer."""
    result = run(ratings)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 photos: 2 scored, 1 without a face, 0 missing or unreadable (no")
    assert "blank.png: no face" in result.stdout
    assert result.stderr == ""


def test_as_json(ratings: Path) -> None:
    """One object; with missing and unreadable photos the exit status is 3, and they are listed."""
    with ratings.open("a") as file:
        file.write("gone.jpg,3,0\nratings.csv,3,0\n")
    result = run(ratings, "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert [told[key] for key in ("photos", "scored", "refused", "lost")] == [5, 2, 1, 2]
    assert told["skipped"][1:] == [
        {"image": "gone.jpg", "reason": "missing"},
        {"image": "ratings.csv", "reason": "not a picture"},
    ]
    assert list(told["datasets"]) == ["ratings"]
    assert told["overall"]["agreement"]["pearson"]["value"] is None


def test_options(ratings: Path, tmp_path: Path) -> None:
    """Another folder of photos, some folds, another scale, altered copies, a file of lines."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = ratings.rename(elsewhere / "ratings.csv")
    out = tmp_path / "out.csv"
    options = ("--images", tmp_path, "--fold", 0, "--scale", 1, 10, "--robustness", "--json", "--save", out)
    result = run(moved, *options)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["photos"], told["scored"], len(told["robustness"])) == (1, 1, 11)
    assert out.read_text().splitlines()[1].startswith("astronaut.png,ratings,,4.0000,")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--images", "nowhere"), "--images: nowhere is no folder"),
        (("--fold", "7"), "--fold: "),
        (("--weights", "nowhere"), "--weights: no scorer at nowhere"),
        (("--device", "abacus"), "--device: no device 'abacus'"),
        (("--scale", "5", "1"), "line 2: the scale 5..1 does not rise"),
        (("--save", "nowhere/out.csv", "--fold", "0"), "--save nowhere/out.csv: No such file"),
    ],
)
def test_mistakes_are_one_line(ratings: Path, arguments: tuple[str, ...], words: str) -> None:
    """Exit status 1, and what to look at."""
    result = run(ratings, *arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_wrong_folder(ratings: Path, tmp_path: Path) -> None:
    """Where not one photo is there, that is said instead of empty tables."""
    (tmp_path / "empty").mkdir()
    result = run(ratings, "--images", tmp_path / "empty")
    assert result.exit_code == 1
    assert "none of 3 photos below" in result.stderr
    assert result.stdout == ""


def test_from_selfai(tmp_path: Path) -> None:
    """The bot's command line hands everything on, and what goes wrong is one line there, too."""
    (tmp_path / "ratings.csv").write_text("image,score\na.jpg,nan\n")

    def selfai(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot", "evaluate", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ}
        )

    wrong = selfai(str(tmp_path / "ratings.csv"))
    assert wrong.returncode == 1
    assert wrong.stderr == f"Error: {tmp_path}/ratings.csv, line 2: score is 'nan', not a finite number\n"
    shown = selfai("--help")
    assert shown.returncode == 0
    assert "selfai evaluate" in shown.stdout
