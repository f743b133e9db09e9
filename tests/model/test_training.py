"""The training loop, on faces that we draw."""

import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from model.augmentation import augment, centre
from model.data import CONTEXT_SIZE, Rated, RatedFaces
from model.network import INPUT_SIZE, TinyDarknet
from model.run import RunError, RunFile, RunState
from model.training import Progress, Recipe, predict_faces, train


def _striped_faces(count: int) -> RatedFaces:
    """Pictures rated by how strongly they are striped."""
    rng = np.random.default_rng(0)
    targets = np.linspace(-1.5, 1.5, count).astype(np.float32)
    contexts = np.full((count, CONTEXT_SIZE, CONTEXT_SIZE, 4), 255, np.uint8)
    stripes = np.where(np.arange(CONTEXT_SIZE) // 12 % 2, 1.0, -1.0)[None, :, None]
    for context, target in zip(contexts, targets, strict=True):
        noise = rng.normal(0, 8, (CONTEXT_SIZE, CONTEXT_SIZE, 3))
        context[..., :3] = np.clip(128 + stripes * 30 * (target + 2) + noise, 0, 255)
    rated = tuple(Rated(str(i), "drawn", "g", 4.5, 0) for i in range(count))
    return RatedFaces(rated, contexts, targets, ())


def _small(dropout: float = 0.0) -> TinyDarknet:
    torch.manual_seed(0)
    return TinyDarknet(layers=((8, 3), "pool", (8, 3), "pool", (16, 3), "pool", (16, 3)), dropout=dropout)


def test_training_learns_and_averages() -> None:
    """The loss falls, and the averaged network ranks the pictures as they are rated."""
    faces, seen = _striped_faces(32), list[Progress]()
    network = train(_small(), faces, Recipe(epochs=12, batch=8, learning_rate=3e-3), seen.append)
    assert [progress.epoch for progress in seen] == list(range(1, 13))
    assert seen[-1].loss < 0.7 * seen[0].loss
    assert np.corrcoef(predict_faces(network, faces), faces.targets)[0, 1] > 0.9


def test_one_seed_gives_one_network() -> None:
    """Two runs with one seed end with the same weights; another seed does not."""
    faces = _striped_faces(16)

    def run(seed: int) -> torch.Tensor:
        network = train(_small(), faces, Recipe(epochs=1, batch=8, seed=seed), lambda _: None)
        return torch.cat([value.flatten() for value in network.parameters()])

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_augmentation_gives_pictures() -> None:
    """Augmented pictures have the network's size and stay within 0..255, and no two are alike."""
    contexts = torch.from_numpy(_striped_faces(4).contexts).permute(0, 3, 1, 2)
    generator = torch.Generator().manual_seed(0)
    first, second = augment(contexts, generator), augment(contexts, generator)
    assert first.shape == (4, 3, INPUT_SIZE, INPUT_SIZE)
    assert first.min() >= 0
    assert first.max() <= 255
    assert not torch.equal(first, second)


def test_centre_is_the_canonical_face() -> None:
    """Without augmentation the middle of the context is shown, grey beyond the photo's edge."""
    context = torch.zeros(1, 4, CONTEXT_SIZE, CONTEXT_SIZE, dtype=torch.uint8)
    middle = CONTEXT_SIZE // 2
    context[:, :, middle - 10 : middle + 10, middle - 10 : middle + 10] = 255
    picture = centre(context)
    assert picture.shape == (1, 3, INPUT_SIZE, INPUT_SIZE)
    assert picture[0, 0, INPUT_SIZE // 2, INPUT_SIZE // 2] == 255
    assert picture[0, 0, 0, 0] == 128


class CutOff(Exception):
    """Stands for the kill."""


class Clock:
    """Seconds that go on by one at each look; at one of them the run is cut off."""

    def __init__(self, last: int | None = None) -> None:
        self.now, self.last = 0, last

    def __call__(self) -> float:
        self.now += 1
        if self.now == self.last:
            raise CutOff
        return self.now


def _weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in network.parameters()])


@pytest.mark.parametrize("every", [1.0, 3.0])
def test_a_run_that_was_cut_off_ends_the_same(tmp_path: Path, every: float) -> None:
    """Cut off again and again, at steps that were saved and at steps that were not."""
    faces, recipe = _striped_faces(24), Recipe(epochs=3, batch=4)
    expected = _weights(train(_small(0.5), faces, recipe, lambda _: None))
    path, epochs = tmp_path / "out" / "run.safetensors", list[int]()
    for last in (3, 9, 14, None):
        file = RunFile(path, {"seed": 0}, every, Clock(last))
        try:
            network = train(_small(0.5), faces, recipe, lambda now: epochs.append(now.epoch), file)
        except CutOff:
            assert last is not None
    assert torch.equal(_weights(network), expected)
    assert sorted(set(epochs)) == [1, 2, 3]
    assert [path.name for path in path.parent.iterdir()] == ["run.safetensors"]


def test_a_finished_run_stays_finished(tmp_path: Path) -> None:
    """Started again, it gives the same network at once."""
    faces, recipe = _striped_faces(8), Recipe(epochs=1, batch=4)
    file = RunFile(tmp_path / "run.safetensors", {})
    first = train(_small(), faces, recipe, lambda _: None, file)
    reports = list[Progress]()
    again = train(_small(), faces, recipe, reports.append, RunFile(tmp_path / "run.safetensors", {}))
    assert torch.equal(_weights(first), _weights(again))
    assert reports == []


def test_another_runs_file_is_refused(tmp_path: Path) -> None:
    """Another recipe or other data: the error names the file and says what to do."""
    faces, path = _striped_faces(8), tmp_path / "run.safetensors"
    train(_small(), faces, Recipe(epochs=1, batch=4), lambda _: None, RunFile(path, {"seed": 0}))
    with pytest.raises(RunError, match=r"run\.safetensors belongs to a run with another recipe"):
        train(_small(), faces, Recipe(epochs=1, batch=4), lambda _: None, RunFile(path, {"seed": 1}))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(RunError, match=r"run\.safetensors is damaged"):
        train(_small(), faces, Recipe(epochs=1, batch=4), lambda _: None, RunFile(path, {"seed": 0}))


def test_a_full_disk_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be saved is said; training ends, and the last good file stands."""
    faces, recipe, path = _striped_faces(8), Recipe(epochs=1, batch=4), tmp_path / "run.safetensors"
    train(_small(), faces, recipe, lambda _: None, RunFile(path, {}))
    good = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        RunFile(path, {}).save(RunState.start(_small(), torch.optim.AdamW(_small().parameters())))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == good
    assert "the last save stands" in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]


def test_too_few_faces_for_a_batch() -> None:
    """An error with both numbers."""
    with pytest.raises(ValueError, match="3 faces do not fill a batch of 8"):
        train(_small(), _striped_faces(3), Recipe(epochs=1, batch=8), lambda _: None)
