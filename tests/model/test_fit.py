"""A whole run: stretches one after another, and growth between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.fit import Fitted, fit
from model.recipe import Recipe, Stretch, only, shortened
from model.run import RunError
from model.training import Watch, predict_faces
from tests.model import drawn
from tests.model.drawn import CutOff, Onlooker

PRETRAIN = Stretch("pretrain", "pairs", epochs=1)
FINETUNE = Stretch("finetune", "scores", epochs=2)
GROW = Stretch("grow", "scores", epochs=1, grow="wider late", optional=True)
WHOLE = drawn.recipe(PRETRAIN, FINETUNE, GROW)

SMALL, LARGE = drawn.TINY, (*drawn.TINY[:6], (16, 3))


def _fitted(folder: Path, recipe: Recipe = WHOLE, watch: Watch | None = None, **key: int) -> Fitted:
    return fit(drawn.lessons(8), recipe, folder, watch or Onlooker(), key=key)


def test_stretches_follow_one_another(tmp_path: Path) -> None:
    """In the recipe's order, each with its curve and its file; growth comes before its stretch.

    Pairs teach the score nothing, so that held-out faces are not asked.
    """
    watch = Onlooker(0.2, 0.3, 0.4)
    fitted = _fitted(tmp_path, watch=watch)
    assert watch.epochs == [("pretrain", 1), ("finetune", 1), ("finetune", 2), ("grow", 1)]
    assert [stage.stretch for stage in fitted.stages] == list(WHOLE.stretches)
    pairs, *scores = ([point.value for point in stage.curve] for stage in fitted.stages)
    assert pairs == [-fitted.stages[0].curve[0].loss]
    assert scores == [[0.2, 0.3], [0.4]]
    sizes = [stage.parameters for stage in fitted.stages]
    assert sizes[0] == sizes[1] == drawn.weights(drawn.network()).numel() < sizes[2]
    assert fitted.network.layers == LARGE
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "1-pretrain.run.safetensors",
        "2-finetune.run.safetensors",
        "3-grow.run.safetensors",
    ]


@pytest.mark.parametrize(("reached", "kept"), [(0.7, True), (0.5009, False), (0.3, False)])
def test_growth_that_brings_nothing_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, reached: float, *, kept: bool
) -> None:
    """The smaller network is what remains, with the weights that it had; the refusal is said."""
    fitted = _fitted(tmp_path, watch=Onlooker(0.2, 0.5, reached))
    assert fitted.stages[-1].kept is kept
    assert fitted.network.layers == (LARGE if kept else SMALL)
    assert ("refused" in caplog.text) is not kept
    if not kept:
        before = _fitted(tmp_path / "without", drawn.recipe(PRETRAIN, FINETUNE))
        assert torch.equal(drawn.weights(fitted.network), drawn.weights(before.network))


def test_growth_that_is_not_optional_stays(tmp_path: Path) -> None:
    """Whatever it brought."""
    recipe = drawn.recipe(FINETUNE, replace(GROW, optional=False))
    fitted = _fitted(tmp_path, recipe, Onlooker(0.5, 0.5, 0.1))
    assert fitted.stages[-1].kept
    assert fitted.network.layers == LARGE


def test_a_stretch_goes_on_from_the_one_before(tmp_path: Path) -> None:
    """A growth whose stretch learns at next to no rate says what the network before it said."""
    still = replace(GROW, learning_rate=1e-9, optional=False)
    small = _fitted(tmp_path / "small", drawn.recipe(FINETUNE))
    large = _fitted(tmp_path / "large", drawn.recipe(FINETUNE, still))
    contexts = drawn.lessons(4).contexts
    told = [predict_faces(fitted.network, contexts) for fitted in (small, large)]
    assert np.abs(told[0] - told[1]).max() < 0.02  # predictions are in bfloat16


def test_a_finished_run_trains_nothing_anew(tmp_path: Path) -> None:
    """The second call gives the same network, stages and refusals, and takes no step."""
    first, watch = _fitted(tmp_path, watch=Onlooker(0.5, 0.5, 0.1)), Onlooker(0.9)
    again = _fitted(tmp_path, watch=watch)
    assert watch.steps == []
    assert again.stages == first.stages
    assert torch.equal(drawn.weights(again.network), drawn.weights(first.network))


@pytest.mark.parametrize("step", [1, 3, 5, 7, 8])
def test_a_run_that_was_cut_off_ends_the_same(tmp_path: Path, step: int) -> None:
    """In whichever stretch, in its first step or a later one, in a process that knows nothing of before."""
    recipe = drawn.recipe(PRETRAIN, FINETUNE, replace(GROW, optional=False))
    expected = _fitted(tmp_path / "whole", recipe)
    with pytest.raises(CutOff):
        _fitted(tmp_path / "cut", recipe, Onlooker(last_step=step))
    torch.manual_seed(12345)
    again = _fitted(tmp_path / "cut", recipe)
    assert torch.equal(drawn.weights(again.network), drawn.weights(expected.network))
    losses = [[point.loss for stage in one.stages for point in stage.curve] for one in (expected, again)]
    assert losses[0] == losses[1]


def test_another_run_in_the_folder_is_refused(tmp_path: Path) -> None:
    """Another recipe, or another key such as other ratings: the error names the file."""
    recipe = drawn.recipe(PRETRAIN)
    _fitted(tmp_path, recipe, fold=0)
    with pytest.raises(RunError, match=r"1-pretrain\.run\.safetensors belongs to a run with another recipe"):
        _fitted(tmp_path, replace(recipe, weight_decay=0.5), fold=0)
    with pytest.raises(RunError, match="other data"):
        _fitted(tmp_path, recipe, fold=1)


def test_time_is_shared_out(tmp_path: Path) -> None:
    """Among the stretches, by what they are likely to cost; what has begun keeps its share."""
    recipe = drawn.recipe(replace(PRETRAIN, epochs=1000), replace(FINETUNE, epochs=2000))
    fitted = fit(drawn.lessons(4), recipe, tmp_path, Onlooker(), key={}, seconds=1.5)
    spent = [stage.curve[-1].seconds for stage in fitted.stages]
    assert spent[1] > 1.4 * spent[0] > 0
    assert sum(len(stage.curve) for stage in fitted.stages) < 3000
    watch = Onlooker()
    again = fit(drawn.lessons(4), recipe, tmp_path, watch, key={}, seconds=1.2)
    assert again.stages == fitted.stages
    assert watch.steps == []


def test_a_part_of_a_recipe() -> None:
    """Stages by their names, in the recipe's order; an unknown one is named with those there are."""
    assert [stretch.name for stretch in only(WHOLE, ["grow", "pretrain"]).stretches] == ["pretrain", "grow"]
    with pytest.raises(ValueError, match="no stage 'polish': the recipe has pretrain, finetune, grow"):
        only(WHOLE, ["pretrain", "polish"])
    assert [stretch.epochs for stretch in shortened(WHOLE, 0.25).stretches] == [1, 1, 1]
    assert [stretch.epochs for stretch in shortened(WHOLE, 3).stretches] == [3, 6, 3]
