"""From a picture's address to its bytes, within limits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from worker.messages import Refusal

CHUNK = 64 * 1024
"""Bytes read between two looks at the limits."""

GONE = frozenset({401, 403, 404, 410, 451})
"""HTTP statuses that say: not for us, or not any more. Signed addresses expire with 403."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})

USER_AGENT = "selfai"


@dataclass(frozen=True)
class _Moved:
    url: str


class DownloadError(Exception):
    """The picture could not be fetched now; a later try may succeed."""


@dataclass(frozen=True)
class Limits:
    """How much patience and memory one download gets."""

    bytes: int = 20_000_000
    deadline: float = 20.0
    """Seconds for everything together."""
    connect: float = 5.0
    """Seconds until a connection must stand."""
    read: float = 10.0
    """Seconds that the other side may stay silent."""
    redirects: int = 5


def download(url: str, limits: Limits) -> bytes | Refusal:
    """Fetch `url` over http or https.

    A Refusal says that there is no picture to be had: GONE, or TOO_LARGE. Raises DownloadError
    where trying again may help: refused connections, timeouts, server errors, cut answers.
    """
    started = time.monotonic()
    try:
        with requests.Session() as session:
            # Unpacked bytes could be any number of times the bytes sent: take them as they are.
            session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
            for _ in range(limits.redirects + 1):
                answer = _ask(session, url, started, limits)
                if not isinstance(answer, _Moved):
                    return answer
                url = answer.url
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # The address may be signed: only the host goes into logs and the queue, so no cause either.
        raise DownloadError(f"{_host(url)}: {type(error).__name__}") from None
    raise DownloadError(f"{_host(url)}: more than {limits.redirects} redirects")


def _ask(session: requests.Session, url: str, started: float, limits: Limits) -> bytes | Refusal | _Moved:
    if not url.startswith(("http://", "https://")) or not _host(url):
        return Refusal.GONE
    timeout = (limits.connect, limits.read)
    with session.get(url, stream=True, allow_redirects=False, timeout=timeout) as response:
        if response.status_code in REDIRECTS:
            return _Moved(_joined(url, response.headers.get("Location", "")))
        if response.status_code in GONE:
            return Refusal.GONE
        if response.status_code != requests.codes.ok:
            raise DownloadError(f"{_host(url)} answered {response.status_code}")
        return _body(response, started, limits)


def _body(response: requests.Response, started: float, limits: Limits) -> bytes | Refusal:
    told = response.headers.get("Content-Length", "")
    if told.isdecimal() and int(told) > limits.bytes:
        return Refusal.TOO_LARGE
    body = bytearray()
    # read1 gives what has come; read would wait for a full chunk, past any deadline.
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        body += chunk
        if len(body) > limits.bytes:
            return Refusal.TOO_LARGE
        if time.monotonic() - started > limits.deadline:
            raise DownloadError(f"{_host(response.url)}: not done after {limits.deadline:g} s")
    return bytes(body)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
