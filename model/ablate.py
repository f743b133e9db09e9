"""What each part of the method buys: the same budget of time with and without it, over several seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from model.backbone import imagenet_resnet18
from model.fit import Stage
from model.growth import size
from model.learners import ScoreLearner
from model.recipe import Recipe, Stretch, narrowed
from model.run import WITHIN, Point, RunFile
from model.train import Run
from model.training import Watch, learn

SMALL, WIDE, DOUBLED = narrowed(0.5, 0.5), narrowed(0.5, 1.0), narrowed(1.0, 1.0)
LONG = 1000
"""Epochs of a stretch that only the budget ends."""

PRETRAIN = Stretch("pretrain", "pairs", epochs=LONG // 10, falls=False)

ARMS: dict[str, Recipe] = {
    "no pre-training": Recipe((Stretch("finetune", "scores", LONG),), WIDE),
    "pre-training": Recipe((PRETRAIN, Stretch("finetune", "scores", LONG * 9 // 10)), WIDE),
    "pre-training and growth": Recipe(
        (
            PRETRAIN,
            Stretch("finetune", "scores", LONG * 4 // 10),
            Stretch("grow", "scores", LONG * 3 // 10, grow="wider late"),
        ),
        SMALL,
    ),
    "small": Recipe((Stretch("finetune", "scores", LONG),), SMALL),
    "doubled, not grown": Recipe((Stretch("finetune", "scores", LONG),), DOUBLED),
    "grown to doubled": Recipe(
        (
            Stretch("finetune", "scores", LONG * 7 // 10),
            Stretch("double", "scores", LONG * 15 // 100, grow="wider"),
        ),
        SMALL,
    ),
}
"""The arms of the comparison; a budget of time ends their stretches in proportion to what they cost.

The last two compare as the 2017 project did: a network of twice all widths, learned as it is, or
reached by growing.
"""

BASELINES = ("no pre-training", "doubled, not grown")
"""Arms whose ends the others are timed to."""

BACKBONE = "ImageNet ResNet-18"
GENTLE = 2e-4
"""Learning rate of a network that has learned already."""


@dataclass(frozen=True)
class Outcome:
    """One arm with one seed."""

    arm: str
    seed: int
    parameters: int
    seconds: float
    final: Mapping[str, float]
    """Correlations with people on the held-out fold, by data set, at the end."""
    curve: Sequence[tuple[float, float]]
    """Seconds spent, and the mean correlation over the data sets."""

    @property
    def value(self) -> float:
        """The mean of the final correlations, within groups left aside."""
        return float(np.mean([value for name, value in self.final.items() if not name.endswith(WITHIN)]))

    def seconds_to(self, value: float) -> float:
        """Time until the curve first reached `value`; infinite if it never did."""
        return next((seconds for seconds, reached in self.curve if reached >= value), math.inf)


def fit_backbone(  # noqa: PLR0917
    run: Run, seed: int, hold_out: int, folder: Path, watch: Watch, weights: Path | None
) -> list[Stage]:
    """Fine-tune ImageNet's ResNet-18 as the other arms are. Raises BackboneError if it cannot be had."""
    stretch = Stretch("finetune", "scores", LONG, learning_rate=GENTLE)
    recipe = Recipe((stretch,), seed=seed)
    torch.manual_seed(seed)
    network = imagenet_resnet18(weights, recipe.dropout)
    lessons = run.lessons(hold_out)
    learner = ScoreLearner(lessons.targets, lessons.weights, network.head.in_features, recipe)
    file = RunFile(folder / "backbone.run.safetensors", {"recipe": recipe.to_json(), **run.key(hold_out)})
    learned, curve = learn(
        network, learner, lessons.contexts, stretch, recipe, watch, file, run.seconds, run.device
    )
    return [Stage(stretch, size(learned), curve, True)]


def outcome(arm: str, seed: int, stages: Sequence[Stage]) -> Outcome:
    """A trained arm, its stretches' curves one after another."""
    curve: list[tuple[float, float]] = []
    spent, last = 0.0, Point(0, math.nan, 0.0, {})
    for stage in stages:
        if stage.stretch.task == "scores":
            curve += [(spent + point.seconds, point.value) for point in stage.curve if point.agreement]
        spent, last = spent + stage.curve[-1].seconds, stage.curve[-1]
    return Outcome(arm, seed, stages[-1].parameters, spent, dict(last.agreement), curve)


def seeded(arm: str, seed: int) -> Recipe:
    """An arm's recipe with a seed."""
    return replace(ARMS[arm], seed=seed)


def table(outcomes: Sequence[Outcome], baselines: Sequence[str] = BASELINES) -> str:
    """Markdown: an arm a row, means and standard deviations over its seeds.

    The last columns are the times to the correlation that a baseline ends with (its mean over the
    seeds), as shares of the baseline's whole time; a dash where not every seed came so far.
    """
    names = list(dict.fromkeys(name for one in outcomes for name in one.final))
    there = [name for name in baselines if any(one.arm == name for one in outcomes)]
    head = ["arm", "seeds", "parameters", "minutes", *names, *(f"time to *{name}*'s end" for name in there)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for arm in dict.fromkeys(one.arm for one in outcomes):
        seeds = [one for one in outcomes if one.arm == arm]
        cells = [arm, str(len(seeds)), f"{seeds[0].parameters:,}", f"{_mean(seeds):.1f}"]
        cells += [_spread([one.final.get(name, math.nan) for one in seeds]) for name in names]
        cells += [_share(seeds, [one for one in outcomes if one.arm == name]) for name in there]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def save(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write the table and, with all curves, the numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(table(outcomes), encoding="utf-8")
    numbers = [vars(one) for one in outcomes]
    (folder / "outcomes.json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")


def _mean(seeds: Sequence[Outcome]) -> float:
    return float(np.mean([one.seconds for one in seeds])) / 60


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def _share(seeds: Sequence[Outcome], baseline: Sequence[Outcome]) -> str:
    goal = float(np.mean([one.value for one in baseline]))
    whole = float(np.mean([one.seconds for one in baseline]))
    times = [one.seconds_to(goal) / whole for one in seeds]
    return _spread(times) if np.isfinite(times).all() else "-"
