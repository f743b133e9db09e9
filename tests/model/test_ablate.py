"""The arithmetic of the comparison, on curves that we make up."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.ablate import ARMS, Outcome, outcome, save, seeded, table
from model.fit import Stage
from model.recipe import Stretch
from model.run import Point

PRETRAIN, FINETUNE = Stretch("pretrain", "pairs", epochs=1), Stretch("finetune", "scores", epochs=2)
BASE = "no pre-training"


def _outcome(arm: str, seed: int, *curve: tuple[float, float], seconds: float = 600.0) -> Outcome:
    """An arm's way to its last value, in one data set."""
    return Outcome(arm, seed, 12345, seconds, {"d": curve[-1][1], "d within": 0.25}, curve)


def _cells(outcomes: Sequence[Outcome]) -> list[list[str]]:
    rows = table(outcomes).splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_an_arms_stretches_make_one_curve() -> None:
    """Time goes on over the stretches; only those that learn scores, and only judged epochs, give points."""
    told = [{"d": 0.5, "d within": 0.1}, {"d": 0.7, "d within": 0.2}]
    stages = [
        Stage(PRETRAIN, 10, [Point(1, 1.0, 40.0, {"d": 0.1, "d within": 0.0})], kept=True),
        Stage(FINETUNE, 20, [Point(1, 1.0, 10.0, told[0]), Point(2, 1.0, 25.0, {})], kept=True),
        Stage(FINETUNE, 30, [Point(1, 1.0, 30.0, told[1])], kept=True),
    ]
    found = outcome("pre-training", 3, stages)
    assert (found.arm, found.seed, found.parameters, found.seconds) == ("pre-training", 3, 30, 95.0)
    assert found.curve == [(50.0, 0.5), (95.0, 0.7)]
    assert found.final == told[1]
    assert found.value == 0.7


def test_the_time_to_a_value() -> None:
    """When the curve first stood there; never, where it did not."""
    one = _outcome("a", 0, (100.0, 0.2), (200.0, 0.6), (300.0, 0.5))
    assert [one.seconds_to(value) for value in (0.1, 0.2, 0.3, 0.6)] == [100.0, 100.0, 200.0, 200.0]
    assert one.seconds_to(0.61) == math.inf


def test_the_table() -> None:
    """Mean and standard deviation over the seeds, and the share of the baseline's time."""
    outcomes = [
        _outcome(BASE, 0, (300.0, 0.4), (600.0, 0.6)),
        _outcome(BASE, 1, (300.0, 0.5), (600.0, 0.7)),
        _outcome("quick", 0, (150.0, 0.65), (600.0, 0.8)),
        _outcome("quick", 1, (150.0, 0.6), (300.0, 0.66), (600.0, 0.8)),
        _outcome("half", 0, (600.0, 0.9)),
        _outcome("half", 1, (600.0, 0.1)),
    ]
    head, _, base, quick, half = _cells(outcomes)
    assert head == ["arm", "seeds", "parameters", "minutes", "d", "d within", f"time to *{BASE}*'s end"]
    # The goal is 0.65, the mean of the baseline's ends; its first seed never came so far.
    assert base == [BASE, "2", "12,345", "10.0", "0.650 ± 0.071", "0.250 ± 0.000", "-"]
    assert quick[4:] == ["0.800 ± 0.000", "0.250 ± 0.000", "0.375 ± 0.177"]
    assert half[4:] == ["0.500 ± 0.566", "0.250 ± 0.000", "-"]


def test_one_seed_has_no_spread() -> None:
    """Nor has an arm a share of the baseline's time where the baseline was not run."""
    assert _cells([_outcome(BASE, 0, (300.0, 0.4), (600.0, 0.6))])[2][4:] == ["0.600", "0.250", "1.000"]
    assert _cells([_outcome("quick", 0, (300.0, 0.4))])[2][4:] == ["0.400", "0.250"]


def test_growth_is_timed_against_what_was_not_grown() -> None:
    """Each baseline that was run has a column of its own."""
    outcomes = [
        _outcome(BASE, 0, (600.0, 0.6)),
        _outcome("doubled, not grown", 0, (500.0, 0.4), (1000.0, 0.5), seconds=1000.0),
        _outcome("grown to doubled", 0, (300.0, 0.5), (900.0, 0.7)),
    ]
    head, *_, grown = _cells(outcomes)
    assert head[-2:] == [f"time to *{BASE}*'s end", "time to *doubled, not grown*'s end"]
    assert grown[-2:] == ["1.500", "0.300"]


def test_what_is_saved(tmp_path: Path) -> None:
    """The table, and the numbers with all curves."""
    outcomes = [_outcome(BASE, 0, (300.0, 0.4), (600.0, 0.6))]
    save(outcomes, tmp_path / "new")
    assert (tmp_path / "new" / "table.md").read_text() == table(outcomes)
    (told,) = json.loads((tmp_path / "new" / "outcomes.json").read_text())
    assert (told["arm"], told["seed"], told["curve"]) == (BASE, 0, [[300.0, 0.4], [600.0, 0.6]])


@pytest.mark.parametrize("arm", ARMS)
def test_only_the_budget_ends_an_arm(arm: str) -> None:
    """So many epochs that no machine gets through; a seed changes nothing but the seed."""
    recipe = seeded(arm, 7)
    assert recipe.seed == 7
    assert recipe.stretches == ARMS[arm].stretches
    assert sum(stretch.epochs for stretch in recipe.stretches) >= 800
    assert not any(stretch.optional or stretch.patience for stretch in recipe.stretches)
