"""The time, handed in, so that tests can make it pass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment; aware, UTC."""


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        """The present moment; aware, UTC."""
        return datetime.now(UTC)
