"""How requests travel to X: with a time limit, never sent twice, and to another host if told so."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

TWEEPY_HOST = "https://api.twitter.com/"
"""Where tweepy sends everything: the address stands in the middle of its code."""

Timeout = tuple[float, float]
"""Seconds to connect, seconds between two pieces of the answer."""


class XTransport(HTTPAdapter):
    """Carries requests that were signed for X's host to `api_url`, in case it is another.

    tweepy has no time limit of its own, and requests' redirects would send a post again.
    """

    def __init__(self, api_url: str | None, timeout: Timeout) -> None:
        super().__init__(max_retries=0)
        self._api_url = api_url
        self._timeout = timeout

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send once. Raises `requests.RequestException` when no whole answer comes."""
        options["timeout"] = options.get("timeout") or self._timeout
        if self._api_url is not None:
            request.url = _moved(request.url or "", self._api_url)
            # The proxies were chosen for X's host; another one is ours, and near.
            options["proxies"] = {}
        return super().send(request, *args, **options)


def carry(session: requests.Session, api_url: str | None, timeout: Timeout) -> None:
    """Let everything that tweepy sends through `session` travel this way."""
    session.max_redirects = 0
    session.mount(TWEEPY_HOST, XTransport(api_url, timeout))


def _moved(url: str, api_url: str) -> str:
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return api_url.rstrip("/") + parts.path + query
