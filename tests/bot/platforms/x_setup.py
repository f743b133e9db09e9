"""The X adapter against a small X: what its tests share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from bot.platforms.x import XCredentials, XPlatform
from bot.sandbox.x_world import XWorld
from bot.selfie import Answer, Item, Selfie, Source, Status
from tests.bot.sandbox.small_x import BOT, SmallX, jpeg

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANSWER = Answer("selfie-1", "7.1 of 9. Nice light!", b"\xff\xd8 the crop", "The photo's best part")
IN_WORDS = Answer("selfie-1", "I see no face there.", None, None)

CREATE = ("/2/tweets", "POST")
UPLOAD = ("/2/media/upload", "POST")
DESCRIBE = ("/2/media/metadata", "POST")
MENTIONS = ("/2/users/*/mentions", "GET")
TIMELINE = ("/2/users/*/tweets", "GET")


def platform(world: XWorld, url: str, timeout: float = 5.0, **changes: str) -> XPlatform:
    tokens = world.bot.tokens
    keys = {
        "api_key": world.app.api_key,
        "api_secret": world.app.api_secret,
        "access_token": tokens.access_token,
        "access_secret": tokens.access_secret,
    }
    return XPlatform(XCredentials(**keys | changes), url, timeout=(timeout, timeout))


def selfie(small_x: SmallX, text: str = f"@{BOT} how do I look?") -> Selfie:
    """A selfie that stands on X and waits for its answer."""
    tweet_id = small_x.world.post("ada", text, jpeg())
    now = datetime.now(UTC)
    ada = small_x.world.account("ada")
    item = Item(Source.X_MENTIONS, tweet_id, ada.id, "ada", None, "http://x.test/a.jpg", now)
    return Selfie(1, item, Status.REPLYING, 1, now)
