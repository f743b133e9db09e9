from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.report import percentile
from benchmarks.selfies import selfie
from model.faces import FaceFinder

ROOT = Path(__file__).parent.parent.parent
NAMES = ["latency", "memory", "network", "pipeline", "throughput"]


def _numbers(told: Any) -> list[float]:
    if isinstance(told, dict):
        return [number for value in told.values() for number in _numbers(value)]
    if isinstance(told, list):
        return [number for value in told for number in _numbers(value)]
    return [told] if isinstance(told, int | float) and not isinstance(told, bool) else []


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_runs_and_writes_its_report(name: str, tmp_path: Path) -> None:
    """With tiny sizes: JSON that names its baseline, with finite numbers only, none below 0."""
    file = tmp_path / "report.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report == json.loads(done.stdout)
    assert report["benchmark"] == name
    assert report["quick"] is True
    assert [key for key in report if key.startswith("baseline")]
    assert all(math.isfinite(number) and number >= 0 for number in _numbers(report))


def test_the_made_selfies_have_the_faces_they_should() -> None:
    """Of the size asked for, with as many people as asked for."""
    with Image.open(io.BytesIO(selfie(1280, 960, 4))) as file:
        photo = file.convert("RGB")
    assert photo.size == (1280, 960)
    assert len(FaceFinder().find(photo)) == 4


def test_percentiles_are_values_that_were_measured() -> None:
    """The 95th of a hundred is the 96th smallest; of one, itself."""
    assert percentile(list(map(float, range(100))), 0.95) == 95
    assert percentile([3.0], 0.95) == 3.0
