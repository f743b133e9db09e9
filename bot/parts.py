"""Builds the real parts from the settings: the only place that picks databases, queues and adapters.

Everything here raises OperatorError when a setting is wrong or a service is away.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Mapping
from datetime import timedelta
from types import FrameType

import redis
from pydantic import SecretStr

from bot import schema
from bot.clock import SystemClock
from bot.database import open_database
from bot.dispatch import Dispatcher
from bot.errors import OperatorError
from bot.platforms.base import Platform
from bot.poller import Poller
from bot.records import Records
from bot.responder import Responder
from bot.selfie import Source
from bot.settings import Settings, database_url
from bot.sweeper import Sweeper
from worker.serving import STARTING_SECONDS, QueueError, connect

log = logging.getLogger(__name__)


def open_records(settings: Settings) -> Records:
    """The bot's memory, in a database whose tables are up to date."""
    engine = open_database(database_url(settings))
    schema.require_current(engine)
    return Records(engine, SystemClock())


def open_queue(settings: Settings, patience: float = STARTING_SECONDS) -> redis.Redis:
    """The queue; the embedded one is waited for, up to `patience` seconds."""
    try:
        return connect(settings.queue_url, patience if settings.redis_url is None else 0)
    except QueueError as error:
        raise OperatorError(str(error)) from None


def open_platforms(settings: Settings) -> Mapping[str, Platform]:
    """The platforms that there are credentials for, by name. Asks nothing of them yet."""
    platforms: dict[str, Platform] = {}
    if settings.x_is_on:
        platforms["x"] = _open_x(settings)
    if settings.instagram_is_on:
        platforms["instagram"] = _open_instagram(settings)
    return platforms


def build_poller(settings: Settings, platform: Platform) -> Poller:
    """What polls one platform."""
    records = open_records(settings)
    dispatcher = Dispatcher(open_queue(settings), records)
    x, instagram = settings.x_poll_seconds, settings.instagram_poll_seconds
    every = {
        Source.X_MENTIONS: timedelta(seconds=x),
        Source.INSTAGRAM_HASHTAG: timedelta(seconds=instagram),
        Source.INSTAGRAM_MESSAGES: timedelta(seconds=instagram),
    }
    return Poller(platform, records, dispatcher, SystemClock(), every)


def build_responder(settings: Settings) -> Responder:
    """What answers on all platforms that are on."""
    records, platforms = open_records(settings), open_platforms(settings)
    log.info("Answering on %s", ", ".join(platforms) or "no platform: all are switched off")
    return Responder(records, platforms, SystemClock())


def build_sweeper(settings: Settings) -> Sweeper:
    """What picks up whatever stands still."""
    records = open_records(settings)
    stale = timedelta(seconds=settings.selfai_stale_seconds)
    return Sweeper(records, Dispatcher(open_queue(settings), records), stale)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Main thread only."""
    stop = threading.Event()

    def heed(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heed)
    return stop


def _open_x(settings: Settings) -> Platform:
    from bot.platforms.x import XCredentials, XPlatform

    credentials = XCredentials(
        _told(settings.x_api_key),
        _told(settings.x_api_secret),
        _told(settings.x_access_token),
        _told(settings.x_access_secret),
    )
    return XPlatform(credentials, settings.x_api_url)


def _open_instagram(settings: Settings) -> Platform:
    from bot.platforms.instagram import InstagramPlatform

    seed = settings.instagram_totp_seed
    return InstagramPlatform(
        settings.instagram_username or "",
        _told(settings.instagram_password),
        home=settings.home,
        clock=SystemClock(),
        hashtag=settings.selfai_hashtag,
        totp_seed=None if seed is None else seed.get_secret_value(),
        api_url=settings.instagram_api_url,
    )


def _told(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
