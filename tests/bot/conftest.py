from __future__ import annotations

import pytest
import redis

from bot.records import Records
from tests.bot.rig import Rig
from tests.fakes import FakeClock


@pytest.fixture
def rig(redis_connection: redis.Redis, records: Records, clock: FakeClock) -> Rig:
    """The bot's parts around an empty queue and an empty database."""
    return Rig(redis_connection, records, clock)
