"""How windows frame a face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.test_framing import face
from worker.composition import BEST, FRAMED, composition, kept, lengths
from worker.framing import FREE, Subject

SUBJECT = Subject.of([face(450, 300)], (1000, 800))


def best_window(ratio: float) -> tuple[float, float, float, float]:
    """The window of this ratio that is framed best, wherever the photo ends."""
    side = SUBJECT.extent / np.exp(BEST[0])
    width, height = side * np.sqrt(ratio), side / np.sqrt(ratio)
    left, top = SUBJECT.middle - width / 2, SUBJECT.eye_line - BEST[1] * height
    return left, top, left + width, top + height


@pytest.mark.parametrize("ratio", [aspect.ratio for aspect in FREE])
def test_every_shape_can_be_framed_best(ratio: float) -> None:
    """No shape is favoured: each reaches 0, and no more."""
    assert composition(np.array([best_window(ratio)]), SUBJECT)[0] == pytest.approx(0)


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(0.5, 2))
def test_other_framings_are_worse(along: float, down: float, grown: float) -> None:
    """Shifted or scaled, a window loses; mirrored shifts lose alike."""
    left, top, right, _ = best_window(1.0)
    side = (right - left) * grown
    windows = [
        (left + shift, top + down, left + shift + side, top + down + side)
        for shift in (along - (grown - 1) * (right - left) / 2, -along - (grown - 1) * (right - left) / 2)
    ]
    points = composition(np.array(windows), SUBJECT)
    assert points[0] <= 0
    assert points[0] == pytest.approx(points[1])


def test_lengths_are_shares() -> None:
    """The same framing of a photo twice as large has the same lengths."""
    windows = np.array([best_window(0.8)])
    doubled = Subject.of([face(900, 600, 160, 200)], (2000, 1600))
    away = np.abs(lengths(windows * 2, doubled) - lengths(windows, SUBJECT))
    assert away[0, [0, 2]].max() < 1e-9


def test_a_framed_picture_is_best_kept_whole() -> None:
    """The largest windows of any shape lose nothing; smaller ones lose the more, the smaller."""
    windows = np.array(
        [(0, 0, 400, 300), (50, 0, 350, 300), (0, 0, 400, 200), (0, 0, 200, 150), (9, 9, 10, 10)]
    )
    points = kept(windows, (400, 300))
    assert points[:3] == pytest.approx(0)
    assert points[3] == pytest.approx(-0.75 * FRAMED)
    assert points[4] == pytest.approx(-FRAMED, rel=1e-3)
