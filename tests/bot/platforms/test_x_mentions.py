from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.platforms.x_mentions import Me, answers, items, newest

ME = Me("99", "selfai_robot")
TEXT = "@ada @Selfai_Robot nice one"


def page(media: list[dict[str, Any]] | None = None, **tweet: Any) -> dict[str, Any]:
    plain = {"id": "1585841080431321088", "author_id": "7", "text": "@selfai_robot"}
    return {"data": [plain | tweet], "includes": {"media": media or []}}


PHOTO = {"media_key": "3_1", "type": "photo", "url": "https://x.test/1.jpg"}
FILM = {"media_key": "7_2", "type": "video", "preview_image_url": "https://x.test/2.jpg"}


@pytest.mark.parametrize(
    ("media", "keys", "url"),
    [
        ([PHOTO], ["3_1"], "https://x.test/1.jpg"),
        ([PHOTO, FILM], ["7_2", "3_1"], "https://x.test/1.jpg"),
        ([FILM], ["7_2"], "https://x.test/2.jpg"),
        ([PHOTO], ["3_9"], None),
        ([{"media_key": "3_1", "type": "photo"}], ["3_1"], None),
        ([], [], None),
    ],
)
def test_the_first_photo_counts(media: list[dict[str, Any]], keys: list[str], url: str | None) -> None:
    """Before any film's still; media that X keeps back are none."""
    (item,) = items(page(media, attachments={"media_keys": keys}), ME, None)
    assert item.photo_url == url


def test_an_id_tells_the_time_if_nothing_else_does() -> None:
    """X's ids hold their millisecond; an author nobody described goes by the id."""
    (item,) = items(page(), ME, None)
    assert item.created_at == datetime(2022, 10, 28, 3, 49, 11, 734000, UTC)
    assert item.author_name == "7"


@pytest.mark.parametrize(
    ("tweet", "asks"),
    [
        ({"author_id": "99"}, False),
        ({"in_reply_to_user_id": "99"}, False),
        ({"in_reply_to_user_id": "7", "text": TEXT, "display_text_range": [19, 27]}, False),
        ({"in_reply_to_user_id": "7", "text": TEXT, "display_text_range": [5, 27]}, True),
        ({"in_reply_to_user_id": "7", "text": TEXT}, True),
        ({"text": "a quote that does not name us"}, False),
    ],
)
def test_a_name_that_only_x_wrote_asks_nothing(tweet: dict[str, Any], asks: bool) -> None:
    """In a reply, the names before the displayed text were put there by X."""
    assert bool(items(page(**tweet), ME, None)) is asks


@pytest.mark.parametrize("key", ["edit_history_tweet_ids", "edit_history_post_ids"])
def test_an_edit_is_not_answered_again(key: str) -> None:
    """A new wording of a post we have seen has a new id; one edited before we saw it is new."""
    edited: dict[str, Any] = {key: ["5", "1585841080431321088"]}
    tweet = page(**edited)
    assert not items(tweet, ME, "5")
    assert items(tweet, ME, "4") and items(tweet, ME, None)


def test_references_of_either_spelling() -> None:
    """A quote is no answer."""
    reference = [{"type": "replied_to", "id": "5"}]
    assert answers({"referenced_tweets": reference}, "5")
    assert answers({"referenced_posts": reference}, "5")
    assert not answers({"referenced_posts": reference}, "6")
    assert not answers({"referenced_tweets": [{"type": "quoted", "id": "5"}]}, "5")
    assert not answers({}, "5")


def test_the_largest_id_is_the_newest_by_number_not_by_letters() -> None:
    """Ids grow a digit one day; an empty page keeps the cursor."""
    assert newest([{"data": [{"id": "10"}, {"id": "9"}]}], "8") == "10"
    assert newest([{}], "8") == "8"
    assert newest([{}], None) is None
