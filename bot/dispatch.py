"""Sends selfies on: to the worker, or, where there is no photo, straight to the answer.

The database is written first and the queue second: what is lost between is picked up by the sweeper.
"""

from __future__ import annotations

import redis

from bot import wording
from bot.records import Records
from bot.selfie import Selfie, Status
from worker.messages import (
    ANSWER_SELFIE,
    REPLIES,
    SCORE_SELFIE,
    SELFIES,
    Refusal,
    ScoreRequest,
    ScoreResult,
)
from worker.serving import Standing, enqueue, standing


class Dispatcher:
    """Enqueues the bot's jobs. Its methods raise redis.RedisError when the queue is away."""

    def __init__(self, connection: redis.Redis, records: Records) -> None:
        self._connection = connection
        self._records = records

    def dispatch(self, selfie: Selfie) -> None:
        """Send a selfie that was just seen on its way."""
        if selfie.item.photo_url is None:
            self.refuse(selfie, Refusal.NO_PHOTO)
        else:
            self.score(selfie, attempt=1)

    def refuse(self, selfie: Selfie, refusal: Refusal) -> None:
        """Record a refusal that needed no worker, and have it said."""
        answer = wording.refused(selfie, refusal)
        settle = self._records.outbox.settle
        if settle(selfie.id, selfie.status, Status.REFUSED, answer, refusal=refusal.value):
            self.answer(selfie.id)

    def score(self, selfie: Selfie, attempt: int) -> None:
        """Ask the worker for a score; `attempt` is the selfie's own for asking again, or the next."""
        if selfie.item.photo_url is None:
            raise ValueError(f"selfie {selfie.id} has no photo")
        if self._records.step(selfie.id, [selfie.status], Status.QUEUED, attempt=attempt):
            request = ScoreRequest(selfie.id, attempt, selfie.item.photo_url)
            enqueue(self._connection, SELFIES, SCORE_SELFIE, request.to_json(), job_id=request.job_id)

    def answer(self, selfie_id: int) -> None:
        """Have the selfie's stored answer posted."""
        enqueue(self._connection, REPLIES, ANSWER_SELFIE, selfie_id, job_id=f"answer-{selfie_id}")

    def progress(self, selfie: Selfie) -> Standing:
        """How the scoring of a queued selfie stands: its score job, and the job that brings the result."""
        ids = [
            ScoreRequest(selfie.id, selfie.attempt, "").job_id,
            ScoreResult(selfie.id, selfie.attempt).job_id,
        ]
        found = standing(self._connection, ids)
        for worst in (Standing.PENDING, Standing.FAILED):
            if worst in found:
                return worst
        return Standing.ABSENT
