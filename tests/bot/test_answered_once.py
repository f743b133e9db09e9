"""Whatever races, crashes and gets lost: every selfie is answered, and none twice."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from bot.platforms.base import Later
from bot.selfie import Status
from tests.bot.rig import Rig, outbox
from tests.fakes import make_item, run_together


def test_two_responders_post_once(rig: Rig) -> None:
    """Both get the same result at the same moment."""
    selfie = rig.queue()
    message = rig.result(selfie.id).to_json()
    run_together(2, lambda: rig.responder.handle_result(message))
    rig.live_on()
    assert len(rig.platform.posted) == 1
    assert rig.get(selfie.id).reply_id == "reply-0"


def test_two_responders_post_a_waiting_answer_once(rig: Rig) -> None:
    """Both are asked to answer the same selfie at the same moment."""
    selfie = rig.settle()
    run_together(4, lambda: rig.responder.answer_selfie(selfie.id))
    assert len(rig.platform.posted) == 1


class Killed(BaseException):
    """The process ends here."""


def test_a_crash_between_claim_and_post(rig: Rig) -> None:
    """The lease runs out, and the next one posts."""
    selfie = rig.settle()

    def die() -> None:
        raise Killed

    rig.platform.before_reply = die
    with pytest.raises(Killed):
        rig.responder.answer_selfie(selfie.id)
    rig.platform.before_reply = lambda: None
    rig.responder.answer_selfie(selfie.id)
    assert rig.platform.posted == []
    rig.live_on()
    assert len(rig.platform.posted) == 1
    assert rig.get(selfie.id).status is Status.REPLIED


def test_a_crash_between_post_and_record(rig: Rig, monkeypatch: pytest.MonkeyPatch, database: Engine) -> None:
    """The next one finds the answer standing, and only records it."""
    selfie = rig.settle()

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(rig.records.outbox, "posted", die)
        with pytest.raises(Killed):
            rig.responder.answer_selfie(selfie.id)
    rig.live_on()
    assert len(rig.platform.posted) == 1
    assert rig.get(selfie.id).reply_id == "reply-0"
    assert outbox(database) == []


def test_an_answer_that_went_out_unheard(rig: Rig) -> None:
    """The platform took it and the line was cut: it is found, not repeated."""
    selfie = rig.settle()
    rig.platform.loses_answers = Later("the answer was cut off")
    rig.responder.answer_selfie(selfie.id)
    assert rig.get(selfie.id).status is Status.REPLYING
    rig.live_on()
    assert len(rig.platform.posted) == 1
    assert rig.get(selfie.id).status is Status.REPLIED


@pytest.mark.parametrize("stage", range(6))
@pytest.mark.parametrize("photo_url", ["https://pictures.example/1.jpg", None])
def test_the_queue_may_lose_everything_at_any_moment(rig: Rig, stage: int, photo_url: str | None) -> None:
    """And every selfie is still answered once."""
    item = make_item(photo_url=photo_url)
    stages = [
        lambda: rig.see(item),
        lambda: rig.dispatcher.dispatch(rig.records.recent(1)[0]),
        rig.work,
        rig.respond,
        rig.sweep,
        rig.work,
    ]
    for number, do in enumerate(stages):
        do()
        if number == stage:
            rig.connection.flushall()
    rig.live_on()
    assert [item_id for item_id, _ in rig.platform.posted] == ["1"]
