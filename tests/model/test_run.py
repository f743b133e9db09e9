"""The file from which a run goes on, and a learning curve's points."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import torch
from torch import nn

from model.network import TinyDarknet
from model.optimiser import Muon
from model.run import Point, RunError, RunFile, RunState
from tests.model import drawn


def _state(seed: int = 0, steps: int = 0) -> RunState:
    """A network and something that learns beside it, after some steps."""
    pair = nn.ModuleDict({"network": drawn.network(seed, dropout=0.0), "learner": nn.Linear(8, 3)})
    state = RunState.start(pair, Muon([pair], 0.02))
    for _ in range(steps):
        _learn(state)
    return state


def _learn(state: RunState) -> None:
    """One step, and a part of what the loop keeps."""
    pixels = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(state.step))
    network = state.pair["network"]
    assert isinstance(network, TinyDarknet)
    features = network.features(pixels)
    loss = (network.head(features) - 1).square().mean() + state.pair["learner"](features).mean()
    state.optimiser.zero_grad()
    loss.backward()
    state.optimiser.step()
    with torch.no_grad():
        for mean, value in zip(state.averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 0.5)
    state.step += 1
    state.seconds += 0.5
    state.losses.append(loss.item())


def test_a_restored_run_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    """Network, learner, average, moments, curve and clock: all as they were, to the last bit."""
    state, path = _state(steps=3), tmp_path / "new" / "folder" / "run.safetensors"
    state.curve.append(Point(1, 0.25, 1.5, {"drawn": 0.5, "drawn within": 0.25}))
    RunFile(path, {"seed": 0}).save(state)
    again = _state(seed=7)
    assert RunFile(path, {"seed": 0}).restore(again)
    assert again.curve == state.curve
    for run in (state, again):
        _learn(run)
        _learn(run)
    assert torch.equal(drawn.weights(again.pair), drawn.weights(state.pair))
    assert torch.equal(drawn.weights(again.averaged), drawn.weights(state.averaged))
    assert (again.step, again.seconds, again.losses) == (5, 2.5, state.losses)
    assert [file.name for file in path.parent.iterdir()] == ["run.safetensors"]


def test_no_file_is_a_beginning(tmp_path: Path) -> None:
    """Nothing is restored, nothing is written."""
    state = _state()
    assert not RunFile(tmp_path / "run.safetensors", {}).restore(state)
    assert state.step == 0
    assert list(tmp_path.iterdir()) == []


def test_it_saves_now_and_then(tmp_path: Path) -> None:
    """Only when the time since the last save, or since the start, is long enough."""
    now = 0.0
    path = tmp_path / "run.safetensors"
    file = RunFile(path, {}, every=45, clock=lambda: now)
    state, written = _state(), []
    for now in (10.0, 44.0, 45.0, 80.0, 90.0, 200.0):
        state.step = int(now)
        before = path.stat().st_mtime_ns if path.exists() else 0
        file.save_if_due(state)
        if path.exists() and path.stat().st_mtime_ns != before:
            written.append(now)
    assert written == [45.0, 90.0, 200.0]


def test_another_runs_file_is_refused(tmp_path: Path) -> None:
    """Another recipe or other data: the error names the file and says what to do."""
    path = tmp_path / "run.safetensors"
    RunFile(path, {"seed": 0, "layers": (1, 2)}).save(_state())
    assert RunFile(path, {"layers": [1, 2], "seed": 0}).restore(_state())
    with pytest.raises(RunError, match=r"run\.safetensors belongs to a run with another recipe.*anew"):
        RunFile(path, {"seed": 1, "layers": (1, 2)}).restore(_state())


@pytest.mark.parametrize("kept", [0, 4, 5000])
def test_a_damaged_file_is_refused(tmp_path: Path, kept: int) -> None:
    """Cut short anywhere: the error names the file and says what to do."""
    path = tmp_path / "run.safetensors"
    RunFile(path, {}).save(_state())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RunError, match=r"run\.safetensors is damaged .*delete it to begin anew"):
        RunFile(path, {}).restore(_state())


def test_a_full_disk_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be saved is said, and the last good file stands."""
    path = tmp_path / "run.safetensors"
    RunFile(path, {}).save(_state())
    good = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        RunFile(path, {}).save(_state(steps=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == good
    assert "the last save stands" in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]


def test_a_points_value_is_what_people_agree_with() -> None:
    """The mean correlation over the data sets, those within groups left aside; else less the loss."""
    told = {"asia": 0.8, "asia within": 0.1, "europe": 0.6, "europe within": 0.2}
    assert Point(1, 0.9, 10.0, told).value == pytest.approx(0.7)
    assert Point(1, 0.9, 10.0, {}).value == -0.9
