"""The sandbox: a small X, a small Instagram and a page for people, all on loopback and in memory."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.errors import OperatorError
from bot.sandbox import instagram, page_app, x
from bot.sandbox.background import Running, serve_in_background
from bot.sandbox.faults import Faults
from bot.sandbox.feed import Feed
from bot.sandbox.instagram_world import InstagramWorld
from bot.sandbox.pictures import Pictures
from bot.sandbox.x_limits import Limits
from bot.sandbox.x_world import XWorld

HASHTAG = "selfai_robot"


@dataclass(frozen=True)
class Ports:
    """Where to serve on 127.0.0.1; 0: any free port."""

    x: int = 0
    instagram: int = 0
    page: int = 0


class Sandbox:
    """Both platforms and the page, served from threads of their own between `start` and `stop`."""

    def __init__(self, ports: Ports | None = None, hashtag: str = HASHTAG, limit_factor: float = 1.0) -> None:
        """`limit_factor` loosens X's rate limits."""
        self._ports = ports or Ports()
        self._running: dict[str, Running] = {}
        self.hashtag = hashtag
        self._limit_factor = limit_factor
        self.x = XWorld()
        self.instagram = InstagramWorld()
        self.faults_x = Faults()
        self.faults_instagram = Faults()
        self.feed = Feed(self.x, self.instagram, hashtag)

    def start(self) -> Self:
        """Serve all three. Raises OperatorError, naming the option, if a port is taken."""
        if self._running:
            return self
        limits = Limits(self.x.now, self._limit_factor)
        try:
            self._serve("x", self._ports.x, x.make_app(self.x, Pictures(), self.faults_x, limits))
            world = instagram.make_app(self.instagram, Pictures(), self.faults_instagram)
            self._serve("instagram", self._ports.instagram, world)
            self._serve("page", self._ports.page, page_app.make_app(self.feed, self._about()))
        except OperatorError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all servers; harmless when they are ended already."""
        while self._running:
            self._running.popitem()[1].stop()

    @property
    def x_url(self) -> str:
        """Where the small X answers."""
        return self._running["x"].url

    @property
    def instagram_url(self) -> str:
        """Where the small Instagram answers."""
        return self._running["instagram"].url

    @property
    def page_url(self) -> str:
        """Where the page is."""
        return self._running["page"].url

    def credentials(self) -> dict[str, Any]:
        """Addresses, and how the bot and the people sign in, as JSON."""
        people = {name: self.instagram.account(name) for name in ("ada", "ben")}
        return {
            "page": {"url": self.page_url},
            "x": {"url": self.x_url, **self.x.credentials()},
            "instagram": {
                "url": self.instagram_url,
                "bot": self.instagram.bot.username,
                "hashtag": self.hashtag,
                "accounts": {
                    self.instagram.bot.username: {"password": self.instagram.bot.password},
                    **{name: {"password": account.password} for name, account in people.items()},
                },
            },
        }

    def environment(self) -> dict[str, str]:
        """The settings with which the bot lives in this sandbox."""
        told = self.x.credentials()
        bot = told["accounts"][told["bot"]]
        return {
            "X_API_URL": self.x_url,
            "X_API_KEY": told["api_key"],
            "X_API_SECRET": told["api_secret"],
            "X_ACCESS_TOKEN": bot["access_token"],
            "X_ACCESS_SECRET": bot["access_secret"],
            "INSTAGRAM_API_URL": self.instagram_url,
            "INSTAGRAM_USERNAME": self.instagram.bot.username,
            "INSTAGRAM_PASSWORD": self.instagram.bot.password,
            "SELFAI_HASHTAG": self.hashtag,
        }

    def _about(self) -> dict[str, str]:
        return {
            "x": self.x.bot.username,
            "instagram": self.instagram.bot.username,
            "hashtag": self.hashtag,
            # A page left open over a restart notices, and starts anew.
            "run": secrets.token_hex(4),
        }

    def _serve(self, name: str, port: int, app: web.Application) -> None:
        try:
            self._running[name] = serve_in_background(app, port)
        except OSError as error:
            raise OperatorError(
                f"--{name}-port: port {port} is not to be had ({error.strerror or error}): choose another"
            ) from None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
