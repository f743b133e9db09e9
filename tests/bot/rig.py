"""The bot's parts put together around fakes, with a queue and a database that are real."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, select

from bot import tables
from bot.dispatch import Dispatcher
from bot.outbox import Claim
from bot.platforms.base import Page
from bot.records import Records
from bot.responder import Responder
from bot.selfie import FINAL, Answer, Item, Selfie, Status
from bot.sweeper import Sweeper, Swept
from tests.fakes import FakeClock, FakePlatform, make_item
from worker.messages import HANDLE_RESULT, REPLIES, SCORE_SELFIE, SELFIES, ScoreRequest, ScoreResult
from worker.serving import enqueue, serve

STALE = timedelta(seconds=120)
PICTURE = b"\xff\xd8 a crop"


def queue_that_is_away() -> redis.Redis:
    """Nobody listens there; says so at once."""
    return redis.Redis(port=1, retry=Retry(NoBackoff(), 0))


def outbox(database: Engine) -> list[int]:
    """Ids of the selfies whose answers stand there."""
    with database.begin() as connection:
        return list(connection.scalars(select(tables.answers.c.selfie_id)))


@dataclass
class Rig:
    """One of everything."""

    connection: redis.Redis
    records: Records
    clock: FakeClock
    platform: FakePlatform = field(default_factory=FakePlatform)
    scored: list[ScoreRequest] = field(default_factory=list)
    worker_fails: bool = False

    @property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher(self.connection, self.records)

    @property
    def responder(self) -> Responder:
        return Responder(self.records, {self.platform.name: self.platform}, self.clock)

    def see(self, item: Item | None = None) -> Selfie:
        """An item that was written down and no more."""
        item = item or make_item()
        return self.records.add_page(item.source, Page([item], item.item_id))[0]

    def queue(self, item: Item | None = None) -> Selfie:
        """An item that was sent on."""
        selfie = self.see(item)
        self.dispatcher.dispatch(selfie)
        return self.get(selfie.id)

    def settle(self, item: Item | None = None) -> Selfie:
        """An item whose answer stands in the outbox."""
        selfie = self.queue(item)
        answer = Answer(f"key-{selfie.item.item_id}", "6.3 of 9.", PICTURE, "A crop.")
        assert self.records.outbox.settle(selfie.id, Status.QUEUED, Status.SCORED, answer, score=6.3)
        return self.get(selfie.id)

    def claim(self, selfie: Selfie, lease: timedelta = STALE) -> Claim:
        claim = self.records.outbox.claim(selfie.id, lease)
        assert claim is not None
        return claim

    def get(self, selfie_id: int) -> Selfie:
        selfie = self.records.get(selfie_id)
        assert selfie is not None
        return selfie

    def work(self) -> None:
        """A worker runs until its queue is empty; each photo gets 6.3, give or take 0.9."""
        serve(self.connection, SELFIES, {SCORE_SELFIE: self._score}, burst=True)

    def _score(self, message: Any) -> None:
        request = ScoreRequest.from_json(message)
        self.scored.append(request)
        if self.worker_fails:
            raise RuntimeError("out of memory")
        result = self.result(request.selfie_id, request.attempt)
        enqueue(self.connection, REPLIES, HANDLE_RESULT, result.to_json(), job_id=result.job_id)

    def result(self, selfie_id: int, attempt: int = 1) -> ScoreResult:
        return ScoreResult(selfie_id, attempt, score=6.3, plus_minus=0.9, faces=1, picture=PICTURE)

    def respond(self) -> None:
        """A responder runs until its queue is empty."""
        serve(self.connection, REPLIES, self.responder.functions(), burst=True)

    def sweep(self) -> Swept:
        return Sweeper(self.records, self.dispatcher, STALE).sweep()

    def live_on(self) -> None:
        """Time passes and everybody works until every selfie has come to its end."""
        for _ in range(20):
            self.work()
            self.respond()
            if not set(self.records.counts()) - FINAL:
                return
            self.clock.pass_by(STALE + timedelta(seconds=1))
            self.sweep()
        raise AssertionError(f"still unfinished: {self.records.counts()}")
