"""From standard units to points, and their plus-minus."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from model.scale import FLATTEST, HIGHEST, LEAST_DOUBT, LOWEST, MOST_DOUBT, Scale, Values, fit

BENT = Scale(((-2, 1), (0, 5), (1, 6)), 1.5)

SIZES = st.floats(0.01, 10)


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    """Any scale of 2 to 8 knots, level pieces among them."""
    steps = draw(st.lists(st.tuples(SIZES, st.one_of(st.just(0.0), SIZES)), min_size=2, max_size=8))
    units, points = np.cumsum(np.array(steps), axis=0).T - 20
    return Scale(tuple(zip(units.tolist(), points.tolist(), strict=True)), draw(SIZES))


def population(count: int, seed: int) -> tuple[Values, Values, Values]:
    """Photos whose ratings follow a known bent line, with errors as large as the log doubts say, halved."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(0, 0.8, count)
    log_doubts = rng.normal(math.log(0.6), 0.3, count)
    errors = rng.normal(size=count) * 0.5 * 1.3 * np.exp(log_doubts)
    return outputs, log_doubts, truth(outputs) + errors


def truth(outputs: Values) -> Values:
    """What people say on average: steep below the middle, half as steep above it."""
    return 5 + np.where(outputs < 0, 2 * outputs, outputs)


def test_a_scale_runs_through_its_knots() -> None:
    """Straight between them; beyond them the outer pieces go on, and stop at 0 and 9 when told."""
    outputs = [-3, -2, -1, 0, 0.5, 1, 6]
    assert BENT.unclipped(outputs).tolist() == [-1, 1, 3, 5, 5.5, 6, 11]
    assert BENT.told(outputs).tolist() == [0, 1, 3, 5, 5.5, 6, 9]
    assert BENT.told([]).tolist() == []


@given(scales(), st.lists(st.floats(-100, 100), min_size=2, max_size=9))
def test_scores_never_fall(scale: Scale, outputs: list[float]) -> None:
    """More from the network is never a lower score, and scores stay within 0..9."""
    points = scale.told(sorted(outputs))
    assert (np.diff(points) >= -1e-9).all()
    assert points.min() >= LOWEST and points.max() <= HIGHEST
    assert (np.diff(scale.straight(sorted(outputs))) >= -1e-9).all()


@given(scales())
def test_the_straight_line_is_the_nearest(scale: Scale) -> None:
    """It is what least squares give on many evenly spaced places from first to last knot."""
    first, last = scale.knots[0][0], scale.knots[-1][0]
    places = first + (last - first) * (np.arange(20_000) + 0.5) / 20_000
    slope, centre = np.polyfit(places, scale.unclipped(places), 1)
    assert scale.slope == pytest.approx(slope, rel=1e-3, abs=1e-3)
    assert scale.straight(places)[[0, -1]] == pytest.approx((centre + slope * places)[[0, -1]], abs=2e-2)


def test_a_straight_scale_is_its_own_line() -> None:
    """Then windows are compared in the points that faces are told."""
    scale = Scale(((-3, 0), (1, 6), (3, 9)), 1.0)
    assert scale.straight([-2, 0.3, 9]) == pytest.approx(scale.unclipped([-2, 0.3, 9]))
    assert scale.slope == pytest.approx(1.5)


def test_the_plus_minus_is_the_doubt_in_points() -> None:
    """Factor times slope times the network's doubt, and within bounds."""
    scale = Scale(((-3, 0), (3, 9)), 1.2)
    assert scale.plus_minus(np.log([0.5, 0.6])) == pytest.approx([0.9, 1.08])
    assert scale.plus_minus([-20, 20]).tolist() == [LEAST_DOUBT, MOST_DOUBT]


@given(scales(), st.lists(st.floats(-30, 30), min_size=2, max_size=9))
def test_more_doubt_is_never_less_plus_minus(scale: Scale, doubts: list[float]) -> None:
    """And always something from 0.2 to 3 points, even on a level scale."""
    spread = scale.plus_minus(sorted(doubts))
    assert (np.diff(spread) >= 0).all()
    assert spread.min() >= LEAST_DOUBT and spread.max() <= MOST_DOUBT


