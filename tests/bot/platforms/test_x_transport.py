from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from aiohttp import web

from bot.platforms.x_transport import TWEEPY_HOST, carry
from bot.sandbox.background import serve_in_background


@pytest.fixture
def url() -> Iterator[str]:
    async def echo(request: web.Request) -> web.Response:
        if "away" in request.query:
            raise web.HTTPTemporaryRedirect("/elsewhere")
        return web.json_response({"path": request.raw_path})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    with serve_in_background(app) as running:
        yield running.url


@pytest.mark.parametrize("prefix", ["", "/", "/x"])
def test_requests_go_to_the_other_host_with_path_and_query(url: str, prefix: str) -> None:
    """A proxy of the environment does not come between."""
    session = requests.Session()
    session.proxies = {"https": "http://127.0.0.1:9", "http": "http://127.0.0.1:9"}
    carry(session, url + prefix, (2, 2))
    answer = session.get(TWEEPY_HOST + "2/users/me?a=%20b")
    assert answer.json()["path"] == f"{prefix.rstrip('/')}/2/users/me?a=%20b"


def test_redirects_are_not_followed(url: str) -> None:
    """A post must not travel twice."""
    session = requests.Session()
    carry(session, url, (2, 2))
    with pytest.raises(requests.TooManyRedirects):
        session.post(TWEEPY_HOST + "?away=1")
