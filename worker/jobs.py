"""The worker's one job, from a score request to a score result, and the process that serves it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis

from worker.download import Limits, download
from worker.messages import (
    HANDLE_RESULT,
    REPLIES,
    SCORE_SELFIE,
    SELFIES,
    Refusal,
    ScoreRequest,
    ScoreResult,
    queue_url,
)
from worker.render import render
from worker.score import Judge
from worker.serving import STARTING_SECONDS, connect, enqueue, serve
from worker.settings import WorkerSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """What the job works with."""

    judge: Judge
    limits: Limits
    hand_over: Callable[[ScoreResult], None]


def score_selfie(parts: Parts, message: Mapping[str, Any]) -> None:
    """Fetch, align, score, crop and render one selfie, and hand the result to the bot.

    Any picture gives a result, a refusal if need be. Raises, so that the queue tries again,
    where the picture could not be fetched now or the queue cannot be reached.
    """
    request = ScoreRequest.from_json(message)
    started = time.monotonic()
    result = _result(parts, request)
    parts.hand_over(result)
    log.info(
        "selfie %d, attempt %d: %s in %.2f s",
        request.selfie_id,
        request.attempt,
        result.refusal or "scored",
        time.monotonic() - started,
    )


def _result(parts: Parts, request: ScoreRequest) -> ScoreResult:
    data = download(request.photo_url, parts.limits)
    scored = data if isinstance(data, Refusal) else parts.judge.score(data)
    if isinstance(scored, Refusal):
        return ScoreResult(request.selfie_id, request.attempt, refusal=scored)
    crop = parts.judge.crop(scored.aligned)
    return ScoreResult(
        request.selfie_id,
        request.attempt,
        score=scored.score,
        plus_minus=scored.plus_minus,
        faces=len(scored.aligned.faces),
        crop=crop.box,
        crop_score=crop.score,
        picture=render(scored.aligned.photo, crop.box, scored.score, scored.plus_minus),
    )


def hand_over(connection: redis.Redis, result: ScoreResult) -> None:
    """Put a result on the bot's queue; once, however often it is tried."""
    enqueue(connection, REPLIES, HANDLE_RESULT, result.to_json(), job_id=result.job_id)


def work(settings: WorkerSettings, ready: Callable[[Judge], None]) -> None:
    """Load the model once, call `ready`, and score selfies until SIGTERM.

    Raises QueueError, WeightsError or DeviceError, naming the setting or the file, if it cannot start.
    """
    url = queue_url()
    # A private socket is that of the embedded queue, which may be starting beside us.
    connection = connect(url, STARTING_SECONDS if url.startswith("unix:") else 0)
    judge = Judge.load(settings.weights, settings.device, settings.threads)
    judge.warm_up()
    ready(judge)
    parts = Parts(judge, Limits(bytes=settings.largest_download), partial(hand_over, connection))
    serve(connection, SELFIES, {SCORE_SELFIE: partial(score_selfie, parts)})
