"""The training loop, on faces that we draw."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from model.augmentation import views
from model.fit import Lessons
from model.learners import Learner, PairLearner, ScoreLearner
from model.network import FaceNetwork, TinyDarknet, normalise
from model.recipe import Recipe, Stretch
from model.run import Point, RunFile
from model.training import Watch, learn, predict_faces
from tests.model import drawn
from tests.model.drawn import CutOff, Onlooker

PAIRS = Stretch("pretrain", "pairs", epochs=2, learning_rate=3e-3)


def _learned(
    lessons: Lessons,
    recipe: Recipe,
    watch: Watch | None = None,
    file: RunFile | None = None,
    limit: float = math.inf,
) -> tuple[TinyDarknet, list[Point]]:
    """The recipe's one stretch."""
    network, (stretch,) = drawn.network(dropout=recipe.dropout), recipe.stretches
    learner: Learner = PairLearner(lessons.targets, recipe)
    if stretch.task == "scores":
        learner = ScoreLearner(lessons.targets, lessons.weights, 8, recipe)
    return learn(network, learner, lessons.contexts, stretch, recipe, watch or Onlooker(), file, limit)


def _untimed(curve: list[Point]) -> list[Point]:
    return [replace(point, seconds=0.0) for point in curve]


def test_it_learns_scores() -> None:
    """The loss falls, and the averaged network ranks the pictures as they are rated."""
    lessons, watch = drawn.lessons(16), Onlooker()
    recipe = replace(drawn.recipe(replace(drawn.SCORES, epochs=10, learning_rate=0.01)), dropout=0.0)
    network, curve = _learned(lessons, recipe, watch)
    assert watch.epochs == [("finetune", number) for number in range(1, 11)]
    assert watch.steps == list(range(1, 41))
    assert [point.epoch for point in curve] == list(range(1, 11))
    assert curve[-1].loss < 0.8 * curve[0].loss
    assert curve[0].loss == pytest.approx(np.mean(watch.losses[:4]))
    assert 0 < curve[0].seconds < curve[-1].seconds
    told = predict_faces(network, lessons.contexts)
    assert np.corrcoef(told[:, 0], lessons.targets)[0, 1] > 0.9


def test_it_learns_pairs() -> None:
    """Faces of far classes come to stand farther apart than those of one."""
    lessons, stretch = drawn.lessons(16), replace(PAIRS, epochs=8, learning_rate=0.01)
    network, _ = _learned(lessons, replace(drawn.recipe(stretch), classes=2))
    with torch.inference_mode():
        pixels = torch.from_numpy(views(lessons.contexts)[0]).permute(0, 3, 1, 2)
        features = network.features(normalise(pixels))
    apart = (features[:, None] - features[None]).abs().mean(dim=2)
    low, high = slice(0, 8), slice(8, 16)
    assert apart[low, high].mean() > 1.5 * (apart[low, low].mean() + apart[high, high].mean()) / 2


def test_the_curve_holds_what_validation_said() -> None:
    """For each epoch, of the averaged network in its resting state."""
    seen = []

    class Judge(Onlooker):
        def validate(self, network: FaceNetwork) -> dict[str, float]:
            seen.append((network.training, drawn.weights(network)))
            return {"drawn": float(len(seen))}

    network, curve = _learned(drawn.lessons(8), drawn.recipe(), Judge())
    assert [point.value for point in curve] == [1.0, 2.0]
    assert not any(training for training, _ in seen)
    assert torch.equal(seen[-1][1], drawn.weights(network))
    assert not torch.equal(seen[0][1], seen[1][1])


