"""Between rows and selfies: reading one, and taking a step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, update

from bot import tables
from bot.selfie import Item, Selfie, Source, Status, may_step
from worker.messages import Refusal


def selfie_of(row: Row[Any]) -> Selfie:
    """A row of `selfies` as a selfie."""
    item = Item(
        source=Source(row.source),
        item_id=row.item_id,
        author_id=row.author_id,
        author_name=row.author_name,
        thread_id=row.thread_id,
        photo_url=row.photo_url,
        created_at=row.created_at,
    )
    return Selfie(
        id=row.id,
        item=item,
        status=Status(row.status),
        attempt=row.attempt,
        since=row.since,
        reply_id=row.reply_id,
        score=row.score,
        plus_minus=row.plus_minus,
        refusal=None if row.refusal is None else Refusal(row.refusal),
        reason=row.reason,
    )


def take_step(
    connection: Connection,
    now: datetime,
    selfie_id: int,
    before: Iterable[Status],
    after: Status,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> bool:
    """Go from one of `before` to `after` if the selfie stands there; whether it did.

    Raises ValueError if the chart of states has no such step.
    """
    before = list(before)
    for status in before:
        if not may_step(status, after):
            raise ValueError(f"no step leads from {status} to {after}")
    columns = tables.selfies.c
    here = columns.status.in_([status.value for status in before])
    step = update(tables.selfies).where(columns.id == selfie_id, here, *conditions)
    return connection.execute(step.values(status=after.value, since=now, **values)).rowcount == 1
