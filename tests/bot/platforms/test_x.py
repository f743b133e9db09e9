from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot.platforms.base import Broken, Later, Platform
from bot.platforms.x import XPlatform
from bot.sandbox.background import serve_in_background
from bot.sandbox.faults import Fault, FaultKind, Faults
from bot.sandbox.pictures import Pictures
from bot.sandbox.x import make_app
from bot.sandbox.x_world import XWorld
from bot.selfie import Selfie, Source, Status
from tests.bot.platforms.x_setup import ANSWER, CREATE, DESCRIBE, IN_WORDS, UPLOAD, platform, selfie
from tests.bot.sandbox.small_x import BOT, SmallX, jpeg

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def test_it_is_a_platform_and_building_it_asks_nothing() -> None:
    """The port is satisfied; nobody listens at the address given, and nobody minds yet."""
    x: Platform = platform(XWorld(), "http://127.0.0.1:9")
    assert (x.name, list(x.sources)) == ("x", [Source.X_MENTIONS])
    with pytest.raises(Later):
        x.account()


def test_account_tells_the_handle_and_asks_each_time(small_x: SmallX, x: XPlatform) -> None:
    """So that `selfai check` sees credentials that were taken away."""
    assert x.account() == BOT
    small_x.faults.add(Fault(FaultKind.STATUS, route="/2/users/me", status=401))
    with pytest.raises(Broken, match="X_"):
        x.account()


def test_an_answer_is_one_reply_with_picture_and_description(small_x: SmallX, x: XPlatform) -> None:
    """And `find_reply` finds it, before and after."""
    asked = selfie(small_x)
    assert x.find_reply(asked, ANSWER) is None
    reply_id = x.reply(asked, ANSWER)
    (reply,) = small_x.world.replies_to(asked.item.item_id)
    assert (reply.id, reply.author, reply.text) == (reply_id, BOT, ANSWER.text)
    assert (reply.picture, reply.alt_text) == (ANSWER.picture, ANSWER.alt_text)
    assert x.find_reply(asked, ANSWER) == reply_id


def test_an_answer_in_words_only(small_x: SmallX, x: XPlatform) -> None:
    """No picture, no upload."""
    asked = selfie(small_x)
    x.reply(asked, IN_WORDS)
    (reply,) = small_x.world.replies_to(asked.item.item_id)
    assert (reply.text, reply.picture) == (IN_WORDS.text, None)
    assert not [one for one in small_x.world.media.values() if one.owner_id == small_x.world.bot.id]


def test_an_answer_is_found_among_many(small_x: SmallX, x: XPlatform) -> None:
    """On whatever page it is, and only the answer to this very selfie."""
    asked, other = selfie(small_x), selfie(small_x)
    reply_id = small_x.world.post(BOT, "7", in_reply_to=asked.item.item_id)
    for number in range(150):
        small_x.world.post(BOT, f"{number}", in_reply_to=other.item.item_id if number else None)
    small_x.world.post("ada", "me too", in_reply_to=asked.item.item_id)
    assert x.find_reply(asked, ANSWER) == reply_id


def test_an_answer_goes_out_without_description_if_x_takes_none(small_x: SmallX, x: XPlatform) -> None:
    """Whatever goes wrong with the description."""
    for fault in (
        Fault(FaultKind.STATUS, *DESCRIBE, status=500),
        Fault(FaultKind.STATUS, *DESCRIBE, status=403),
        Fault(FaultKind.NO_ANSWER, *DESCRIBE),
    ):
        asked = selfie(small_x)
        small_x.faults.add(fault)
        x.reply(asked, ANSWER)
        (reply,) = small_x.world.replies_to(asked.item.item_id)
        assert reply.picture == ANSWER.picture


@pytest.mark.parametrize("kind", [FaultKind.NO_ANSWER, FaultKind.CUT, FaultKind.DELAY])
def test_a_post_whose_answer_is_lost_stands_once(small_x: SmallX, kind: FaultKind) -> None:
    """The try is `Later`; the reply is found then, and nothing was sent twice."""
    x, asked = platform(small_x.world, small_x.url, timeout=0.5), selfie(small_x)
    small_x.faults.add(Fault(kind, *CREATE, seconds=1.5))
    with pytest.raises(Later):
        x.reply(asked, ANSWER)
    (reply,) = small_x.world.replies_to(asked.item.item_id)
    assert x.find_reply(asked, ANSWER) == reply.id
    with pytest.raises(Later, match="duplicate"):
        x.reply(asked, ANSWER)
    assert len(small_x.world.replies_to(asked.item.item_id)) == 1


@pytest.mark.parametrize("kind", [FaultKind.NO_ANSWER, FaultKind.CUT, FaultKind.DELAY])
def test_an_upload_whose_answer_is_lost_posts_nothing(small_x: SmallX, kind: FaultKind) -> None:
    """The next try uploads anew."""
    x, asked = platform(small_x.world, small_x.url, timeout=0.5), selfie(small_x)
    small_x.faults.add(Fault(kind, *UPLOAD, seconds=1.5))
    with pytest.raises(Later):
        x.reply(asked, ANSWER)
    assert x.find_reply(asked, ANSWER) is None
    x.reply(asked, ANSWER)
    assert len(small_x.world.replies_to(asked.item.item_id)) == 1


def test_the_new_spelling_is_read_too() -> None:
    """X answering in its next version's words, whatever it was asked in."""

    @web.middleware
    async def respell(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if isinstance(answer, web.Response) and answer.content_type == "application/json":
            text = str(answer.text).replace("referenced_tweets", "referenced_posts")
            return web.json_response(
                json.loads(text.replace("edit_history_tweet_ids", "edit_history_post_ids"))
            )
        return answer

    world = XWorld()
    app = make_app(world, Pictures(), Faults())
    app.middlewares.append(respell)
    with serve_in_background(app) as running:
        x = platform(world, running.url)
        tweet_id = world.post("ada", f"@{BOT}", jpeg())
        (item,) = x.fetch(Source.X_MENTIONS, None).items
        asked = Selfie(1, item, Status.REPLYING, 1, datetime.now(UTC))
        assert item.photo_url is not None
        assert x.find_reply(asked, ANSWER) is None
        assert x.reply(asked, ANSWER) == x.find_reply(asked, ANSWER)
        assert len(world.replies_to(tweet_id)) == 1