def test_one_seed_gives_one_network() -> None:
    """Two runs with one seed end with the same weights; another seed does not."""
    lessons = drawn.lessons(8)
    first, again, other = (_learned(lessons, drawn.recipe(seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(drawn.weights(first[0]), drawn.weights(again[0]))
    assert _untimed(first[1]) == _untimed(again[1])
    assert not torch.equal(drawn.weights(first[0]), drawn.weights(other[0]))


CUTS: list[dict[str, int]] = [{"last_step": 1}, {"last_step": 4}, {"last_epoch": 1}, {"last_step": 3}]


@pytest.mark.parametrize("stretch", [drawn.SCORES, PAIRS], ids=["scores", "pairs"])
@pytest.mark.parametrize("every", [0.0, 2.0])
def test_a_run_that_was_cut_off_ends_the_same(tmp_path: Path, stretch: Stretch, every: float) -> None:
    """Cut off again and again, within epochs and at their ends, at steps that were saved and at others."""
    lessons, recipe = drawn.lessons(13), drawn.recipe(replace(stretch, epochs=3))
    expected, curve = _learned(lessons, recipe)
    path, epochs = tmp_path / "run.safetensors", set()
    for cut in [*CUTS, {}]:
        watch, ticks = Onlooker(**cut), itertools.count()
        file = RunFile(path, {}, every, ticks.__next__)
        try:
            network, again = _learned(lessons, recipe, watch, file)
        except CutOff:
            assert cut
        epochs |= {number for _, number in watch.epochs}
    assert torch.equal(drawn.weights(network), drawn.weights(expected))
    assert _untimed(again) == _untimed(curve)
    assert epochs == {1, 2, 3}
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]


def test_a_finished_run_stays_finished(tmp_path: Path) -> None:
    """Started again, it gives the same network and curve at once."""
    lessons, watch = drawn.lessons(8), Onlooker()
    first, curve = _learned(lessons, drawn.recipe(), file=RunFile(tmp_path / "run", {}))
    again, same = _learned(lessons, drawn.recipe(), watch, RunFile(tmp_path / "run", {}))
    assert torch.equal(drawn.weights(first), drawn.weights(again))
    assert same == curve
    assert watch.steps == []


def test_a_time_limit_ends_it(tmp_path: Path) -> None:
    """Early, and for good: started again it does not go on, not even with more time."""
    lessons, recipe = drawn.lessons(8), drawn.recipe(replace(drawn.SCORES, epochs=1000))
    _, curve = _learned(lessons, recipe, file=RunFile(tmp_path / "run", {}), limit=0.3)
    assert 1 <= len(curve) < 1000
    watch = Onlooker()
    assert _learned(lessons, recipe, watch, RunFile(tmp_path / "run", {}), limit=0.9)[1] == curve
    assert watch.steps == []


def test_a_limit_within_the_first_epoch_leaves_a_point(tmp_path: Path) -> None:
    """However short the time, the curve says what was reached."""
    watch, file = Onlooker(0.5), RunFile(tmp_path / "run", {})
    _, curve = _learned(drawn.lessons(40), drawn.recipe(), watch, file, limit=1e-3)
    assert watch.steps == [1]
    assert [(point.epoch, point.value) for point in curve] == [(1, 0.5)]
    again = _learned(drawn.lessons(40), drawn.recipe(), Onlooker(), RunFile(tmp_path / "run", {}), limit=1e-3)
    assert again[1] == curve


def test_a_stall_ends_it() -> None:
    """After as many epochs without progress as the stretch has patience."""
    recipe = drawn.recipe(replace(drawn.SCORES, epochs=20, patience=2))
    _, curve = _learned(drawn.lessons(8), recipe, Onlooker(0.1, 0.5, 0.5))
    assert [point.value for point in curve] == [0.1, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("falls", [True, False])
def test_the_learning_rate(*, falls: bool) -> None:
    """It climbs, and then falls to nothing, or stays."""
    rates: list[float] = []

    def note(optimiser: torch.optim.Optimizer, _arguments: Any, _named: Any) -> None:
        rates.append(optimiser.param_groups[0]["lr"])

    recipe = replace(drawn.recipe(replace(drawn.SCORES, epochs=10, falls=falls)), warmup=0.2)
    hook = register_optimizer_step_pre_hook(note)
    try:
        _learned(drawn.lessons(8), recipe)
    finally:
        hook.remove()
    top = drawn.SCORES.learning_rate
    assert rates[:4] == pytest.approx([top * share for share in (0.25, 0.5, 0.75, 1)])
    if falls:
        assert rates[4:] == sorted(rates[4:], reverse=True)
        assert rates[12] == pytest.approx(top / 2)
        assert rates[-1] < 0.02 * top
    else:
        assert rates[4:] == [top] * 16


def test_too_few_faces_for_a_batch() -> None:
    """An error with both numbers."""
    with pytest.raises(ValueError, match="3 faces do not fill a batch of 4"):
        _learned(drawn.lessons(3), drawn.recipe())


def test_a_face_and_its_mirror_image_are_told_the_same() -> None:
    """Scores and doubts are means over both; so many at a time changes nothing; none give none."""
    contexts = drawn.lessons(5).contexts.copy()
    contexts[:, :, :100, 0] = 0
    network = drawn.network()
    told = predict_faces(network, contexts)
    assert told.shape == (5, 2)
    assert told.dtype == np.float32
    assert np.allclose(told, predict_faces(network, contexts[:, :, ::-1].copy()), atol=1e-3)
    assert np.allclose(told, predict_faces(network, contexts, batch=2), atol=1e-3)
    assert predict_faces(network, contexts[:0]).shape == (0, 2)
