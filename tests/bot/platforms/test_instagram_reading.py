from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.instagram_reading import (
    ASKING,
    conversation_items,
    first_photo,
    message_photo,
    tagged_item,
)

ME, ADA = "1", "2"
THREAD = {"thread_id": "9", "users": [{"pk": 2, "username": "ada"}]}
LONG_AGO, FOREVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000
START = 1_700_000_000_000_000


def picture(url: str = "https://example.com/a.jpg", width: int = 10) -> dict[str, Any]:
    return {"image_versions2": {"candidates": [{"url": url, "width": width, "height": width}]}}


def message(number: int, author: str = ADA, kind: str = "text", **said: Any) -> dict[str, Any]:
    return {
        "item_id": number,
        "user_id": int(author),
        "timestamp": START + number * MINUTE,
        "item_type": kind,
        **said,
    }


def photo(number: int) -> dict[str, Any]:
    return message(number, kind="media", media={"media_type": 1, **picture()})


def asked(*messages: dict[str, Any], settled: datetime = FOREVER) -> list[str]:
    return [item.item_id for item in conversation_items(THREAD, messages, ME, LONG_AGO, settled)]


def test_the_largest_size() -> None:
    """Of a photo's sizes the largest is taken, in whichever order they come."""
    small, large = picture("https://example.com/s.jpg", 1), picture("https://example.com/l.jpg", 100)
    sizes = [one["image_versions2"]["candidates"][0] for one in (small, large, small)]
    media = {"media_type": 1, "image_versions2": {"candidates": sizes}}
    assert first_photo(media) == "https://example.com/l.jpg"


def test_an_albums_first_photo() -> None:
    """Videos in an album are passed over; an album of videos has no photo."""
    video = {"media_type": 2, **picture("https://example.com/cover.jpg")}
    still = {"media_type": 1, **picture("https://example.com/still.jpg")}
    assert first_photo({"media_type": 8, "carousel_media": [video, still]}) == "https://example.com/still.jpg"
    assert first_photo({"media_type": 8, "carousel_media": [video]}) is None


@pytest.mark.parametrize("kind", sorted(ASKING))
def test_odd_messages_have_no_photo(kind: str) -> None:
    """A message that lacks what its kind should have has no photo, and is no error."""
    assert message_photo({"item_type": kind}) is None
    assert message_photo({"item_type": kind, kind: {} if kind != "xma_media_share" else []}) is None


def test_addresses_are_web_addresses() -> None:
    """What is no web address is not handed to whoever downloads it."""
    assert first_photo({"media_type": 1, **picture("file:///etc/passwd")}) is None
    assert first_photo({"media_type": 1, **picture("instagram://media")}) is None


def test_view_once_has_no_photo() -> None:
    """A view-once photo's address is not read, even where Instagram gives it."""
    once = message(1, kind="raven_media", visual_media={"media": {"media_type": 1, **picture()}})
    assert message_photo(once) is None
    assert asked(once) == ["1"]


def test_a_post_without_an_author_is_none() -> None:
    """A post that is not one raises one of the errors that the caller passes over."""
    with pytest.raises(KeyError):
        tagged_item({"pk": 1, "media_type": 1})


def test_groups_are_left_alone() -> None:
    """In a group nobody asked us."""
    assert conversation_items({**THREAD, "is_group": True}, [photo(1)], ME, LONG_AGO, FOREVER) == []


def test_words_beside_photos() -> None:
    """All photos of a run are items, the words around them are none."""
    assert asked(message(1), photo(2), message(3), photo(4), message(50)) == ["2", "4"]


def words(number: int, text: str) -> dict[str, Any]:
    return message(number, text=text)


def test_runs_end_with_our_answer_and_with_time() -> None:
    """After our answer, or an hour, a new request begins."""
    ours = message(10, ME)
    assert asked(words(1, "hi"), ours, words(11, "and now?"), words(12, "hello?")) == ["1", "11"]
    assert asked(words(1, "hi"), ours, words(11, "this one"), photo(12)) == ["1", "12"]
    assert asked(words(1, "hi"), ours, words(80, "thanks")) == ["1", "80"]
    assert asked(words(1, "hi"), words(70, "hi again")) == ["1", "70"]


@pytest.mark.parametrize(
    "text", ["Thanks!", "thank you so much", "ok cool", "\u2764\ufe0f", "Merci beaucoup", "..."]
)
def test_thanks_ask_nothing(text: str) -> None:
    """Mere thanks soon after our answer get none of their own; without an answer before, they do."""
    assert asked(photo(1), message(2, ME), words(3, text)) == ["1"]
    assert asked(words(3, text)) == ["3"]


@pytest.mark.parametrize("text", ["thanks, and this one?", "why?", "who are you"])
def test_questions_after_our_answer_are_asked(text: str) -> None:
    """More than thanks gets an answer, also soon after the last."""
    assert asked(photo(1), message(2, ME), words(3, text)) == ["1", "3"]


def test_words_without_end_are_let_be() -> None:
    """Two bots that answer each other stop; a photo, or an hour's rest, begins anew."""
    talk = [one for n in range(0, 20, 2) for one in (words(n, "Hello, human!"), message(n + 1, ME))]
    assert asked(*talk) == ["0", "2"]
    assert asked(*talk, photo(30), message(31, ME), words(32, "and?")) == ["0", "2", "30", "32"]
    assert asked(*talk, words(90, "Hello again")) == ["0", "2", "90"]


def test_view_once_after_our_answer() -> None:
    """Who sends a view-once photo when asked for a photo hears back."""
    once = message(12, kind="raven_media", visual_media={"media": {"media_type": 1}})
    assert asked(message(1), message(10, ME), words(11, "thanks"), once) == ["1", "11"]


def test_unsettled_words_wait() -> None:
    """Words after `settled` wait; photos never do."""
    settled = datetime.fromtimestamp(START / 1_000_000, UTC)
    assert asked(message(1), settled=settled) == []
    assert asked(message(1), photo(2), settled=settled) == ["2"]


KINDS = st.sampled_from([*sorted(ASKING), "like", "action_log", "placeholder", "voice_media"])


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([ME, ADA]), KINDS)))
def test_never_ours_never_twice(said: list[tuple[int, str, str]]) -> None:
    """Whatever is said in whichever order, our own messages are no items, and no item comes twice."""
    messages = [
        message(number, author, kind) for number, author, kind in {one[0]: one for one in said}.values()
    ]
    items = asked(*messages)
    theirs = {str(one["item_id"]) for one in messages if str(one["user_id"]) == ADA}
    assert len(items) == len(set(items))
    assert set(items) <= theirs
    assert items == asked(*reversed(messages))


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans())))
def test_every_photo_gets_its_answer(said: list[tuple[int, bool]]) -> None:
    """Each photo of theirs is an item, whatever stands around it."""
    messages = [photo(n) if shown else message(n) for n, shown in {one[0]: one for one in said}.values()]
    photos = {str(one["item_id"]) for one in messages if one["item_type"] == "media"}
    assert photos <= set(asked(*messages))
