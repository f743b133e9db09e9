from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.brakes import Action
from bot.platforms.base import Broken, Forbidden, Gone, Later, PlatformError
from bot.responder import LEASE, LONGEST_PAUSE, MOST_TRIES
from bot.selfie import Selfie, Status
from bot.wording import REFUSALS
from tests.bot.rig import PICTURE, Rig, outbox
from tests.fakes import NOON, make_item
from worker.messages import Refusal, ScoreResult
from worker.serving import JOB_SECONDS


def test_a_score_is_recorded_and_answered(rig: Rig, database: Engine) -> None:
    """Score and crop go out once, and the outbox is empty after that."""
    selfie = rig.queue()
    rig.responder.handle_result(rig.result(selfie.id).to_json())
    after = rig.get(selfie.id)
    assert (after.status, after.reply_id) == (Status.REPLIED, "reply-0")
    assert (after.score, after.plus_minus) == (6.3, 0.9)
    [(item_id, answer)] = rig.platform.posted
    assert (item_id, answer.picture) == ("1", PICTURE)
    assert "6.3 of 9, give or take 0.9." in answer.text
    assert outbox(database) == []


def test_an_older_workers_score_is_answered(rig: Rig) -> None:
    """It sends no plus-minus, so none is told."""
    selfie = rig.queue()
    older = rig.result(selfie.id).to_json()
    del older["plus_minus"]
    rig.responder.handle_result(older)
    assert (rig.get(selfie.id).score, rig.get(selfie.id).plus_minus) == (6.3, None)
    assert "6.3 of 9." in rig.platform.posted[0][1].text


def test_a_refusal_is_recorded_and_said(rig: Rig) -> None:
    """In kind words, without a picture."""
    selfie = rig.queue()
    result = ScoreResult(selfie.id, 1, refusal=Refusal.NO_FACE)
    rig.responder.handle_result(result.to_json())
    after = rig.get(selfie.id)
    assert (after.status, after.refusal, after.score) == (Status.REPLIED, Refusal.NO_FACE, None)
    assert REFUSALS[Refusal.NO_FACE] in rig.platform.posted[0][1].text


