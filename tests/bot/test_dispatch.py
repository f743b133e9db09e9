from __future__ import annotations

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer

from bot.selfie import Status
from bot.wording import REFUSALS
from tests.bot.rig import Rig, queue_that_is_away
from tests.fakes import make_item
from worker.messages import SCORE_SELFIE, Refusal, ScoreRequest
from worker.serving import Standing


def test_a_selfie_goes_to_the_worker(rig: Rig) -> None:
    """One job with the request, under the id that the request gives it."""
    selfie = rig.queue()
    assert (selfie.status, selfie.attempt) == (Status.QUEUED, 1)
    request = ScoreRequest(selfie.id, 1, "https://pictures.example/1.jpg")
    job = Job.fetch(request.job_id, connection=rig.connection, serializer=JSONSerializer)
    assert (job.func_name, job.args, job.origin) == (SCORE_SELFIE, [request.to_json()], "selfies")
    assert rig.dispatcher.progress(selfie) is Standing.PENDING


def test_a_selfie_without_a_photo_is_refused_at_once(rig: Rig) -> None:
    """No worker is bothered, and the kind line goes out."""
    selfie = rig.queue(make_item(photo_url=None))
    assert selfie.status is Status.REFUSED
    assert selfie.refusal is Refusal.NO_PHOTO
    rig.work()
    rig.respond()
    assert rig.scored == []
    assert [
        (item_id, REFUSALS[Refusal.NO_PHOTO] in answer.text) for item_id, answer in rig.platform.posted
    ] == [("1", True)]


def test_a_selfie_is_sent_on_once(rig: Rig) -> None:
    """A second dispatch of the same finding changes nothing."""
    selfie = rig.see()
    rig.dispatcher.dispatch(selfie)
    rig.connection.flushall()
    rig.dispatcher.dispatch(selfie)
    assert rig.connection.keys() == []


def test_a_photoless_selfie_cannot_be_scored(rig: Rig) -> None:
    """That would be our mistake."""
    with pytest.raises(ValueError, match="no photo"):
        rig.dispatcher.score(rig.see(make_item(photo_url=None)), 1)


def test_a_queue_that_is_away_is_said(rig: Rig) -> None:
    """The row is written first: the sweeper finds it."""
    selfie = rig.see()
    rig.connection = queue_that_is_away()
    with pytest.raises(redis.RedisError):
        rig.dispatcher.dispatch(selfie)
    assert rig.get(selfie.id).status is Status.QUEUED
