"""A small X that is up, and the clients that tests drive it with."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import tweepy
import xdk
from PIL import Image
from xdk.oauth1_auth import OAuth1

from bot.platforms.x_transport import carry
from bot.sandbox.background import Running, serve_in_background
from bot.sandbox.faults import Faults
from bot.sandbox.pictures import Pictures
from bot.sandbox.x import make_app
from bot.sandbox.x_world import XWorld

BOT = "selfai_robot"


@dataclass
class Watch:
    """The world's clock: real time, moved by hand."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class SmallX:
    """The world, its faults, and who talks to it."""

    world: XWorld
    faults: Faults
    watch: Watch
    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    def ask(
        self, method: str, path: str, person: str = BOT, token: str | None = None, **options: Any
    ) -> requests.Response:
        """Ask with a person's OAuth 2 token, or with another one."""
        bearer = token or self.world.account(person).tokens.oauth2_token
        headers = {"Authorization": f"Bearer {bearer}", **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=10, **options)

    def tweepy(self, person: str = BOT, **changes: Any) -> tweepy.Client:
        """The client tweepy with a person's OAuth 1 tokens."""
        app, tokens = self.world.app, self.world.account(person).tokens
        keys = {
            "consumer_key": app.api_key,
            "consumer_secret": app.api_secret,
            "access_token": tokens.access_token,
            "access_token_secret": tokens.access_secret,
        }
        client = tweepy.Client(**keys | changes)
        carry(client.session, self.url, (5, 5))
        return client

    def oauth1(self, person: str = BOT) -> OAuth1:
        """The SDK's OAuth 1 with a person's tokens."""
        app, tokens = self.world.app, self.world.account(person).tokens
        return OAuth1(
            app.api_key, app.api_secret, "http://127.0.0.1/", tokens.access_token, tokens.access_secret
        )

    def xdk(self, person: str = BOT) -> xdk.Client:
        """X's own SDK with a person's OAuth 2 token."""
        token = self.world.account(person).tokens.oauth2_token
        return xdk.Client(base_url=self.url, access_token=token)

    def upload(self, person: str = BOT, content: bytes | None = None) -> str:
        """Upload a picture; gives its id."""
        files = {"media": ("a.jpg", content or jpeg(), "image/jpeg")}
        data = {"media_category": "tweet_image"}
        answer = self.ask("POST", "/2/media/upload", person, files=files, data=data)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["id"])


@contextmanager
def small_x_running() -> Iterator[SmallX]:
    """A small X on a free port."""
    watch, faults = Watch(), Faults()
    world = XWorld(now=watch.now)
    with serve_in_background(make_app(world, Pictures(), faults)) as running:
        yield SmallX(world, faults, watch, running)


def jpeg(width: int = 8, height: int = 6) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 150, 120)).save(buffer, "JPEG")
    return buffer.getvalue()
