"""`selfai train` and `selfai ablate`, as from the shell, on copies of one portrait."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner, Result
from PIL import Image

from model.__main__ import main
from model.predict import Scorer

BATCH = 64
LEARNED, HELD = 64, 8


@pytest.fixture(scope="module")
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch to learn from and some to judge by: one portrait, ever lighter; and the faces, once found."""
    folder = tmp_path_factory.mktemp("data")
    portrait = Image.fromarray(skimage.data.astronaut()).crop((148, 44, 298, 194)).resize((120, 120))
    pixels = np.asarray(portrait, np.float32)
    lines = ["image,score,fold"]
    for number in range(LEARNED + HELD):
        light = 0.6 + 0.6 * number / (LEARNED + HELD)
        Image.fromarray(np.clip(pixels * light, 0, 255).astype(np.uint8)).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{2 + 5 * light:.3f},{int(number % 9 == 0)}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def data(drawn_data: Path, tmp_path: Path) -> Path:
    """A copy to spoil, with the faces that were found already."""
    return Path(shutil.copytree(drawn_data, tmp_path / "data"))


def run(data: Path, out: Path, *more: str, command: str = "train") -> Result:
    """A short run as from the shell, the last fold held out; faces are kept beside the photos."""
    arguments = ["--data", str(data), "--out", str(out), "--cache", str(data / "cache"), "--device", "cpu"]
    short = ["--hold-out", "1", "--minutes", "0.01", *more]
    return CliRunner().invoke(main, [command, *arguments, *short])


@pytest.mark.slow
def test_end_to_end(drawn_data: Path, tmp_path: Path) -> None:
    """The out folder holds a scorer that loads, its curves, and what it says of unseen faces."""
    out = tmp_path / "out"
    result = run(drawn_data, out, "--recipe", "laptop", "--stages", "finetune")
    assert result.exit_code == 0, result.output
    assert f"{LEARNED} faces to learn from, {HELD} held out" in result.output
    assert "finetune 1/" in result.output
    assert f"ratings: {HELD} unseen faces, Pearson" in result.output
    assert "SELFAI_WEIGHTS" in result.output
    assert {path.name for path in out.iterdir()} >= {
        "scorer.safetensors", "scorer.json", "curves.csv", "curves.png", "held_out.csv", "calibration.png",
        "skipped.csv",
    }  # fmt: skip
    (judged,) = Scorer.load(out, "cpu").judge([[Image.new("RGB", (192, 192))]])
    assert 0 <= judged.score <= 9
    with (out / "held_out.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == HELD
    _again_at_once(drawn_data, out)


def _again_at_once(data: Path, out: Path) -> None:
    """The same command trains nothing anew, though it finds its faces quicker."""
    weights = (out / "scorer.safetensors").read_bytes()
    result = run(data, out, "--recipe", "laptop", "--stages", "finetune")
    assert result.exit_code == 0, result.output
    assert "finetune 1/" not in result.output
    assert (out / "scorer.safetensors").read_bytes() == weights


@pytest.mark.slow
def test_missing_and_broken_photos(data: Path, tmp_path: Path) -> None:
    """They are listed, the rest is learned from, and the exit status says so."""
    (data / "words.png").write_bytes(b"no picture")
    with (data / "ratings.csv").open("a") as file:
        file.write("gone.png,5,0\nwords.png,5,0\n")
    result = run(data, tmp_path / "out", "--recipe", "laptop")
    assert result.exit_code == 3, result.output
    assert "2 photos are not learned from:" in result.output
    assert "gone.png: missing" in result.output
    with (tmp_path / "out" / "skipped.csv").open(newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)]
    assert rows == [("image", "reason"), ("gone.png", "missing"), ("words.png", "not a picture")]
    assert (tmp_path / "out" / "scorer.json").exists()


@pytest.mark.slow
def test_cross_validation(data: Path, tmp_path: Path) -> None:
    """Each fold is held out in turn, then all is learned; the scale rests on every face, unseen."""
    rows = ["image,score,fold"]
    rows += [f"{number}.png,{2 + number / 20:.3f},{number % 9}" for number in range(LEARNED + HELD)]
    (data / "ratings.csv").write_text("\n".join(rows) + "\n")
    result = run(data, tmp_path, "--recipe", "laptop", "--cross-validate")
    assert result.exit_code == 0, result.output
    assert f"fold 8: {LEARNED} faces to learn from, {HELD} held out" in result.output
    assert f"all: {LEARNED + HELD} faces to learn from, 0 held out" in result.output
    assert f"ratings: {LEARNED + HELD} unseen faces, Pearson" in result.output
    with (tmp_path / "held_out.csv").open(newline="") as file:
        assert len({row["image"] for row in csv.DictReader(file)}) == LEARNED + HELD
    assert Scorer.load(tmp_path, "cpu").outputs([Image.new("RGB", (192, 192))]).shape == (2, 1)


@pytest.mark.slow
def test_ablate(drawn_data: Path, tmp_path: Path) -> None:
    """One arm with one seed gives a table of one row."""
    result = run(drawn_data, tmp_path, "--arm", "small", "--seeds", "1", command="ablate")
    assert result.exit_code == 0, result.output
    head, _, row = (tmp_path / "table.md").read_text().splitlines()
    assert head.startswith("| arm | seeds |")
    assert row.startswith("| small | 1 |")
    assert (tmp_path / "outcomes.json").exists()
    assert (tmp_path / "small-0" / "curves.csv").exists()


def _one_line(result: Result) -> str:
    """What a slip is answered with: status 1 and no traceback."""
    assert result.exit_code == 1, result.output
    assert result.output.count("\n") == 1
    assert result.output.startswith("Error: ")
    return result.output


def test_a_slip_in_the_ratings_is_named(data: Path, tmp_path: Path) -> None:
    """File and line, and nothing else."""
    (data / "ratings.csv").write_text("image,score\na.png,3\nb.png,nice\n")
    told = _one_line(run(data, tmp_path))
    assert "ratings.csv, line 3: score is 'nice', not a number" in told


def test_an_unknown_stage_is_named(data: Path, tmp_path: Path) -> None:
    """With those that the recipe has; an unknown arm, too."""
    assert "no stage 'polish': the recipe has finetune" in _one_line(
        run(data, tmp_path, "--stages", "polish")
    )
    told = _one_line(run(data, tmp_path, "--arm", "leg", command="ablate"))
    assert "--arm: no 'leg'; there are no pre-training;" in told


def test_nonsense_to_hold_out_is_named(data: Path, tmp_path: Path) -> None:
    """Neither a number nor none."""
    result = run(data, tmp_path, "--hold-out", "some")
    assert result.exit_code in {1, 2}
    assert "--hold-out" in result.output
    assert "'some' is neither a fold's number nor none" in result.output


def test_a_fold_without_faces_is_named(data: Path, tmp_path: Path) -> None:
    """Holding out what is not there would judge by nothing: an error that names the folds."""
    result = run(data, tmp_path / "out", "--hold-out", "7")
    assert result.exit_code == 1
    assert "--hold-out 7: the folds with faces are 0" in result.output.splitlines()[-1]


def test_too_few_photos(data: Path, tmp_path: Path) -> None:
    """An error with both numbers, in a second."""
    (data / "ratings.csv").write_text("image,score,fold\n0.png,3,0\n1.png,4,0\n2.png,5,1\n")
    told = run(data, tmp_path).output.splitlines()[-1]
    assert told == f"Error: 2 faces do not fill a batch of {BATCH}"
