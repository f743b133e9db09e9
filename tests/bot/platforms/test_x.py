from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.platforms.base import Broken, Forbidden, Gone, Later, Platform, PlatformError
from bot.platforms.x import XCredentials, XPlatform
from bot.sandbox.background import serve_in_background
from bot.sandbox.faults import Fault, FaultKind, Faults
from bot.sandbox.pictures import Pictures
from bot.sandbox.x import make_app
from bot.sandbox.x_limits import Limits
from bot.sandbox.x_world import XWorld
from bot.selfie import Answer, Item, Selfie, Source, Status
from tests.bot.sandbox.small_x import BOT, SmallX, jpeg, small_x_running

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANSWER = Answer("selfie-1", "7.1 of 9. Nice light!", b"\xff\xd8 the crop", "The photo's best part")
IN_WORDS = Answer("selfie-1", "I see no face there.", None, None)

CREATE = ("/2/tweets", "POST")
UPLOAD = ("/2/media/upload", "POST")
DESCRIBE = ("/2/media/metadata", "POST")
MENTIONS = ("/2/users/*/mentions", "GET")
TIMELINE = ("/2/users/*/tweets", "GET")


@pytest.fixture
def small_x() -> Iterator[SmallX]:
    with small_x_running() as small_x:
        yield small_x


def platform(world: XWorld, url: str, timeout: float = 5.0, **changes: str) -> XPlatform:
    tokens = world.bot.tokens
    keys = {
        "api_key": world.app.api_key,
        "api_secret": world.app.api_secret,
        "access_token": tokens.access_token,
        "access_secret": tokens.access_secret,
    }
    return XPlatform(XCredentials(**keys | changes), url, timeout=(timeout, timeout))


@pytest.fixture
def x(small_x: SmallX) -> XPlatform:
    return platform(small_x.world, small_x.url)


def mentions(x: XPlatform, cursor: str | None = None) -> list[Item]:
    return list(x.fetch(Source.X_MENTIONS, cursor).items)


def selfie(small_x: SmallX, text: str = f"@{BOT} how do I look?") -> Selfie:
    """A selfie that stands on X and waits for its answer."""
    tweet_id = small_x.world.post("ada", text, jpeg())
    now = datetime.now(UTC)
    ada = small_x.world.account("ada")
    item = Item(Source.X_MENTIONS, tweet_id, ada.id, "ada", None, "http://x.test/a.jpg", now)
    return Selfie(1, item, Status.REPLYING, 1, now)


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


def problem(status: int, detail: str = "Refused", kind: str = "about:blank") -> dict[str, Any]:
    return {"title": "Refused", "detail": detail, "type": kind, "status": status}


FAILURES: list[tuple[int, Any, type[PlatformError]]] = [
    (400, problem(400), Broken),
    (401, problem(401), Broken),
    (402, problem(402, "credits depleted"), Broken),
    (403, problem(403, "You are not allowed to create a Tweet with duplicate content."), Later),
    (403, problem(403, "... because you have not been mentioned or otherwise engaged ..."), Forbidden),
    (403, problem(403, "You attempted to reply to a Tweet that is deleted or not visible to you."), Gone),
    (403, problem(403, "You have been blocked from replying."), Forbidden),
    (403, problem(403, "Your account is suspended and is not permitted ..."), Broken),
    (403, problem(403, "This account is temporarily locked."), Broken),
    (403, problem(403, kind="https://api.twitter.com/2/problems/oauth1-permissions"), Broken),
    (403, problem(403, kind="https://api.twitter.com/2/problems/client-forbidden"), Broken),
    (404, problem(404, kind="https://api.twitter.com/2/problems/resource-not-found"), Gone),
    (404, "no such page", Broken),
    (418, "", Broken),
    (429, problem(429), Later),
    (429, problem(429, kind="https://api.twitter.com/2/problems/usage-capped"), Broken),
    (500, "", Later),
    (503, "<html>over capacity</html>", Later),
    (307, "", Broken),
    (200, {"errors": [problem(200)]}, Later),
    (200, "{", Later),
    (200, [], Later),
    (200, {"data": {"text": "no id"}}, Later),
]


@pytest.mark.parametrize(("status", "body", "kind"), FAILURES)
def test_every_refusal_of_an_answer_is_one_of_four(
    small_x: SmallX, x: XPlatform, status: int, body: Any, kind: type[PlatformError]
) -> None:
    """Later, Forbidden, Gone or Broken; X is asked once, and nothing is posted."""
    asked = selfie(small_x)
    small_x.faults.add(Fault(FaultKind.STATUS, *CREATE, status=status, body=body))
    with pytest.raises(PlatformError) as refused:
        x.reply(asked, IN_WORDS)
    assert type(refused.value) is kind
    assert not small_x.faults.left() and not small_x.world.replies_to(asked.item.item_id)


