"""What we leave off on a platform: until it has cooled down, or until a person has looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row, delete, or_, select, update

from bot import tables
from bot.clock import Clock
from bot.database import insert_new, reading


class Action(StrEnum):
    """What can be left off."""

    FETCH = "fetch"
    REPLY = "reply"


@dataclass(frozen=True)
class Brake:
    """One action of one platform that is left off."""

    platform: str
    action: Action
    until: datetime | None
    """None: until `selfai resume`, because a person must look."""
    reason: str
    since: datetime


class Brakes:
    """The brakes, kept in the database: every process minds them, and a restart does not forget."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def on(self, platform: str, action: Action) -> Brake | None:
        """The brake that holds this action back now, or None."""
        found = [brake for brake in self.all_on() if (brake.platform, brake.action) == (platform, action)]
        return found[0] if found else None

    def all_on(self) -> list[Brake]:
        """All brakes that hold something back now."""
        until = tables.brakes.c.until
        question = select(tables.brakes).where(or_(until.is_(None), until > self._clock.now()))
        with reading(self._engine).begin() as connection:
            return [_brake(row) for row in connection.execute(question)]

    def pull(self, platform: str, action: Action, until: datetime | None, reason: str) -> None:
        """Leave `action` off until then (None: until a person has looked).

        A brake that waits for a person is not loosened by a later, shorter one.
        """
        key = {"platform": platform, "action": action.value}
        values = {"until": until, "reason": reason, "since": self._clock.now()}
        cooling = update(tables.brakes).filter_by(**key).where(tables.brakes.c.until.is_not(None))
        with self._engine.begin() as connection:
            if connection.execute(cooling.values(**values)).rowcount == 0:
                connection.execute(insert_new(self._engine, tables.brakes).values(**key, **values))

    def release(self, platform: str) -> list[Brake]:
        """Take all brakes off a platform; gives those that held."""
        held = [brake for brake in self.all_on() if brake.platform == platform]
        with self._engine.begin() as connection:
            connection.execute(delete(tables.brakes).where(tables.brakes.c.platform == platform))
        return held


def _brake(row: Row[Any]) -> Brake:
    return Brake(row.platform, Action(row.action), row.until, row.reason, row.since)
