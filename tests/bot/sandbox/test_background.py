"""A server in a thread of its own."""

from __future__ import annotations

import pytest
import requests
from aiohttp import web

from bot.sandbox.background import serve_in_background


def hello() -> web.Application:
    async def greet(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", greet)
    return app


def test_it_answers_once_it_returns_and_not_after_its_end() -> None:
    """The address works at once; after `stop` nobody listens there, and stopping again is harmless."""
    running = serve_in_background(hello())
    assert requests.get(running.url, timeout=5).text == "hello"
    running.stop()
    running.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(running.url, timeout=5)


def test_a_taken_port_is_an_error() -> None:
    """Two servers cannot share a port; the second says so and leaves no thread behind."""
    with serve_in_background(hello()) as running, pytest.raises(OSError, match=str(running.port)):
        serve_in_background(hello(), running.port)