@given(scales())
def test_a_card_keeps_a_scale(scale: Scale) -> None:
    """Through JSON and back it is the same."""
    assert Scale.from_json(json.loads(json.dumps(scale.to_json()))) == scale


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, "no knots and doubt"),
        ([], "no knots and doubt"),
        ({"centre": 4.5, "spread": 1.5}, "no knots and doubt .*'knots'"),
        ({"knots": [[0, 1], [1, 2]]}, "no knots and doubt .*'doubt'"),
        ({"knots": [[0, 1], [1]], "doubt": 1}, "no knots and doubt"),
        ({"knots": [[0, "high"], [1, 2]], "doubt": 1}, "no knots and doubt .*high"),
        ({"knots": [], "doubt": 1}, "2 knots, not 0"),
        ({"knots": [[0, 1]], "doubt": 1}, "2 knots, not 1"),
        ({"knots": [[0, 1], [0, 2]], "doubt": 1}, "units do not rise"),
        ({"knots": [[1, 1], [0, 2]], "doubt": 1}, "units do not rise"),
        ({"knots": [[0, 2], [1, 1]], "doubt": 1}, "points fall"),
        ({"knots": [[0, 1], [1, math.nan]], "doubt": 1}, "not finite"),
        ({"knots": [[0, 1], [1, 2]], "doubt": math.inf}, "not finite"),
        ({"knots": [[0, 1], [1, 2]], "doubt": 0}, "not above 0"),
        ({"knots": [[0, 1], [1, 2]], "doubt": -1}, "not above 0"),
    ],
)
def test_a_bad_scale_is_an_error(written: Any, reason: str) -> None:
    """Which says what is wrong."""
    with pytest.raises(ValueError, match=reason):
        Scale.from_json(written)


def test_a_known_calibration_is_found() -> None:
    """Along the whole range the scale is what people say, and the factor is the errors' true size."""
    scale = fit(*population(5000, 1))
    places = np.linspace(-1.9, 1.9, 39)
    assert np.abs(scale.told(places) - truth(places)).max() < 0.15
    assert 5 <= len(scale.knots) <= 7
    assert scale.doubt * scale.slope == pytest.approx(0.5 * 1.3, rel=0.06)


def test_told_scores_track_people_on_fresh_photos() -> None:
    """In each tenth of the scores told, people's mean is the mean told, within its own error."""
    scale = fit(*population(5000, 1))
    outputs, _, ratings = population(20_000, 2)
    told = scale.told(outputs)
    for tenth in np.array_split(np.argsort(told), 10):
        assert abs(told[tenth].mean() - ratings[tenth].mean()) < 0.08