def test_late_duplicates_change_nothing(rig: Rig) -> None:
    """Neither the record nor the answer, whether an old attempt's or the same one's."""
    selfie = rig.queue()
    rig.dispatcher.score(selfie, 2)
    rig.responder.handle_result(rig.result(selfie.id, attempt=1).to_json())
    for attempt in (1, 2):
        late = replace(rig.result(selfie.id, attempt), score=1.0)
        rig.responder.handle_result(late.to_json())
    assert rig.get(selfie.id).score == 6.3
    assert len(rig.platform.posted) == 1


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda message: {key: value for key, value in message.items() if key != name}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: None,
        lambda _: "score",
        lambda _: [1, 2],
        lambda _: {},
        _without("selfie_id"),
        _without("score"),
        _without("refusal"),
        lambda message: message | {"selfie_id": "1; DROP TABLE selfies"},
        lambda message: message | {"selfie_id": 2**80},
        lambda message: message | {"selfie_id": 404},
        lambda message: message | {"attempt": None},
        lambda message: message | {"faces": "many"},
        lambda message: message | {"score": "high"},
        lambda message: message | {"score": float("nan")},
        lambda message: message | {"plus_minus": "little"},
        lambda message: message | {"plus_minus": float("inf")},
        lambda message: message | {"score": None},
        lambda message: message | {"refusal": "no_face"},
        lambda message: message | {"refusal": "ugly", "score": None},
        lambda message: message | {"picture": "not base64!"},
        lambda message: message | {"crop": [1, 2]},
        lambda message: message | {"more": 1},
    ],
)
def test_a_malformed_result_is_logged(
    rig: Rig, spoil: Callable[[dict[str, Any]], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """It is not believed, and it does not stop the responder."""
    selfie = rig.queue()
    with caplog.at_level(logging.ERROR):
        rig.responder.handle_result(spoil(rig.result(selfie.id).to_json()))
    assert len(caplog.records) == 1
    assert rig.get(selfie.id).status is Status.QUEUED
    assert rig.platform.posted == []


@pytest.mark.parametrize("selfie_id", [None, "1", 404, [1]])
def test_a_malformed_request_to_answer_is_logged(
    rig: Rig, selfie_id: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The same."""
    with caplog.at_level(logging.ERROR):
        rig.responder.answer_selfie(selfie_id)
    assert len(caplog.records) == 1


def seconds_until_tried(rig: Rig, selfie: Selfie) -> float:
    """How long it takes until the answer is tried again."""
    before, tries = rig.clock.now(), len(rig.platform.found)
    while len(rig.platform.found) == tries:
        rig.clock.pass_by(timedelta(seconds=10))
        rig.responder.answer_selfie(selfie.id)
    return (rig.clock.now() - before).total_seconds()


@pytest.mark.parametrize("method", ["find_reply", "reply"])
def test_later_without_a_time_is_tried_ever_more_slowly(rig: Rig, method: str) -> None:
    """Pauses double; other people's answers go on."""
    selfie, other = rig.settle(make_item("1")), rig.settle(make_item("2"))
    rig.platform.fails[method] = [Later("timed out")] * 3
    rig.responder.answer_selfie(selfie.id)
    assert [seconds_until_tried(rig, selfie) for _ in range(3)] == [30, 60, 120]
    rig.responder.answer_selfie(other.id)
    assert [item_id for item_id, _ in rig.platform.posted] == ["1", "2"]


def test_later_with_a_time_cools_the_platform(rig: Rig) -> None:
    """Nobody posts there until then; after that all do."""
    first, second = rig.settle(make_item("1")), rig.settle(make_item("2"))
    rig.platform.fails["reply"] = [Later("rate limit", NOON + timedelta(minutes=15))]
    rig.responder.answer_selfie(first.id)
    rig.responder.answer_selfie(second.id)
    assert len(rig.platform.found) == 1
    assert rig.get(second.id).status is Status.SCORED
    rig.clock.pass_by(timedelta(minutes=15))
    rig.live_on()
    assert len(rig.platform.posted) == 2


def test_later_with_a_time_that_is_over_is_tried_ever_more_slowly(rig: Rig) -> None:
    """The platform's clock may be behind ours: no tries in quick succession."""
    selfie = rig.settle()
    rig.platform.fails["reply"] = [Later("rate limit", NOON - timedelta(seconds=20))] * 2
    rig.responder.answer_selfie(selfie.id)
    assert [seconds_until_tried(rig, selfie) for _ in range(2)] == [30, 60]
    assert len(rig.platform.posted) == 1


@pytest.mark.parametrize("error", [Forbidden("the author has blocked us"), Gone("the post is deleted")])
def test_what_cannot_be_answered_is_given_up(rig: Rig, error: PlatformError, database: Engine) -> None:
    """Once and for all, with the reason kept for the operator."""
    selfie = rig.settle()
    rig.platform.fails["reply"] = [error]
    rig.responder.answer_selfie(selfie.id)
    after = rig.get(selfie.id)
    assert after.status is Status.FAILED
    assert str(error) in (after.reason or "")
    assert outbox(database) == []
    rig.clock.pass_by(timedelta(days=1))
    assert rig.sweep().answered == 0


def test_a_deleted_posts_author_is_not_kept(rig: Rig) -> None:
    """Deleted there, deleted here."""
    selfie = rig.settle()
    rig.platform.fails["find_reply"] = [Gone("the post is deleted")]
    rig.responder.answer_selfie(selfie.id)
    assert rig.get(selfie.id).item.author_name == ""


def test_broken_waits_for_a_person(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """The platform is left alone until it is resumed; then the answer goes out."""
    selfie = rig.settle()
    rig.platform.fails["reply"] = [Broken("wrong credentials: check X_ACCESS_TOKEN")]
    rig.responder.answer_selfie(selfie.id)
    assert "selfai resume x" in caplog.text
    rig.clock.pass_by(timedelta(days=1))
    rig.responder.answer_selfie(selfie.id)
    assert len(rig.platform.found) == 1
    assert rig.records.brakes.on("x", Action.REPLY) is not None
    rig.records.brakes.release("x")
    rig.live_on()
    assert len(rig.platform.posted) == 1


def test_after_many_tries_an_answer_is_given_up(rig: Rig) -> None:
    """A platform that never takes it is not bothered for ever."""
    selfie = rig.settle()
    rig.platform.fails["reply"] = [Later("server error")] * (MOST_TRIES + 9)
    for _ in range(MOST_TRIES + 9):
        rig.responder.answer_selfie(selfie.id)
        rig.clock.pass_by(LONGEST_PAUSE)
    assert len(rig.platform.found) == MOST_TRIES
    assert rig.get(selfie.id).status is Status.FAILED


def test_an_error_of_ours_is_tried_again_but_not_for_ever(rig: Rig) -> None:
    """An adapter that lets something leak costs one answer, and no second one goes out."""
    selfie = rig.settle()
    rig.platform.fails["reply"] = [RuntimeError("leaked")] * (MOST_TRIES + 9)
    for _ in range(MOST_TRIES):
        with pytest.raises(RuntimeError):
            rig.responder.answer_selfie(selfie.id)
        rig.responder.answer_selfie(selfie.id)
        rig.clock.pass_by(LEASE)
    rig.responder.answer_selfie(selfie.id)
    assert rig.get(selfie.id).status is Status.FAILED
    assert rig.platform.posted == []


def test_a_platform_that_is_off_keeps_its_answers(rig: Rig) -> None:
    """They wait until it is on again."""
    selfie = rig.settle()
    responder = rig.responder
    responder._platforms = {}
    responder.answer_selfie(selfie.id)
    assert rig.get(selfie.id).status is Status.SCORED


def test_a_forgotten_selfie_is_not_answered(rig: Rig) -> None:
    """Whoever asks to be forgotten hears no more from us."""
    selfie = rig.settle()
    rig.records.forget("x", selfie.item.author_id)
    rig.responder.answer_selfie(selfie.id)
    rig.responder.handle_result(rig.result(selfie.id).to_json())
    assert rig.platform.posted == []


def test_a_job_ends_before_its_lease() -> None:
    """Or two responders might post at once."""
    assert timedelta(seconds=JOB_SECONDS) < LEASE


def test_keys_are_the_same_for_every_try(rig: Rig) -> None:
    """Adapters derive their idempotency tokens from it."""
    selfie = rig.queue()
    rig.platform.fails["reply"] = [Later("timed out")]
    rig.responder.handle_result(rig.result(selfie.id).to_json())
    rig.live_on()
    assert rig.platform.found == ["selfai-x-1", "selfai-x-1"]
