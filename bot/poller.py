"""Asks one platform what is new, writes it down, sends it on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import redis
from sqlalchemy.exc import SQLAlchemyError

from bot.brakes import Action
from bot.clock import Clock
from bot.dispatch import Dispatcher
from bot.platforms.base import Broken, Later, Page, Platform, PlatformError
from bot.records import Records
from bot.selfie import Selfie, Source

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(minutes=15)
"""Pauses after failures double from the source's interval up to this, or to the interval if longer."""


class Poller:
    """Polls one platform's sources, each at its own interval; one that fails does not stop another."""

    def __init__(
        self,
        platform: Platform,
        records: Records,
        dispatcher: Dispatcher,
        clock: Clock,
        every: Mapping[Source, timedelta],
    ) -> None:
        self._platform = platform
        self._records = records
        self._dispatcher = dispatcher
        self._clock = clock
        self._every = {source: every[source] for source in platform.sources}
        self._next = dict.fromkeys(self._every, clock.now())
        self._failures = dict.fromkeys(self._every, 0)

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop`; outlasts the absence of the platform, the database and the queue."""
        while not stop.is_set():
            stop.wait(self.poll_due().total_seconds())

    def poll_due(self) -> timedelta:
        """Poll every source whose time has come; gives how long until the next one's."""
        for source, moment in self._next.items():
            if moment <= self._clock.now():
                self._next[source] = self._clock.now() + self._poll_bravely(source)
        return max(min(self._next.values()) - self._clock.now(), timedelta(0))

    def poll(self, source: Source) -> list[Selfie]:
        """One poll, whatever the interval and the brakes say; gives the new selfies.

        Raises PlatformError, sqlalchemy's SQLAlchemyError or redis.RedisError; what was
        written down before that is found by the sweeper.
        """
        page = self._platform.fetch(source, self._records.cursor(source))
        return self._take(source, page)

    def _take(self, source: Source, page: Page) -> list[Selfie]:
        new = self._records.add_page(source, page)
        for selfie in new:
            log.info("Saw selfie %d: %s %s", selfie.id, source, selfie.item.item_id)
        for selfie in new:
            self._dispatcher.dispatch(selfie)
        return new

    def _poll_bravely(self, source: Source) -> timedelta:
        """Poll unless there is a brake; gives the pause until the next poll."""
        try:
            if self._records.brakes.on(self._platform.name, Action.FETCH) is None:
                self.poll(source)
        except PlatformError as error:
            return self._take_failure(source, error)
        except SQLAlchemyError as error:
            return self._fail(source, f"the database is away; check DATABASE_URL ({_first_line(error)})")
        except redis.RedisError as error:
            return self._fail(source, f"the queue is away; check REDIS_URL ({error})")
        except Exception:
            log.exception("Polling %s hit an error of ours; please report it", source)
            return self._pause(source)
        if self._failures[source]:
            log.info("%s works again", source)
        self._failures[source] = 0
        return self._every[source]

    def _take_failure(self, source: Source, error: PlatformError) -> timedelta:
        match error:
            case Broken():
                log.error(
                    "No more polls of %s: %s. Then: selfai resume %s", source, error, self._platform.name
                )
                return self._brake(source, None, error)
            case Later(until=datetime() as until):
                log.warning("No polls of %s before %s: %s", source, until, error)
                return self._brake(source, until, error)
            case _:
                return self._fail(source, f"the platform does not answer well ({error})")

    def _brake(self, source: Source, until: datetime | None, error: PlatformError) -> timedelta:
        try:
            self._records.brakes.pull(self._platform.name, Action.FETCH, until, str(error))
        except SQLAlchemyError as away:
            return self._fail(source, f"the database is away; check DATABASE_URL ({_first_line(away)})")
        return self._every[source]

    def _fail(self, source: Source, what: str) -> timedelta:
        """Say it once, at the first failure of a row."""
        if self._failures[source] == 0:
            log.error("Polling %s: %s. Trying again, ever more slowly.", source, what)
        return self._pause(source)

    def _pause(self, source: Source) -> timedelta:
        doublings = min(self._failures[source], 10)
        self._failures[source] += 1
        every = self._every[source]
        return min(every * (1 << doublings), max(every, LONGEST_PAUSE))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
