"""Which windows look right."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.faces import Face
from worker.framing import (
    FREE,
    RELAXED,
    SQUARE,
    Aspect,
    Framing,
    Level,
    Rules,
    Subject,
    largest_window,
    parse_aspects,
)


def face(left: float, top: float, width: float = 80.0, height: float = 100.0) -> Face:
    """A face seen from the front, its eyes at two fifths of its height."""
    eyes = top + 0.4 * height
    marks = (
        (left + 25, eyes),
        (left + 55, eyes),
        (left + 40, top + 60),
        (left + 28, top + 78),
        (left + 52, top + 78),
    )
    return Face((left, top, left + width, top + height), marks, 1.0)


def framing(*faces: Face, size: tuple[int, int] = (1000, 800), aspect: Aspect = SQUARE) -> Framing:
    """The strict rules around some faces."""
    return Framing(size, Subject.of(faces, size), aspect, Rules())


@pytest.mark.parametrize(
    ("text", "ratio"), [("1:1", 1.0), ("4:5", 0.8), ("16:9", 16 / 9), ("1.91:1", 1.91), ("3:1", 3.0)]
)
def test_aspects_are_read(text: str, ratio: float) -> None:
    """Any W:H, also with decimals."""
    assert Aspect.parse(text).ratio == pytest.approx(ratio)


@pytest.mark.parametrize(
    "text", ["", "1", "1:", ":", "a:b", "1:0", "0:1", "-1:1", "-1:-1", "1:4", "9:1", "nan:1", "1:2:3"]
)
def test_other_aspects_are_refused(text: str) -> None:
    """What is no aspect, or too extreme for a face, is an error that quotes it."""
    with pytest.raises(ValueError, match="aspect"):
        Aspect.parse(text)


def levels(around: Framing) -> list[Level]:
    """Seven sizes over the allowed range."""
    found = (around.level(side) for side in np.linspace(*around.sides, 7).clip(*around.sides).tolist())
    return [level for level in found if level is not None]


def test_free_is_every_shape() -> None:
    """The word stands for nine shapes from upright to wide; anything else for itself."""
    assert parse_aspects("free") == FREE and len(FREE) == 9
    assert parse_aspects("4:5") == (Aspect(4, 5),)


def test_the_networks_input_keeps_the_aspect() -> None:
    """The shorter side is the network's 192 pixels."""
    assert [Aspect.parse(text).input_size for text in ("1:1", "4:5", "16:9")] == [
        (192, 192),
        (192, 240),
        (341, 192),
    ]


@given(
    st.floats(0, 900),
    st.floats(0, 650),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["1:1", "4:5", "16:9"]),
)
def test_every_allowed_window_keeps_the_rules(
    left: float, top: float, x: float, y: float, aspect: str
) -> None:
    """Wherever in a level's rectangle: inside the photo, the face whole, room above, eyes high."""
    rules, shape = Rules(), Aspect.parse(aspect)
    found = face(left, top)
    for level in levels(framing(found, aspect=shape)):
        a, b = level.lefts, level.tops
        window = level.window(a[0] + x * (a[1] - a[0]), b[0] + y * (b[1] - b[0]))
        width, height = window[2] - window[0], window[3] - window[1]
        assert window[0] >= 0 and window[1] >= 0 and window[2] <= 1000 + 1e-6 and window[3] <= 800 + 1e-6
        assert width / height == pytest.approx(shape.ratio)
        assert (
            rules.face[0] - 1e-6 <= (min(800, found.box[3]) - found.box[1]) / height <= rules.face[1] + 1e-6
        )
        assert window[1] <= max(0, found.box[1] - rules.above * 100) + 1e-6
        assert window[3] >= min(800, found.box[3]) - 1e-6
        assert rules.eyes[0] - 1e-6 <= (found.eyes[1] - window[1]) / height <= rules.eyes[1] + 1e-6


def test_sizes_span_the_range() -> None:
    """A face in the open has several sizes of window, each with places to move in."""
    found = levels(framing(face(450, 300)))
    assert len(found) == 7
    assert found[0].height == pytest.approx(200)  # the smallest allowed, in pixels
    assert found[-1].height == pytest.approx(100 / 0.18)
    assert all(level.lefts[1] > level.lefts[0] and level.tops[1] > level.tops[0] for level in found)


def test_windows_are_moved_to_the_nearest_allowed() -> None:
    """A corner outside the rectangle is brought to its edge."""
    level = levels(framing(face(450, 300)))[0]
    assert level.window(-1e6, 1e6)[:2] == (level.lefts[0], level.tops[1])


def test_other_heights_have_no_level() -> None:
    """Refinement may ask beyond the range, and gets nothing."""
    around = framing(face(450, 300))
    assert around.level(10) is None
    assert around.level(5000) is None


def test_several_faces_are_all_kept() -> None:
    """A window around a group holds every face."""
    faces = [face(200, 300), face(500, 250), face(750, 320)]
    found = levels(framing(*faces, size=(1400, 800), aspect=Aspect.parse("16:9")))
    assert found
    for level in found:
        left, top, right, bottom = level.window(*(sum(span) / 2 for span in (level.lefts, level.tops)))
        assert left <= 200 and right >= 830 and top <= 250 and bottom >= 420


def test_relaxing_ends_with_any_window_around_the_face() -> None:
    """Each relaxation allows at least what the one before allowed."""
    for tight, loose in pairwise(RELAXED):
        assert loose.face[0] <= tight.face[0] and loose.face[1] >= tight.face[1]
        assert loose.above <= tight.above and loose.narrowest <= tight.narrowest
        assert loose.eyes[0] <= tight.eyes[0] and loose.eyes[1] >= tight.eyes[1]


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        ("1:1", (0.0, 0.0, 300.0, 300.0)),
        ("4:5", (0.0, 0.0, 300.0, 375.0)),
        ("3:1", (0.0, 0.0, 300.0, 400.0)),  # would cut the face: the whole photo
    ],
)
def test_the_last_resort(aspect: str, expected: tuple[float, ...]) -> None:
    """The largest window of the aspect that keeps the face whole, or else the whole photo."""
    subject = Subject.of([face(20, -10, 250, 290)], (300, 400))
    assert largest_window((300, 400), subject, Aspect.parse(aspect)) == pytest.approx(expected)
