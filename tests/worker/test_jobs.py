"""The worker's job, and the process that serves it."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from tests.worker.conftest import hopper_file
from tests.worker.test_download import QUICK, Host, host, says
from worker.download import DownloadError
from worker.jobs import Parts, hand_over, score_selfie, work
from worker.messages import HANDLE_RESULT, REPLIES, SCORE_SELFIE, SELFIES, Refusal, ScoreRequest, ScoreResult
from worker.score import Judge
from worker.serving import connect, enqueue, serve
from worker.settings import WorkerSettings

__all__ = ["host"]


class Handed:
    """Keeps the results that the job hands over."""

    def __init__(self) -> None:
        self.results: list[ScoreResult] = []

    def __call__(self, result: ScoreResult) -> None:
        self.results.append(result)


@pytest.fixture
def handed() -> Handed:
    return Handed()


@pytest.fixture
def parts(judge: Judge, handed: Handed) -> Parts:
    """The job's parts, with results kept here."""
    return Parts(judge, QUICK, handed)


def ask(host: Host, path: str = "/a.jpg") -> dict[str, object]:
    """A request for a picture on the host, as it crosses the queue."""
    return ScoreRequest(7, 2, f"{host.url}{path}").to_json()


def test_a_portrait_is_scored(parts: Parts, handed: Handed, host: Host, hopper: bytes) -> None:
    """The result carries score, plus-minus, faces, crop and a picture to post, under the request's ids."""
    host.answers["/a.jpg"] = says(200, hopper)
    score_selfie(parts, ask(host))
    (result,) = handed.results
    assert (result.selfie_id, result.attempt, result.refusal, result.faces) == (7, 2, None, 1)
    assert result.score is not None and 0 <= result.score <= 9
    assert result.plus_minus is not None and 0.2 <= result.plus_minus <= 3
    assert result.crop_score is not None and result.crop is not None and result.picture is not None
    assert Image.open(io.BytesIO(result.picture)).format == "JPEG"
    assert ScoreResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_an_older_workers_result_is_read() -> None:
    """What stood on the queue before the plus-minus came has a score without one."""
    older = ScoreResult(7, 2, score=6.3).to_json()
    del older["plus_minus"]
    assert ScoreResult.from_json(older) == ScoreResult(7, 2, score=6.3)


def test_a_picture_gone_is_refused(parts: Parts, handed: Handed, host: Host) -> None:
    """A refusal is a result, not an error."""
    host.answers["/a.jpg"] = says(404)
    score_selfie(parts, ask(host))
    assert handed.results == [ScoreResult(7, 2, refusal=Refusal.GONE)]


def test_an_unreadable_picture_is_refused(parts: Parts, handed: Handed, host: Host) -> None:
    """So is what is no picture."""
    host.answers["/a.jpg"] = says(200, b"hello")
    score_selfie(parts, ask(host))
    assert handed.results == [ScoreResult(7, 2, refusal=Refusal.NOT_A_PICTURE)]


def test_trouble_on_the_way_is_raised(parts: Parts, handed: Handed, host: Host) -> None:
    """The queue shall try again; nothing is handed over yet."""
    host.answers["/a.jpg"] = says(503)
    with pytest.raises(DownloadError):
        score_selfie(parts, ask(host))
    assert handed.results == []


def test_the_log_holds_nothing_personal(
    parts: Parts, host: Host, hopper: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One line a job: ids, outcome and time; no address of a picture."""
    host.answers["/a.jpg?signature=secret"] = says(200, hopper)
    with caplog.at_level(logging.INFO, "worker"):
        score_selfie(parts, ask(host, "/a.jpg?signature=secret"))
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("worker")]
    assert line.startswith("selfie 7, attempt 2: scored in ")
    assert "http" not in line


def test_a_result_is_handed_over_once(redis_connection: redis.Redis) -> None:
    """Handing over again, as a retried job does, leaves one job for the bot, in JSON."""
    result = ScoreResult(7, 2, score=6.3, picture=b"jpeg")
    hand_over(redis_connection, result)
    hand_over(redis_connection, result)
    (job,) = Queue(REPLIES, connection=redis_connection, serializer=JSONSerializer).jobs
    assert job.func_name == HANDLE_RESULT
    assert job.id == "reply-7-2"
    assert base64.b64decode(job.args[0]["picture"]) == b"jpeg"


@pytest.fixture
def serving(redis_url: str, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """`selfai work` running in a thread, ended by its stop event."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    stop, ready = threading.Event(), threading.Event()
    monkeypatch.setattr("worker.jobs.serve", partial(serve, stop=stop))
    thread = threading.Thread(target=work, args=(WorkerSettings(weights=weights), lambda _: ready.set()))
    thread.start()
    assert ready.wait(30)
    yield connect(redis_url)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_work_serves_the_queue(serving: redis.Redis, host: Host, hopper: bytes) -> None:
    """A request on the queue becomes a result on the bot's queue, over real Redis and RQ."""
    host.answers["/a.jpg"] = says(200, hopper)
    request = ScoreRequest(8, 1, f"{host.url}/a.jpg")
    enqueue(serving, SELFIES, SCORE_SELFIE, request.to_json(), job_id=request.job_id)
    found = serving.blmove("rq:queue:replies", "seen", 30, "LEFT", "LEFT")
    assert found == b"reply-8-1"
    job = Job.fetch("reply-8-1", connection=serving, serializer=JSONSerializer)
    assert ScoreResult.from_json(job.args[0]).score is not None


PORTRAIT = hopper_file().read_bytes()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_picture_gives_an_answer(judge: Judge, data: st.DataObject) -> None:
    """Damaged bytes are scored or refused; they never break the worker."""
    damaged = bytearray(PORTRAIT[: data.draw(st.integers(0, len(PORTRAIT)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=5)):
        if damaged:
            damaged[place] ^= data.draw(st.integers(1, 255))
    answer = judge.score(bytes(damaged))
    if not isinstance(answer, Refusal):
        judge.crop(answer.aligned)
