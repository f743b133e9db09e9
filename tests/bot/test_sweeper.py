from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from bot.brakes import Action
from bot.dispatch import Dispatcher
from bot.selfie import Status
from bot.sweeper import MOST_ATTEMPTS, Sweeper, Swept
from bot.wording import REFUSALS
from tests.bot.rig import STALE, Rig, queue_that_is_away
from tests.fakes import FakeStop, make_item
from worker.messages import Refusal

LONG = STALE + timedelta(seconds=1)


def test_what_moves_is_left_alone(rig: Rig) -> None:
    """Fresh rows, and old ones whose job waits."""
    rig.see(make_item("1"))
    rig.queue(make_item("2"))
    rig.settle(make_item("3"))
    assert rig.sweep() == Swept(0, 0, 0)


def test_what_was_seen_is_dispatched(rig: Rig) -> None:
    """After a crash between writing it down and sending it on."""
    rig.see(make_item("1"))
    rig.see(make_item("2", photo_url=None))
    rig.clock.pass_by(LONG)
    assert rig.sweep().dispatched == 2
    assert rig.records.counts() == {Status.QUEUED: 1, Status.REFUSED: 1}
    assert rig.sweep() == Swept(0, 0, 0)


def test_a_waiting_job_is_left_alone(rig: Rig) -> None:
    """However long: the worker may be off, and asking twice helps nobody."""
    rig.queue()
    rig.clock.pass_by(timedelta(days=1))
    assert rig.sweep().rescored == 0


def test_a_lost_job_is_enqueued_again(rig: Rig) -> None:
    """As the same attempt, since it was never tried."""
    selfie = rig.queue()
    rig.connection.flushall()
    rig.clock.pass_by(LONG)
    assert rig.sweep().rescored == 1
    assert rig.get(selfie.id).attempt == 1
    assert rig.sweep().rescored == 0
    rig.work()
    assert [request.attempt for request in rig.scored] == [1]


def test_a_waiting_result_is_not_scored_again(rig: Rig) -> None:
    """The responder was off for long: its queue holds what we need."""
    rig.queue()
    rig.work()
    rig.clock.pass_by(timedelta(days=1))
    assert rig.sweep().rescored == 0


def test_after_failed_attempts_we_say_sorry(rig: Rig) -> None:
    """Each attempt is several runs; the person hears of it once."""
    selfie = rig.queue()
    rig.worker_fails = True
    for attempt in range(1, MOST_ATTEMPTS + 1):
        rig.work()
        assert rig.scored[-1].attempt == attempt
        rig.clock.pass_by(LONG)
        assert rig.sweep().rescored == 1
    assert rig.get(selfie.id).refusal is Refusal.TROUBLE
    rig.live_on()
    assert [REFUSALS[Refusal.TROUBLE] in answer.text for _, answer in rig.platform.posted] == [True]


def test_answers_are_tried_again(rig: Rig) -> None:
    """Forgotten ones, and those whose lease or pause is over."""
    rig.settle(make_item("1"))
    rig.claim(rig.settle(make_item("2")))
    rig.clock.pass_by(LONG)
    assert rig.sweep().answered == 2
    rig.respond()
    assert sorted(item_id for item_id, _ in rig.platform.posted) == ["1", "2"]


def test_answers_wait_while_a_brake_is_on(rig: Rig) -> None:
    """Nothing is enqueued only to be put back; scoring goes on."""
    rig.settle()
    rig.see(make_item("2"))
    rig.records.brakes.pull("x", Action.REPLY, None, "challenge")
    rig.clock.pass_by(LONG)
    assert rig.sweep() == Swept(1, 0, 0)
    rig.records.brakes.release("x")
    assert rig.sweep().answered == 1


def test_a_brake_on_polling_does_not_hold_answers(rig: Rig) -> None:
    """Each action has its own."""
    rig.settle()
    rig.records.brakes.pull("x", Action.FETCH, None, "challenge")
    rig.clock.pass_by(LONG)
    assert rig.sweep().answered == 1


def test_the_loop_outlasts_the_queue(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """It says once that it is away, goes on, and ends when told."""
    rig.see()
    rig.clock.pass_by(LONG)
    sweeper = Sweeper(rig.records, Dispatcher(queue_that_is_away(), rig.records), STALE)
    stop = FakeStop(rig.clock, waits=4)
    with caplog.at_level(logging.ERROR):
        sweeper.run(stop, timedelta(seconds=200))
    assert stop.waited == [200.0] * 4
    assert ["REDIS_URL" in record.message for record in caplog.records] == [True]


def test_the_loop_sweeps(rig: Rig) -> None:
    """And finds work."""
    selfie = rig.see()
    rig.clock.pass_by(LONG)
    Sweeper(rig.records, rig.dispatcher, STALE).run(FakeStop(rig.clock, waits=1), STALE)
    assert rig.get(selfie.id).status is Status.QUEUED


def test_no_error_ends_the_loop(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even one of ours."""
    sweeper = Sweeper(rig.records, rig.dispatcher, STALE)

    def break_down() -> Swept:
        raise RuntimeError("our mistake")

    monkeypatch.setattr(sweeper, "sweep", break_down)
    stop = FakeStop(rig.clock, waits=2)
    sweeper.run(stop, STALE)
    assert len(stop.waited) == 2
    assert "our mistake" in caplog.text
