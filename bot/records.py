"""The bot's memory: which selfies came in, and where each one stands.

Every step of a selfie is one UPDATE that names the status it comes from; if no row changed,
someone else has done it. Errors of the database (sqlalchemy.exc.SQLAlchemyError) pass through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select, update

from bot import tables
from bot.brakes import Brakes
from bot.clock import Clock
from bot.database import empty_log, insert_new, reading
from bot.outbox import Outbox, drop
from bot.platforms.base import Page
from bot.rows import selfie_of, take_step
from bot.selfie import FINAL, Item, Selfie, Source, Status

BATCH = 200
"""Rows read at a time when many are gone through."""

BLANK: dict[str, Any] = {
    "author_id": "",
    "author_name": "",
    "thread_id": None,
    "photo_url": None,
    "score": None,
    "plus_minus": None,
    "faces": None,
}
"""What a row keeps of a person who is to be forgotten: nothing."""


class Records:
    """The questions asked of the database. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.outbox = Outbox(engine, clock)
        self.brakes = Brakes(engine, clock)

    def add_page(self, source: Source, page: Page) -> list[Selfie]:
        """Write down what is new of a page, and its cursor, in one transaction; gives the new ones."""
        with self._engine.begin() as connection:
            added = [self._add(connection, item) for item in page.items]
            self._move_cursor(connection, source, page.cursor)
        return [selfie for selfie in added if selfie is not None]

    def _add(self, connection: Connection, item: Item) -> Selfie | None:
        values = {
            "platform": item.source.platform,
            "item_id": item.item_id,
            "source": item.source.value,
            "author_id": item.author_id,
            "author_name": item.author_name,
            "thread_id": item.thread_id,
            "photo_url": item.photo_url,
            "created_at": item.created_at,
            "status": Status.SEEN.value,
            "since": self._clock.now(),
            "attempt": 0,
            "tries": 0,
        }
        insert = insert_new(self._engine, tables.selfies).values(**values)
        row = connection.execute(insert.returning(*tables.selfies.c)).one_or_none()
        return None if row is None else selfie_of(row)

    def _move_cursor(self, connection: Connection, source: Source, cursor: str | None) -> None:
        values = {"cursor": cursor, "polled_at": self._clock.now()}
        moved = update(tables.cursors).where(tables.cursors.c.source == source.value).values(**values)
        if connection.execute(moved).rowcount == 0:
            new = insert_new(self._engine, tables.cursors).values(source=source.value, **values)
            connection.execute(new)

    def cursor(self, source: Source) -> str | None:
        """What to ask the source with next; None before the first poll."""
        question = select(tables.cursors.c.cursor).where(tables.cursors.c.source == source.value)
        with reading(self._engine).begin() as connection:
            return connection.execute(question).scalar_one_or_none()

    def get(self, selfie_id: int) -> Selfie | None:
        """One selfie, or None if there is none with this id."""
        found = self._ask(select(tables.selfies).where(tables.selfies.c.id == selfie_id))
        return found[0] if found else None

    def recent(self, limit: int) -> list[Selfie]:
        """The selfies that came in last, the newest first."""
        return self._ask(select(tables.selfies).order_by(tables.selfies.c.id.desc()).limit(limit))

    def counts(self) -> dict[Status, int]:
        """How many selfies stand where; statuses without any are left out."""
        status = tables.selfies.c.status
        with reading(self._engine).begin() as connection:
            rows = connection.execute(select(status, func.count()).group_by(status)).all()
        return {Status(name): count for name, count in rows}

    def standing(self, status: Status, longer_than: timedelta) -> Iterator[Selfie]:
        """All selfies that have stood in `status` for longer than that, by id."""
        columns = tables.selfies.c
        before = self._clock.now() - longer_than
        return self._all(select(tables.selfies).where(columns.status == status.value, columns.since < before))

    def due(self, longer_than: timedelta) -> Iterator[Selfie]:
        """All selfies whose answer should be tried (again), by id.

        Those are claimed ones whose time has come, and unclaimed ones that have stood
        for longer than that.
        """
        return self._all(select(tables.selfies).where(self.outbox.is_due(longer_than)))

    def step(self, selfie_id: int, before: Iterable[Status], after: Status, **columns: Any) -> bool:
        """Take a step if the selfie stands in one of `before`; whether it was taken.

        `columns` are set along with it. Raises ValueError if the chart has no such step.
        """
        with self._engine.begin() as connection:
            return take_step(connection, self._clock.now(), selfie_id, before, after, **columns)

    def fail(self, selfie_id: int, reason: str, *, erase: bool = False) -> bool:
        """Give a selfie up, whatever its status, unless it is final; its answer goes.

        With `erase`, so does all that the row says of the person: they took the post back.
        """
        before = set(Status) - FINAL
        with self._engine.begin() as connection:
            now = self._clock.now()
            blank = BLANK if erase else {"photo_url": None}
            failed = take_step(connection, now, selfie_id, before, Status.FAILED, reason=reason, **blank)
            if failed:
                drop(connection, [selfie_id])
        return failed

    def forget(self, platform: str, author_id: str) -> int:
        """Delete all we know of a person; gives how many selfies that were.

        The items' ids stay, so that nothing is answered twice; what was still to be answered is given up.
        """
        columns = tables.selfies.c
        theirs = (columns.platform == platform) & (columns.author_id == author_id)
        unfinished = columns.status.not_in([status.value for status in FINAL])
        given_up = {"status": Status.FAILED.value, "since": self._clock.now(), "reason": "forgotten"}
        with self._engine.begin() as connection:
            ids = list(connection.scalars(select(columns.id).where(theirs)))
            connection.execute(update(tables.selfies).where(theirs, unfinished).values(**given_up))
            connection.execute(update(tables.selfies).where(theirs).values(**BLANK))
            drop(connection, ids)
        empty_log(self._engine)
        return len(ids)

    def _ask(self, question: Select[Any]) -> list[Selfie]:
        with reading(self._engine).begin() as connection:
            return [selfie_of(row) for row in connection.execute(question)]

    def _all(self, question: Select[Any]) -> Iterator[Selfie]:
        """In batches, so that no transaction stays open while the caller works on them."""
        last = 0
        ordered = question.order_by(tables.selfies.c.id).limit(BATCH)
        while batch := self._ask(ordered.where(tables.selfies.c.id > last)):
            yield from batch
            last = batch[-1].id