@pytest.mark.parametrize("count", [60, 300, 5000])
def test_two_thirds_lie_within_one_plus_minus(count: int) -> None:
    """Of fresh photos 68 %, however few photos the scale was fitted on."""
    inside = []
    for seed in range(max(1, 12_000 // count)):
        scale = fit(*population(count, seed))
        outputs, log_doubts, ratings = population(4000, 1000 + seed)
        inside.append(np.abs(ratings - scale.told(outputs)) <= scale.plus_minus(log_doubts))
    assert np.mean(inside) == pytest.approx(0.6827, abs=0.025)


def test_sure_and_unsure_ones_are_alike_honest() -> None:
    """Where the doubts are true, 68 % of the sure half lie within their plus-minus, and of the unsure."""
    scale = fit(*population(5000, 1))
    outputs, log_doubts, ratings = population(20_000, 2)
    inside = np.abs(ratings - scale.told(outputs)) <= scale.plus_minus(log_doubts)
    for half in np.array_split(np.argsort(log_doubts), 2):
        assert inside[half].mean() == pytest.approx(0.6827, abs=0.025)


def test_the_factor_knows_of_the_bounds() -> None:
    """Where many plus-minuses end at a bound, 68 % of errors still lie within one."""
    outputs, log_doubts, _ = population(4000, 3)
    errors = np.random.default_rng(33).normal(size=4000)
    for size in (0.15, 2.6):
        ratings = truth(outputs) + size * errors
        scale = fit(outputs, log_doubts * 4, ratings)
        inside = np.abs(ratings - scale.told(outputs)) <= scale.plus_minus(log_doubts * 4)
        assert inside.mean() == pytest.approx(max(0.6827, (abs(size * errors) <= 0.2).mean()), abs=0.02)


def test_hopeless_errors_get_the_widest_plus_minus() -> None:
    """Where even 3 points hold fewer than 68 %, all get 3."""
    outputs, log_doubts, _ = population(500, 4)
    scale = fit(outputs, log_doubts, np.random.default_rng(4).choice([0.0, 9.0], 500))
    assert set(scale.plus_minus(log_doubts)) == {MOST_DOUBT}


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 900), st.floats(-2, 2))
def test_any_photos_give_a_scale_that_never_falls(seed: int, count: int, trend: float) -> None:
    """Few photos or many, even if people and network disagree outright."""
    rng = np.random.default_rng(seed)
    outputs = rng.standard_t(2, count)  # a heavy tail, as sparse as they come
    ratings = np.clip(4.5 + trend * outputs + rng.normal(size=count), 0, 9)
    scale = fit(outputs, rng.normal(size=count), ratings)
    assert 2 <= len(scale.knots) <= 7
    assert (np.diff(scale.told(np.linspace(-50, 50, 301))) >= -1e-9).all()
    assert math.isfinite(scale.doubt)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-1, 1))
def test_the_fit_is_the_best_that_never_falls(seed: int, trend: float) -> None:
    """SciPy's bounded least squares find nothing nearer on the same knots."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=400)
    ratings = 4.5 + trend * np.sin(2 * outputs) + rng.normal(size=400)
    scale = fit(outputs, np.zeros(400), ratings)
    units = np.array(scale.knots)[:, 0]
    columns = [np.ones(400)]
    for number in range(len(units) - 1):
        rise = np.zeros(len(units))
        rise[number + 1 :] = 1
        columns.append(Scale(tuple(zip(units.tolist(), rise.tolist(), strict=True)), 1).unclipped(outputs))
    bounds = ([-np.inf] + [0] * (len(units) - 1), np.inf)
    best = lsq_linear(np.column_stack(columns), ratings, bounds)
    assert np.square(ratings - scale.unclipped(outputs)).sum() / 2 == pytest.approx(best.cost, rel=1e-6)


def test_outputs_that_say_nothing_give_a_level_scale() -> None:
    """Everyone is told people's mean; the plus-minus is how far people differ."""
    rng = np.random.default_rng(5)
    outputs, ratings = rng.normal(size=600), rng.normal(4.5, 1, 600)
    scale = fit(outputs, np.zeros(600), ratings - 0.3 * outputs)
    assert scale.told([-2, 2]) == pytest.approx([4.5, 4.5], abs=0.15)
    assert scale.slope < FLATTEST
    assert scale.plus_minus([0.0])[0] == pytest.approx(1.04, abs=0.1)


@pytest.mark.parametrize(
    ("outputs", "doubts", "ratings", "reason"),
    [
        ([0, 1], [0, 0], [1, 2, 3], "one length"),
        ([[0, 1]], [[0, 0]], [[1, 2]], "one length"),
        ([0, math.nan], [0, 0], [1, 2], "not finite"),
        ([0, 1], [0, -math.inf], [1, 2], "not finite"),
        ([1, 1, 1], [0, 0, 0], [1, 2, 3], "all alike"),
        ([], [], [], "all alike"),
    ],
)
def test_what_cannot_be_fitted_is_an_error(outputs: Any, doubts: Any, ratings: Any, reason: str) -> None:
    """Which says what is wrong."""
    with pytest.raises(ValueError, match=reason):
        fit(outputs, doubts, ratings)


def test_many_outputs_alike_are_fitted() -> None:
    """Where one output is most of them, the knots stand at the first and the last."""
    scale = fit([0.0] * 98 + [-1, 1], [0.0] * 100, [4.0] * 98 + [3, 5])
    assert scale.told([-1, 0, 1]) == pytest.approx([3, 4, 5])
