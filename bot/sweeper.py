"""Picks up whatever stands still: lost jobs, dead workers, answers whose time has come.

It asks the database and the queue, never a platform. With it, the queue may lose everything at
any moment, and every selfie is still answered once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import redis
from sqlalchemy.exc import SQLAlchemyError

from bot.brakes import Action
from bot.dispatch import Dispatcher
from bot.records import Records
from bot.selfie import Selfie, Status
from worker.messages import Refusal
from worker.serving import Standing

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""After so many failed attempts at scoring a selfie, we say sorry instead."""


@dataclass(frozen=True)
class Swept:
    """How many selfies were helped on."""

    dispatched: int
    rescored: int
    answered: int


class Sweeper:
    """Looks through the records now and then. `stale`: how long a selfie may stand still."""

    def __init__(self, records: Records, dispatcher: Dispatcher, stale: timedelta) -> None:
        self._records = records
        self._dispatcher = dispatcher
        self._stale = stale
        self._failing = False

    def run(self, stop: threading.Event, every: timedelta) -> None:
        """Sweep until `stop`; outlasts the absence of the database and the queue."""
        while not stop.is_set():
            self._sweep_bravely()
            stop.wait(every.total_seconds())

    def sweep(self) -> Swept:
        """One sweep. Raises sqlalchemy's SQLAlchemyError or redis.RedisError."""
        return Swept(
            dispatched=_count(self._dispatch, self._records.standing(Status.SEEN, self._stale)),
            rescored=_count(self._rescore, self._records.standing(Status.QUEUED, self._stale)),
            answered=_count(self._answer, self._answerable()),
        )

    def _sweep_bravely(self) -> None:
        try:
            swept = self.sweep()
        except (SQLAlchemyError, redis.RedisError) as error:
            if not self._failing:
                log.error("Cannot sweep; check DATABASE_URL and REDIS_URL: %s", str(error).partition("\n")[0])
            self._failing = True
            return
        except Exception:
            log.exception("Sweeping hit an error of ours; please report it")
            return
        self._failing = False
        if swept != Swept(0, 0, 0):
            log.info("Picked up what stood still: %s", swept)

    def _dispatch(self, selfie: Selfie) -> bool:
        self._dispatcher.dispatch(selfie)
        return True

    def _rescore(self, selfie: Selfie) -> bool:
        match self._dispatcher.progress(selfie):
            case Standing.PENDING:
                return False
            case Standing.ABSENT:
                self._dispatcher.score(selfie, selfie.attempt)
            case Standing.FAILED if selfie.attempt < MOST_ATTEMPTS:
                self._dispatcher.score(selfie, selfie.attempt + 1)
            case Standing.FAILED:
                log.error("Selfie %d could not be scored; see the worker's log", selfie.id)
                self._dispatcher.refuse(selfie, Refusal.TROUBLE)
        return True

    def _answerable(self) -> Iterator[Selfie]:
        brakes = self._records.brakes.all_on()
        braked = {brake.platform for brake in brakes if brake.action is Action.REPLY}
        due = self._records.due(self._stale)
        return (selfie for selfie in due if selfie.item.source.platform not in braked)

    def _answer(self, selfie: Selfie) -> bool:
        self._dispatcher.answer(selfie.id)
        return True


def _count(help_on: Callable[[Selfie], bool], selfies: Iterator[Selfie]) -> int:
    return sum(help_on(selfie) for selfie in selfies)
