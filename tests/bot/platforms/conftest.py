"""Our adapter for a small X."""

from __future__ import annotations

import pytest

from bot.platforms.x import XPlatform
from tests.bot.platforms.x_setup import platform
from tests.bot.sandbox.small_x import SmallX


@pytest.fixture
def x(small_x: SmallX) -> XPlatform:
    """The bot's account there."""
    return platform(small_x.world, small_x.url)
