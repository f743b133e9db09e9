"""The worker's commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from tests.worker.conftest import encoded, hopper_file
from worker.__main__ import REASONS, main
from worker.messages import Refusal


@pytest.fixture(autouse=True)
def _environment(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own weights, and nobody's settings."""
    for name in ("SELFAI_DEVICE", "SELFAI_THREADS", "SELFAI_LARGEST_DOWNLOAD", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SELFAI_WEIGHTS", str(weights))


def run(*arguments: object) -> Result:
    """Run a command as from the shell."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def portrait() -> Path:
    return hopper_file()


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    path.write_bytes(encoded(Image.new("RGB", (200, 200))))
    return path


def test_score_in_words(portrait: Path, blank: Path) -> None:
    """A line a photo: score and plus-minus, one decimal each, and where the face is; or why there is none."""
    result = run("score", portrait, blank)
    scored, refused = result.stdout.splitlines()
    assert result.exit_code == 0
    assert re.match(re.escape(f"{portrait}: ") + r"\d\.\d ± \d\.\d  ", scored)
    assert scored.endswith("1 face at 178,94 to 359,334")
    assert refused == f"{blank}: no score, {REASONS[Refusal.DRAWING]}"


def test_score_as_json(portrait: Path, blank: Path) -> None:
    """A JSON object a line, the same keys with a score and with a refusal."""
    scored, refused = (
        json.loads(line) for line in run("score", "--json", portrait, blank).stdout.splitlines()
    )
    keys = ["photo", "score", "plus_minus", "refusal", "face", "faces", "seconds"]
    assert list(scored) == list(refused) == keys
    assert (scored["refusal"], scored["faces"], len(scored["face"])) == (None, 1, 4)
    assert scored["score"] != round(scored["score"], 1)
    assert 0.2 <= scored["plus_minus"] <= 3
    assert refused["plus_minus"] is None
    assert (refused["score"], refused["refusal"], refused["face"], refused["faces"]) == (
        None,
        "drawing",
        None,
        0,
    )


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_file_name_that_no_encoding_writes(blank: Path, as_json: tuple[str, ...]) -> None:
    """Linux allows any bytes in a name; the photo is answered all the same, and JSON keeps the name."""
    strange = blank.rename(blank.with_name(os.fsdecode(b"strange-\xff.png")))
    result = run("score", *as_json, strange)
    assert result.exit_code == 0
    assert not as_json or json.loads(result.stdout)["photo"] == str(strange)


def test_score_goes_on_after_a_missing_file(portrait: Path, tmp_path: Path) -> None:
    """The missing file and the folder are named on stderr; the rest is answered; the exit status tells."""
    result = run("score", tmp_path / "none.jpg", tmp_path, portrait)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert f"{tmp_path / 'none.jpg'}: No such file" in result.stderr
    assert f"{tmp_path}: Is a directory" in result.stderr


def test_crop_in_words_and_to_a_file(portrait: Path, tmp_path: Path) -> None:
    """The box, both scores, windows and time; the crop lands in the file."""
    result = run("crop", portrait, "--aspect", "4:5", "--out", tmp_path / "crop.jpg")
    assert result.exit_code == 0, result.output
    assert " scores " in result.stdout and " windows of " in result.stdout
    picture = Image.open(tmp_path / "crop.jpg")
    assert picture.width / picture.height == pytest.approx(0.8, abs=0.01)


def test_crop_as_json(portrait: Path) -> None:
    """The same as one JSON object."""
    answer = json.loads(run("crop", portrait, "--json").stdout)
    assert list(answer) == [
        "photo",
        "refusal",
        "box",
        "score",
        "whole_score",
        "windows",
        "sizes",
        "step",
        "frame",
        "seconds",
    ]
    left, top, right, bottom = answer["box"]
    assert right - left == pytest.approx(bottom - top)
    assert answer["windows"] > 10


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_no_crop_without_a_face(blank: Path, as_json: list[str]) -> None:
    """The reason is told, and the exit status says that no crop was made."""
    result = run("crop", blank, *as_json)
    assert result.exit_code == 1
    assert ("drawing" if as_json else REASONS[Refusal.DRAWING]) in result.stdout


def test_crop_of_a_missing_file(tmp_path: Path) -> None:
    """Named on stderr."""
    result = run("crop", tmp_path / "none.jpg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "none.jpg: No such file" in result.stderr


def test_an_out_file_that_cannot_be_written(portrait: Path, tmp_path: Path) -> None:
    """The option is named."""
    result = run("crop", portrait, "--out", tmp_path / "no" / "crop.jpg")
    assert result.exit_code == 1
    assert "--out" in result.stderr and "No such file" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["score"], ["crop"], ["crop", "a.jpg", "--aspect", "wide"], ["score", "--what", "a.jpg"]]
)
def test_usage_errors(arguments: list[str]) -> None:
    """Status 2 and a hint."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error:" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SELFAI_WEIGHTS", "/nowhere", "no scorer at /nowhere"),
        ("SELFAI_DEVICE", "tpu", "SELFAI_DEVICE"),
        ("SELFAI_THREADS", "none", "SELFAI_THREADS"),
    ],
)
def test_wrong_settings_are_named(
    name: str, value: str, said: str, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names the setting, no traceback, from every command."""
    monkeypatch.setenv(name, value)
    for command in (["score", portrait], ["crop", portrait]):
        result = run(*command)
        assert result.exit_code == 1
        assert said in result.stderr and name in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_work_without_a_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The operator reads which setting to look at, before the model loads."""
    monkeypatch.setenv("REDIS_URL", f"unix://{tmp_path}/none.sock")
    result = run("work")
    assert result.exit_code == 1
    assert "REDIS_URL" in result.stderr


def test_check_says_that_the_model_works() -> None:
    """One JSON line for the doctor."""
    result = run("check")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["ok"]) == (0, True)
    assert "cpu" in answer["detail"]


def test_check_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing weights are red, with the reason."""
    monkeypatch.setenv("SELFAI_WEIGHTS", "/nowhere")
    result = run("check")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False
    assert "SELFAI_WEIGHTS" in json.loads(result.stdout)["detail"]


def test_every_refusal_of_the_worker_has_words() -> None:
    """Whatever a photo may be refused for can be said."""
    assert set(REASONS) == set(Refusal) - {Refusal.NO_PHOTO, Refusal.GONE, Refusal.TROUBLE}


def test_help_needs_no_torch() -> None:
    """`--help` answers at once: nothing heavy is imported before a command runs."""
    code = (
        "import sys, worker.__main__; from click.testing import CliRunner\n"
        "for name in ('score', 'crop', 'work'):\n"
        "    assert CliRunner().invoke(worker.__main__.main, [name, '--help']).exit_code == 0\n"
        "sys.exit('torch' in sys.modules or 'PIL' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
