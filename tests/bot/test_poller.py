from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from bot.brakes import Action
from bot.dispatch import Dispatcher
from bot.platforms.base import Broken, Forbidden, Later, Page
from bot.poller import LONGEST_PAUSE, Poller
from bot.selfie import Source, Status
from tests.bot.rig import STALE, Rig, queue_that_is_away
from tests.fakes import NOON, FakePlatform, FakeStop, make_item

X = Source.X_MENTIONS
HASHTAG, MESSAGES = Source.INSTAGRAM_HASHTAG, Source.INSTAGRAM_MESSAGES
MINUTE = timedelta(minutes=1)
EVERY = {X: MINUTE, HASHTAG: 5 * MINUTE, MESSAGES: 2 * MINUTE}


def make_poller(rig: Rig, dispatcher: Dispatcher | None = None) -> Poller:
    return Poller(rig.platform, rig.records, dispatcher or rig.dispatcher, rig.clock, EVERY)


def on_instagram(rig: Rig) -> Rig:
    rig.platform = FakePlatform("instagram", [HASHTAG, MESSAGES])
    return rig


def test_what_is_new_goes_on(rig: Rig) -> None:
    """Written down, then dispatched; the next poll asks with the page's cursor."""
    rig.platform.pages[X] = [Page([make_item("1"), make_item("2", photo_url=None)], "2")]
    poller = make_poller(rig)
    assert [selfie.item.item_id for selfie in poller.poll(X)] == ["1", "2"]
    assert rig.records.counts() == {Status.QUEUED: 1, Status.REFUSED: 1}
    assert poller.poll(X) == []
    assert rig.platform.fetched == [(X, None), (X, "2")]
    rig.live_on()
    assert sorted(item_id for item_id, _ in rig.platform.posted) == ["1", "2"]


def test_what_comes_again_is_not_sent_again(rig: Rig) -> None:
    """A source without a cursor brings the same items every time."""
    page = Page([make_item("1")], None)
    rig.platform.pages[X] = [page, page]
    poller = make_poller(rig)
    assert len(poller.poll(X)) == 1
    assert poller.poll(X) == []


def test_a_crash_after_writing_down_is_healed(rig: Rig) -> None:
    """The sweeper sends on what the poller could not."""
    rig.platform.pages[X] = [Page([make_item("1"), make_item("2"), make_item("3", photo_url=None)], "3")]
    make_poller(rig, Dispatcher(queue_that_is_away(), rig.records)).poll_due()
    assert rig.records.counts() == {Status.QUEUED: 1, Status.SEEN: 2}
    rig.clock.pass_by(STALE + MINUTE)
    rig.sweep()
    rig.live_on()
    assert sorted(item_id for item_id, _ in rig.platform.posted) == ["1", "2", "3"]


def test_each_source_has_its_own_interval(rig: Rig) -> None:
    """And the loop sleeps until the next one's time."""
    poller = make_poller(on_instagram(rig))
    stop = FakeStop(rig.clock, waits=4)
    poller.run(stop)
    assert stop.waited == [120, 120, 60, 60]
    assert [source for source, _ in rig.platform.fetched] == [HASHTAG, MESSAGES, MESSAGES, MESSAGES, HASHTAG]


def test_one_failing_source_does_not_stop_another(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """The failing one is asked ever more slowly, and said once."""
    on_instagram(rig).platform.fails["fetch"] = [Later("timed out")]
    with caplog.at_level(logging.INFO):
        make_poller(rig).run(FakeStop(rig.clock, waits=4))
    assert [source for source, _ in rig.platform.fetched] == [HASHTAG, MESSAGES, MESSAGES, MESSAGES, HASHTAG]
    assert "timed out" in caplog.text
    assert "instagram.hashtag works again" in caplog.text


def test_pauses_double_up_to_a_limit(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """And a poll that works brings the interval back."""
    rig.platform.fails["fetch"] = [Later("timed out")] * 6
    stop = FakeStop(rig.clock, waits=8)
    with caplog.at_level(logging.WARNING):
        make_poller(rig).run(stop)
    limit = LONGEST_PAUSE.total_seconds()
    assert stop.waited == [60, 120, 240, 480, limit, limit, 60, 60]
    assert len(caplog.records) == 1


def test_a_rate_limit_is_waited_out(rig: Rig) -> None:
    """Nothing is fetched before the platform's time."""
    rig.platform.fails["fetch"] = [Later("rate limit", NOON + 3 * MINUTE)]
    make_poller(rig).run(FakeStop(rig.clock, waits=4))
    assert len(rig.platform.fetched) == 2


def test_broken_waits_for_a_person(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads how to go on; after that, polling does."""
    rig.platform.fails["fetch"] = [Broken("wrong credentials: check X_API_KEY")]
    poller = make_poller(rig)
    poller.run(FakeStop(rig.clock, waits=9))
    assert len(rig.platform.fetched) == 1
    assert "X_API_KEY" in caplog.text
    assert "selfai resume x" in caplog.text
    assert rig.records.brakes.on("x", Action.REPLY) is None
    rig.records.brakes.release("x")
    poller.run(FakeStop(rig.clock, waits=2))
    assert len(rig.platform.fetched) == 3


def test_a_brake_on_answers_does_not_hold_polls(rig: Rig) -> None:
    """Each action has its own."""
    rig.records.brakes.pull("x", Action.REPLY, None, "rate limit")
    make_poller(rig).run(FakeStop(rig.clock, waits=1))
    assert len(rig.platform.fetched) == 1


@pytest.mark.parametrize("error", [Forbidden("no"), RuntimeError("our mistake")])
def test_no_error_ends_the_loop(rig: Rig, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a platform brings."""
    rig.platform.fails["fetch"] = [error]
    make_poller(rig).run(FakeStop(rig.clock, waits=2))
    assert len(rig.platform.fetched) == 2
    assert str(error) in caplog.text


def test_the_loop_outlasts_the_queue(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """It names the setting, once, and what came in is kept."""
    rig.platform.pages[X] = [Page([make_item(str(number))], None) for number in range(3)]
    with caplog.at_level(logging.WARNING):
        make_poller(rig, Dispatcher(queue_that_is_away(), rig.records)).run(FakeStop(rig.clock, waits=3))
    assert ["REDIS_URL" in record.message for record in caplog.records] == [True]
    assert sum(rig.records.counts().values()) == 3


def test_the_loop_outlasts_the_database(rig: Rig, database: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """It names the setting, once; when the database is back, polling goes on."""
    poller = make_poller(rig)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE brakes RENAME TO away"))
    with caplog.at_level(logging.WARNING):
        poller.run(FakeStop(rig.clock, waits=3))
    assert ["DATABASE_URL" in record.message for record in caplog.records] == [True]
    assert rig.platform.fetched == []
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO brakes"))
    poller.run(FakeStop(rig.clock, waits=1))
    assert len(rig.platform.fetched) == 1


def test_a_brake_that_cannot_be_written_is_no_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Platform and database fail together: the poller goes on, slowly."""

    def away(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("no connection"))

    monkeypatch.setattr(rig.records.brakes, "pull", away)
    rig.platform.fails["fetch"] = [Broken("challenge")] * 3
    stop = FakeStop(rig.clock, waits=3)
    make_poller(rig).run(stop)
    assert stop.waited == [60, 120, 240]
    assert "DATABASE_URL" in caplog.text


def test_stopping_is_prompt(rig: Rig) -> None:
    """However long the interval is."""
    stop = threading.Event()
    thread = threading.Thread(target=make_poller(rig).run, args=(stop,))
    thread.start()
    start = time.monotonic()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - start < 5
