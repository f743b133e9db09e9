"""The sandbox's picture host."""

from __future__ import annotations

import pytest
import requests
from aiohttp import web

from bot.sandbox.background import serve_in_background
from bot.sandbox.pictures import Pictures


def test_a_picture_comes_back_as_it_was_uploaded_until_it_is_dropped() -> None:
    """Bytes and type are kept untouched; a dropped picture is gone."""
    pictures, app = Pictures(), web.Application()
    pictures.add_routes(app)
    with serve_in_background(app) as running:
        pictures.base_url = running.url
        name = pictures.put(b"not really a PNG", "image/png")
        answer = requests.get(pictures.url(name), timeout=5)
        assert (answer.content, answer.headers["Content-Type"]) == (b"not really a PNG", "image/png")
        pictures.drop(name)
        assert requests.get(pictures.url(name), timeout=5).status_code == 404


def test_an_address_needs_a_host() -> None:
    """Without a base address and without a request nobody can say where a picture is served."""
    pictures = Pictures()
    with pytest.raises(ValueError, match="base_url"):
        pictures.url(pictures.put(b"..."))