@pytest.mark.parametrize(("status", "body", "kind"), [*FAILURES[:-1], (200, {"data": [7]}, Later)])
def test_a_refused_question_is_later_or_broken(
    small_x: SmallX, x: XPlatform, status: int, body: Any, kind: type[PlatformError]
) -> None:
    """Reading mentions and our own posts concerns no single selfie."""
    for route, ask in (
        (MENTIONS, lambda: x.fetch(Source.X_MENTIONS, "1")),
        (TIMELINE, lambda: x.find_reply(selfie(small_x), ANSWER)),
    ):
        small_x.faults.add(Fault(FaultKind.STATUS, *route, status=status, body=body))
        with pytest.raises(PlatformError) as refused:
            ask()
        assert type(refused.value) is (Later if kind is Later else Broken)


def test_a_rate_limit_says_until_when(small_x: SmallX, x: XPlatform) -> None:
    """The moment of the reset header; of the day's limit, if that is what is used up."""
    reset = datetime(2031, 5, 1, tzinfo=UTC)
    headers = {"x-rate-limit-reset": str(int(reset.timestamp()))}
    small_x.faults.add(Fault(FaultKind.STATUS, *MENTIONS, status=429, headers=headers))
    with pytest.raises(Later) as limited:
        x.fetch(Source.X_MENTIONS, "1")
    assert limited.value.until == reset
    day = {"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": "1999999999"}
    small_x.faults.add(Fault(FaultKind.STATUS, *CREATE, status=429, headers=headers | day))
    with pytest.raises(Later) as limited:
        x.reply(selfie(small_x), IN_WORDS)
    assert limited.value.until == datetime.fromtimestamp(1999999999, UTC)


def test_a_true_rate_limit_of_the_small_x() -> None:
    """At a hundredth of X's limits three polls are enough; nothing waits or asks again by itself."""
    world = XWorld()
    limits = Limits(world.now, factor=0.01)
    with serve_in_background(make_app(world, Pictures(), Faults(), limits)) as running:
        x = platform(world, running.url)
        for _ in range(3):
            x.fetch(Source.X_MENTIONS, "1")
        with pytest.raises(Later) as limited:
            x.fetch(Source.X_MENTIONS, "1")
    assert limited.value.until is not None and limited.value.until > datetime.now(UTC)


def test_true_refusals_of_the_small_x(small_x: SmallX, x: XPlatform) -> None:
    """Uninvited, deleted, wrongly signed in."""
    with pytest.raises(Forbidden, match="not been mentioned"):
        x.reply(selfie(small_x, "not at you"), IN_WORDS)
    gone = selfie(small_x)
    small_x.world.delete(gone.item.item_id)
    with pytest.raises(Gone):
        x.reply(gone, IN_WORDS)
    with pytest.raises(Broken, match="credentials"):
        platform(small_x.world, small_x.url, access_secret="wrong").fetch(Source.X_MENTIONS, None)


def test_a_silent_x_is_later(small_x: SmallX) -> None:
    """The adapter has the time limit that tweepy lacks."""
    x = platform(small_x.world, small_x.url, timeout=0.3)
    x.account()
    small_x.faults.add(Fault(FaultKind.DELAY, *MENTIONS, seconds=1.0))
    started = datetime.now(UTC)
    with pytest.raises(Later):
        x.fetch(Source.X_MENTIONS, None)
    assert datetime.now(UTC) - started < timedelta(seconds=0.9)


def test_a_broken_page_loses_nothing(small_x: SmallX, x: XPlatform) -> None:
    """If a later page fails the whole poll is `Later`, and the old cursor gives all of it again."""
    ids = [small_x.world.post("ada", f"@{BOT} {number}") for number in range(150)]
    x.account()
    small_x.faults.add(Fault(FaultKind.DELAY, *MENTIONS, seconds=0), Fault(FaultKind.CUT, *MENTIONS))
    with pytest.raises(Later):
        x.fetch(Source.X_MENTIONS, None)
    assert [item.item_id for item in mentions(x)] == ids


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
        (item,) = mentions(x)
        asked = Selfie(1, item, Status.REPLYING, 1, datetime.now(UTC))
        assert item.photo_url is not None
        assert x.find_reply(asked, ANSWER) is None
        assert x.reply(asked, ANSWER) == x.find_reply(asked, ANSWER)
        assert len(world.replies_to(tweet_id)) == 1
