"""The whole way with real parts, one step after the other in one thread: sandbox, database, queue, model."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from sqlalchemy import Engine

from bot.dispatch import Dispatcher
from bot.parts import open_platforms
from bot.poller import Poller
from bot.records import Records
from bot.responder import Responder
from bot.sandbox.feed import Entry
from bot.sandbox.server import Sandbox
from bot.selfie import FINAL, Source
from bot.settings import load_settings
from bot.sweeper import Sweeper
from worker import jobs
from worker.download import Limits
from worker.messages import REPLIES, SCORE_SELFIE, SELFIES
from worker.score import Judge
from worker.serving import serve

STALE = timedelta(seconds=1)
ROUND = timedelta(seconds=45)
"""How far the bot's clock moves a round: past every lease and pause of a first failure."""


class HurryingClock:
    """This machine's clock, and what was added to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Journey:
    """Everything between a person's post and its answer."""

    def __init__(self, home: Path, database: Engine, connection: redis.Redis, judge: Judge) -> None:
        self.clock = HurryingClock()
        self.sandbox = Sandbox(limit_factor=100).start()
        given = {name.lower(): value for name, value in self.sandbox.environment().items()}
        settings = load_settings(**given, selfai_home=home)
        self.platforms = open_platforms(settings)
        self.records = Records(database, self.clock)
        self._connection = connection
        self._parts = jobs.Parts(judge, Limits(), partial(jobs.hand_over, connection))
        dispatcher = Dispatcher(connection, self.records)
        every = dict.fromkeys(Source, timedelta(milliseconds=1))
        self._pollers = [
            Poller(one, self.records, dispatcher, self.clock, every) for one in self.platforms.values()
        ]
        self._responder = Responder(self.records, self.platforms, self.clock)
        self._sweeper = Sweeper(self.records, dispatcher, STALE)

    def poll(self) -> None:
        for poller in self._pollers:
            poller.poll_due()

    def work(self) -> None:
        score = partial(jobs.score_selfie, self._parts)
        serve(self._connection, SELFIES, {SCORE_SELFIE: score}, burst=True)

    def respond(self) -> None:
        serve(self._connection, REPLIES, self._responder.functions(), burst=True)

    def answer_all(self, entries: Sequence[Entry], seconds: float = 60) -> None:
        """Go round until every entry is answered and every selfie has come to its end."""
        give_up = time.monotonic() + seconds
        while not self._is_done(entries):
            assert time.monotonic() < give_up, f"unanswered: {self.records.recent(20)}"
            self.poll()
            self.work()
            self.respond()
            self._sweeper.sweep()
            threading.Event().wait(0.05)

    def hurry(self) -> None:
        """Let leases and pauses run out."""
        self.clock.ahead += ROUND

    def live_through_faults(self, entries: Sequence[Entry]) -> None:
        """As `answer_all`, with time that runs ahead; then some rounds more, which must change nothing."""
        for _ in range(12):
            self.poll()
            self.work()
            self.respond()
            self.hurry()
            self._sweeper.sweep()
        self.answer_all(entries)

    def said(self, entry: Entry) -> str:
        """The one answer to an entry."""
        replies = self.sandbox.feed.replies(entry)
        assert len(replies) == 1, f"{len(replies)} answers to {entry.way} {entry.text!r}: {replies}"
        return replies[0].text

    def picture(self, entry: Entry) -> bytes | None:
        """The picture of the one answer."""
        self.said(entry)
        return self.sandbox.feed.replies(entry)[0].picture

    def _is_done(self, entries: Sequence[Entry]) -> bool:
        if set(self.records.counts()) - FINAL:
            return False
        return all(self.sandbox.feed.replies(entry) for entry in entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sandbox.stop()
