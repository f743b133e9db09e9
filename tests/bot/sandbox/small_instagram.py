"""A small Instagram that is up, and the instagrapi clients that people drive it with."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from aiohttp import web
from instagrapi import Client
from PIL import Image

from bot.sandbox.background import serve_in_background
from bot.sandbox.faults import Faults
from bot.sandbox.instagram import make_app
from bot.sandbox.instagram_world import BOT, PASSWORD, InstagramWorld
from bot.sandbox.pictures import Pictures
from tests.fakes import FakeClock

TAG = "selfai_robot"


def jpeg(colour: tuple[int, int, int] = (200, 120, 60), size: tuple[int, int] = (480, 600)) -> bytes:
    """A picture."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


@dataclass
class SmallInstagram:
    """The world, its faults, its clock, and every request that came."""

    world: InstagramWorld
    faults: Faults
    pictures: Pictures
    clock: FakeClock
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def posts(self, ending: str) -> int:
        """How many POSTs came to paths that end so."""
        return sum(method == "POST" and path.endswith(ending) for method, path in self.asked)

    def person(self, name: str = "ada", password: str = PASSWORD, **options: Any) -> Client:
        """Somebody's client, logged in; needs the `sandboxed` fixture."""
        client = stranger()
        client.login(name, password, **options)
        return client


def stranger() -> Client:
    """A client that nobody has logged in with."""
    return Client(private_transport="requests", request_timeout=0, session_retry_total=0)


@contextmanager
def small_instagram() -> Iterator[SmallInstagram]:
    """One that is up."""
    clock = FakeClock()
    world = InstagramWorld(clock=lambda: clock.now().timestamp())
    small = SmallInstagram(world, Faults(), Pictures(), clock)
    app = make_app(world, small.pictures, small.faults)

    @web.middleware
    async def remember(request: web.Request, handler: Any) -> web.StreamResponse:
        small.asked.append((request.method, request.path))
        answer: web.StreamResponse = await handler(request)
        return answer

    app.middlewares.insert(0, remember)
    with serve_in_background(app) as running:
        small.url = running.url
        yield small


def send_to(url: str, patch: pytest.MonkeyPatch) -> None:
    """What the sandbox's documentation tells strangers to do."""
    send = requests.adapters.HTTPAdapter.send

    def send_to_sandbox(adapter: Any, request: Any, **options: Any) -> Any:
        parts = urlsplit(request.url)
        if str(parts.hostname).endswith((".instagram.com", ".facebook.com")):
            request.url = url + parts.path + ("?" + parts.query if parts.query else "")
            options["proxies"] = {}
        return send(adapter, request, **options)

    patch.setattr(requests.adapters.HTTPAdapter, "send", send_to_sandbox)


__all__ = ["BOT", "PASSWORD", "TAG", "SmallInstagram", "jpeg", "send_to", "small_instagram", "stranger"]
