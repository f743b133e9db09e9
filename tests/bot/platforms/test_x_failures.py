from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.platforms.base import Broken, Forbidden, Gone, Later, PlatformError
from bot.platforms.x import XPlatform
from bot.sandbox.background import serve_in_background
from bot.sandbox.faults import Fault, FaultKind, Faults
from bot.sandbox.pictures import Pictures
from bot.sandbox.x import make_app
from bot.sandbox.x_limits import Limits
from bot.sandbox.x_world import XWorld
from bot.selfie import Source
from tests.bot.platforms.x_setup import ANSWER, CREATE, IN_WORDS, MENTIONS, TIMELINE, platform, selfie
from tests.bot.sandbox.small_x import SmallX


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
    """The moment of the reset header, or of the day's limit if that is used up; an outage says none."""
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
    small_x.faults.add(Fault(FaultKind.STATUS, *MENTIONS, status=503, headers=headers))
    with pytest.raises(Later) as limited:
        x.fetch(Source.X_MENTIONS, "1")
    assert limited.value.until is None


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
