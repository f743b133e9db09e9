from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from bot.records import Records
from tests.bot.rig import Rig
from tests.bot.sandbox.small_x import SmallX, small_x_running
from tests.fakes import FakeClock


@pytest.fixture
def rig(redis_connection: redis.Redis, records: Records, clock: FakeClock) -> Rig:
    """The bot's parts around an empty queue and an empty database."""
    return Rig(redis_connection, records, clock)


@pytest.fixture
def small_x() -> Iterator[SmallX]:
    """A small X with nobody in it."""
    with small_x_running() as small_x:
        yield small_x
