from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.selfie import Answer, Source
from tests.fakes import make_item, make_selfie
from worker.messages import Refusal

X, HASHTAG, MESSAGES = Source.X_MENTIONS, Source.INSTAGRAM_HASHTAG, Source.INSTAGRAM_MESSAGES
LONGEST_HANDLE = "a" * 15
PICTURE = b"\xff\xd8"

# What X makes a link of: a scheme, or a word, a dot and letters without a space.
LINK = re.compile(r"https?:|www\.|[A-Za-z0-9-]\.[A-Za-z]{2,}|t\.co", re.IGNORECASE)
INSULTS = re.compile(
    r"\b(ugly|hideous|fat|old|worst|terrible|awful|bad|poor|hopeless|unattractive|face it)\b", re.IGNORECASE
)


def weight(text: str) -> int:
    """X's count: Latin and common punctuation weigh 1, everything else 2."""
    light = [(0, 4351), (8192, 8205), (8208, 8223), (8242, 8247)]
    return sum(1 if any(low <= ord(sign) <= high for low, high in light) else 2 for sign in text)


def all_answers(source: Source, item_id: str) -> list[Answer]:
    """Everything that the bot can say to an item there."""
    selfie = make_selfie(make_item(item_id, source, author_name=LONGEST_HANDLE))
    refused = [wording.refused(selfie, refusal) for refusal in Refusal]
    scores = [(quarter / 4, faces) for quarter in range(37) for faces in (1, 2, 99)]
    return refused + [wording.scored(selfie, score, 3.0, faces, PICTURE) for score, faces in scores]


def test_every_refusal_has_words() -> None:
    """One kind line each, all different."""
    assert set(wording.REFUSALS) == set(Refusal)
    assert len(set(wording.REFUSALS.values())) == len(Refusal)


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("item_id", list("123456789"))
def test_all_that_is_said(source: Source, item_id: str) -> None:
    """One line, within X's length, no link, no insult; it says that a bot speaks, and to whom."""
    for answer in all_answers(source, item_id):
        assert "\n" not in answer.text
        assert weight(answer.text) <= 280
        assert not LINK.search(answer.text)
        assert not INSULTS.search(answer.text)
        assert re.search(r"\bbot\b", answer.text, re.IGNORECASE)
        assert answer.text.startswith(f"@{LONGEST_HANDLE} ") == (source is not MESSAGES)
        assert (answer.alt_text is None) == (answer.picture is None)


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (6.34, "6.3 of 9"),
        (6.36, "6.4 of 9"),
        (0, "0.0 of 9"),
        (-0.4, "0.0 of 9"),
        (9.7, "9.0 of 9"),
        (-0.0, "0.0 of 9"),
    ],
)
def test_scores_have_one_decimal(score: float, shown: str) -> None:
    """And stay within 0..9, whatever a network says."""
    assert wording.shown_score(score, None) == shown


@pytest.mark.parametrize(
    ("plus_minus", "shown"), [(0.94, "0.9"), (0.96, "1.0"), (3, "3.0"), (0, "0.1"), (99, "9.0")]
)
def test_the_plus_minus_is_told(plus_minus: float, shown: str) -> None:
    """With one decimal, in the answer and with the picture; never as if there were no doubt."""
    answer = wording.scored(make_selfie(), 6.3, plus_minus, 1, PICTURE)
    for text in (answer.text, answer.alt_text or ""):
        assert f"6.3 of 9, give or take {shown}." in text


def test_a_score_without_a_plus_minus_is_told_alone() -> None:
    """An older worker sends none."""
    answer = wording.scored(make_selfie(), 6.3, None, 1, PICTURE)
    assert "6.3 of 9." in answer.text
    assert "give or take" not in answer.text


@pytest.mark.parametrize("source", [X, MESSAGES])
def test_the_crop_goes_out_where_it_can(source: Source) -> None:
    """With words for those who cannot see it."""
    answer = wording.scored(make_selfie(make_item(source=source)), 6.3, 0.9, 1, PICTURE)
    assert answer.picture == PICTURE
    assert "crop" in answer.text
    assert "6.3 of 9" in (answer.alt_text or "")


def test_a_comment_tells_how_to_get_the_crop() -> None:
    """A comment on Instagram carries no picture."""
    answer = wording.scored(make_selfie(make_item(source=HASHTAG)), 6.3, 0.9, 1, PICTURE)
    assert answer.picture is None
    assert "direct message" in answer.text


def test_several_faces_are_told() -> None:
    """The largest was scored, and the answer says so."""
    selfie = make_selfie()
    assert "largest of 3 faces" in wording.scored(selfie, 5, 0.9, 3, PICTURE).text
    assert "largest" not in wording.scored(selfie, 5, 0.9, 1, PICTURE).text


def test_a_score_says_what_it_is_not() -> None:
    """Low or high."""
    for score in (0.2, 8.9):
        assert wording.HONEST in wording.scored(make_selfie(), score, 0.9, 1, PICTURE).text


@given(name=st.text())
def test_only_handles_are_mentioned(name: str) -> None:
    """Whatever a platform gives as a name, nothing but a handle gets into a post."""
    text = wording.refused(make_selfie(make_item(author_name=name)), Refusal.NO_FACE).text
    mention = text.partition(wording.REFUSALS[Refusal.NO_FACE])[0]
    assert re.fullmatch(r"(@[A-Za-z0-9_.]{1,30} )?", mention)


def test_a_key_is_the_items_own() -> None:
    """The same for score and refusal and for another row of the same item; others differ."""
    selfie, other = make_selfie(make_item("1")), make_selfie(make_item("2"))
    key = wording.refused(selfie, Refusal.NO_FACE).key
    assert key == wording.scored(selfie, 5, 0.9, 1, None).key
    assert key != wording.refused(other, Refusal.NO_FACE).key


def test_no_two_texts_are_alike() -> None:
    """Somebody who forgets the photo again and again gets a new text each time, as X wants it."""
    selfies = [replace(make_selfie(), id=number) for number in range(1, 41)]
    texts = [wording.refused(selfie, Refusal.NO_PHOTO).text for selfie in selfies]
    assert len(set(texts)) == 40
    assert wording.refused(selfies[0], Refusal.NO_PHOTO).text == texts[0]
