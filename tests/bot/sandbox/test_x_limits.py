from __future__ import annotations

from datetime import timedelta

import pytest
import tweepy

from tests.bot.sandbox.small_x import BOT, SmallX


def test_a_used_up_limit_is_429_until_the_window_ends(small_x: SmallX) -> None:
    """15 reads of direct messages in 15 minutes, counted down in the headers."""
    for left in reversed(range(15)):
        answer = small_x.ask("GET", "/2/dm_events")
        assert answer.headers["x-rate-limit-limit"] == "15"
        assert answer.headers["x-rate-limit-remaining"] == str(left)
    refused = small_x.ask("GET", "/2/dm_events")
    assert (refused.status_code, refused.json()["title"]) == (429, "Too Many Requests")
    seconds = int(refused.headers["x-rate-limit-reset"]) - small_x.watch.now().timestamp()
    assert 890 < seconds <= 900
    small_x.watch.ahead = timedelta(minutes=15, seconds=1)
    assert small_x.ask("GET", "/2/dm_events").status_code == 200


def test_limits_are_each_callers_own(small_x: SmallX) -> None:
    """One account's use leaves another's alone, and one route's another's."""
    for _ in range(16):
        used_up = small_x.ask("GET", "/2/dm_events")
    assert used_up.status_code == 429
    assert small_x.ask("GET", "/2/dm_events", "ada").status_code == 200
    assert small_x.ask("GET", "/2/users/me").headers["x-rate-limit-remaining"] == "74"


def test_refused_requests_count_too(small_x: SmallX) -> None:
    """An error answer shows the limit as well; tweepy finds the reset time there."""
    for _ in range(100):
        answer = small_x.ask("POST", "/2/tweets", json={})
        assert answer.status_code == 400 and "x-rate-limit-reset" in answer.headers
    with pytest.raises(tweepy.TooManyRequests) as refused:
        small_x.tweepy(BOT).create_tweet(text="one too many")
    assert refused.value.reset_time is not None
