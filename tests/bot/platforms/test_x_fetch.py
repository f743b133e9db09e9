from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.platforms.base import Later
from bot.platforms.x import XPlatform
from bot.sandbox.faults import Fault, FaultKind
from bot.selfie import Item, Source
from tests.bot.platforms.x_setup import MENTIONS
from tests.bot.sandbox.small_x import BOT, SmallX, jpeg


def mentions(x: XPlatform, cursor: str | None = None) -> list[Item]:
    return list(x.fetch(Source.X_MENTIONS, cursor).items)


def test_a_mention_becomes_an_item(small_x: SmallX, x: XPlatform) -> None:
    """Who, when, and the picture's address; the cursor is its id."""
    before = datetime.now(UTC)
    tweet_id = small_x.world.post("ada", f"@{BOT} how do I look?", jpeg())
    page = x.fetch(Source.X_MENTIONS, None)
    (item,) = page.items
    assert (item.item_id, item.author_name, page.cursor) == (tweet_id, "ada", tweet_id)
    assert item.author_id == small_x.world.account("ada").id
    assert item.photo_url is not None and item.photo_url.startswith(f"{small_x.url}/pictures/")
    assert abs(item.created_at - before) < timedelta(seconds=5)


def test_all_that_is_new_comes_oldest_first(small_x: SmallX, x: XPlatform) -> None:
    """Over several pages, from the cursor on; asking again from the new cursor gives nothing."""
    ids = [small_x.world.post("ada", f"@{BOT} {number}") for number in range(205)]
    page = x.fetch(Source.X_MENTIONS, ids[1])
    assert [item.item_id for item in page.items] == ids[2:]
    again = x.fetch(Source.X_MENTIONS, page.cursor)
    assert (list(again.items), again.cursor) == ([], page.cursor)


def test_the_first_poll_reaches_back_a_day(small_x: SmallX, x: XPlatform) -> None:
    """Older mentions stay unanswered; with nothing there the cursor stays None."""
    assert x.fetch(Source.X_MENTIONS, None).cursor is None
    now = datetime.now(UTC)
    small_x.world.post("ada", f"@{BOT} old", jpeg(), created_at=now - timedelta(hours=25))
    recent = small_x.world.post("ada", f"@{BOT} new", jpeg(), created_at=now - timedelta(hours=23))
    assert [item.item_id for item in mentions(x)] == [recent]


def test_a_mention_without_picture_is_an_item_too(small_x: SmallX, x: XPlatform) -> None:
    """Somebody asked and gets a kind answer; of a film the still is taken, of photos the first."""
    small_x.world.post("ada", f"@{BOT} hello?")
    small_x.world.post("ada", f"@{BOT} moving", b"GIF89a", "image/gif")
    first, second = mentions(x)
    assert first.photo_url is None
    assert second.photo_url is not None and second.photo_url.endswith(".gif")


def test_what_asks_nothing_is_left_out_but_moves_the_cursor(small_x: SmallX, x: XPlatform) -> None:
    """Thanks under our answer, talk in a conversation that carries our name along, our own posts."""
    world = small_x.world
    photo = world.post("ada", f"@{BOT} me", jpeg())
    ours = world.post(BOT, "7.1", jpeg(), in_reply_to=photo)
    world.post("ada", "thanks!", in_reply_to=ours)
    another = world.post("ada", f"@{BOT} and this one?", jpeg(), in_reply_to=ours)
    asked = world.post("grace", f"@{BOT} and what about ada?", in_reply_to=photo)
    own = world.post(BOT, f"I am @{BOT}")
    page = x.fetch(Source.X_MENTIONS, photo)
    assert [item.item_id for item in page.items] == [another, asked]
    thanks = world.post("ada", "thanks again", in_reply_to=ours)
    page = x.fetch(Source.X_MENTIONS, own)
    assert (list(page.items), page.cursor) == ([], thanks)


def test_only_mentions_can_be_polled(x: XPlatform) -> None:
    """Another platform's source is a mistake in the program."""
    with pytest.raises(ValueError, match="instagram"):
        x.fetch(Source.INSTAGRAM_HASHTAG, None)


def test_a_broken_page_loses_nothing(small_x: SmallX, x: XPlatform) -> None:
    """If a later page fails the whole poll is `Later`, and the old cursor gives all of it again."""
    ids = [small_x.world.post("ada", f"@{BOT} {number}") for number in range(150)]
    x.account()
    small_x.faults.add(Fault(FaultKind.DELAY, *MENTIONS, seconds=0), Fault(FaultKind.CUT, *MENTIONS))
    with pytest.raises(Later):
        x.fetch(Source.X_MENTIONS, None)
    assert [item.item_id for item in mentions(x)] == ids
