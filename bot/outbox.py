"""Answers that wait to be posted, and who may post them.

An answer is claimed before anything is posted. A claim is a lease: whoever holds it and falls
silent loses it, and the next one asks the platform first whether the answer stands already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, or_, select, update

from bot import tables
from bot.clock import Clock
from bot.rows import selfie_of, take_step
from bot.selfie import Answer, Selfie, Status

UNCLAIMED = (Status.SCORED, Status.REFUSED)


@dataclass(frozen=True)
class Claim:
    """The right to post one answer, until its lease is over."""

    selfie: Selfie
    answer: Answer
    tries: int
    """How often this answer was claimed, this time included."""


class Outbox:
    """The answers between scoring and posting. Part of `bot.records.Records`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def settle(
        self,
        selfie_id: int,
        before: Status,
        after: Status,
        answer: Answer,
        *,
        attempt: int | None = None,
        **columns: Any,
    ) -> bool:
        """Record what came of a selfie, and its answer, in one transaction; whether it was news.

        With `attempt`, an outcome of a later attempt than the row's is not believed.
        """
        known = [] if attempt is None else [tables.selfies.c.attempt >= attempt]
        with self._engine.begin() as connection:
            now = self._clock.now()
            # Nobody needs the photo's address any more, which opens the photo to whoever reads it.
            settled = take_step(
                connection, now, selfie_id, [before], after, *known, photo_url=None, **columns
            )
            if settled:
                connection.execute(insert(tables.answers).values(selfie_id=selfie_id, **_values(answer)))
        return settled

    def claim(self, selfie_id: int, lease: timedelta) -> Claim | None:
        """The answer, ours to post for so long; None if it is someone else's, posted or given up."""
        columns = tables.selfies.c
        claim = (
            update(tables.selfies)
            .where(columns.id == selfie_id, or_(_unclaimed(), self._time_has_come()))
            .values(
                status=Status.REPLYING.value,
                since=self._clock.now(),
                retry_at=self._clock.now() + lease,
                tries=columns.tries + 1,
            )
            .returning(*tables.selfies.c)
        )
        with self._engine.begin() as connection:
            row = connection.execute(claim).one_or_none()
            if row is None:
                return None
            return Claim(selfie_of(row), self._answer(connection, selfie_id), row.tries)

    def put_off(self, claim: Claim, until: datetime) -> bool:
        """Let the claim rest until then; False if it is not ours any more."""
        with self._engine.begin() as connection:
            return take_step(
                connection,
                self._clock.now(),
                claim.selfie.id,
                [Status.REPLYING],
                Status.REPLYING,
                tables.selfies.c.tries == claim.tries,
                retry_at=until,
            )

    def posted(self, selfie_id: int, reply_id: str) -> bool:
        """Record that the answer stands; the outbox keeps nothing of it."""
        with self._engine.begin() as connection:
            now = self._clock.now()
            done = take_step(
                connection,
                now,
                selfie_id,
                [Status.REPLYING],
                Status.REPLIED,
                reply_id=reply_id,
                retry_at=None,
            )
            if done:
                drop(connection, [selfie_id])
        return done

    def is_due(self, longer_than: timedelta) -> ColumnElement[bool]:
        """Claims whose time has come, and answers unclaimed for longer than that."""
        waited = tables.selfies.c.since < self._clock.now() - longer_than
        return or_(and_(_unclaimed(), waited), self._time_has_come())

    def _time_has_come(self) -> ColumnElement[bool]:
        columns = tables.selfies.c
        return and_(columns.status == Status.REPLYING.value, columns.retry_at <= self._clock.now())

    def _answer(self, connection: Connection, selfie_id: int) -> Answer:
        stored = select(tables.answers).where(tables.answers.c.selfie_id == selfie_id)
        row = connection.execute(stored).one()
        return Answer(row.key, row.text, row.picture, row.alt_text)


def drop(connection: Connection, selfie_ids: Iterable[int]) -> None:
    """Throw answers away."""
    connection.execute(delete(tables.answers).where(tables.answers.c.selfie_id.in_(list(selfie_ids))))


def _unclaimed() -> ColumnElement[bool]:
    return tables.selfies.c.status.in_([status.value for status in UNCLAIMED])


def _values(answer: Answer) -> dict[str, Any]:
    return {
        "key": answer.key,
        "text": answer.text,
        "picture": answer.picture,
        "alt_text": answer.alt_text,
    }
