"""The sandbox's page, and the small JSON API behind it.

| request | answer |
|---|---|
| `GET /` | the page |
| `GET /api/feed` | `{"entries": [ENTRY, ...], "largest_photo": bytes, "bot": {...}}`, newest first |
| `POST /api/entries` (form: `way`, `text`, `photo`) | 201 and the ENTRY; 4xx: `{"error": sentence}` |
| `GET /api/entries/ID` | the ENTRY |
| `GET /api/entries/ID/photo`, `.../answer` | the picture sent, the picture answered |

ENTRY: `id, way (tweet, tag, message), platform, person, text, photo (address or null), item_id, posted_at,
state (waiting, answered), answer ({"text", "picture" (address or null)} or null)`.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

from aiohttp import BodyPartReader, web

from bot.sandbox.feed import Entry, Feed, Photo, Way

LARGEST_PHOTO = 15 * 1024 * 1024
"""Bytes. Less than the worker downloads, so what the page takes is looked at."""

LONGEST_TEXT = 200
"""Characters; leaves room on X for the bot's handle."""

CONTENT_TYPES = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Unwanted(Exception):
    """A post that the page does not take; the message is for the person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def make_app(feed: Feed, about: dict[str, Any]) -> web.Application:
    """The page as an application. `about`: what the page tells of the bot, as JSON."""
    page = _Page(feed, about)
    app = web.Application(client_max_size=LARGEST_PHOTO + 64 * 1024)
    app.router.add_get("/", page.show)
    app.router.add_get("/{name:page\\.(?:css|js)}", page.show)
    app.router.add_get("/api/feed", page.feed)
    app.router.add_post("/api/entries", page.post)
    app.router.add_get("/api/entries/{id:\\d{1,9}}", page.entry)
    app.router.add_get("/api/entries/{id:\\d{1,9}}/photo", page.photo)
    app.router.add_get("/api/entries/{id:\\d{1,9}}/answer", page.answer)
    return app


class _Page:
    def __init__(self, feed: Feed, about: dict[str, Any]) -> None:
        self._feed = feed
        self._about = about

    async def show(self, request: web.Request) -> web.Response:
        """The page's own files."""
        name = request.match_info.get("name", "index.html")
        content = files("bot.sandbox").joinpath("page", name).read_bytes()
        return web.Response(body=content, content_type=CONTENT_TYPES[name], charset="utf-8", headers=HEADERS)

    async def feed(self, request: web.Request) -> web.Response:
        """Everything sent so far; 304 where nothing has changed since."""
        body = json.dumps(
            {
                "entries": [self._shown(entry) for entry in self._feed.entries()],
                "largest_photo": LARGEST_PHOTO,
                "bot": self._about,
            }
        )
        tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
        headers = {**HEADERS, "ETag": tag}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(text=body, content_type="application/json", headers=headers)

    async def post(self, request: web.Request) -> web.Response:
        """Send something to the bot."""
        try:
            way, text, photo = await _read_form(request)
        except Unwanted as error:
            return web.json_response({"error": str(error)}, status=error.status, headers=HEADERS)
        entry = self._feed.post(way, text, photo)
        return web.json_response(self._shown(entry), status=201, headers=HEADERS)

    async def entry(self, request: web.Request) -> web.Response:
        """One thing sent, and its answer."""
        return web.json_response(self._shown(self._found(request)), headers=HEADERS)

    async def photo(self, request: web.Request) -> web.Response:
        """The picture that was sent."""
        photo = self._found(request).photo
        if photo is None:
            raise web.HTTPNotFound(text="no picture was sent\n")
        return web.Response(body=photo.content, content_type=photo.content_type, headers=HEADERS)

    async def answer(self, request: web.Request) -> web.Response:
        """The picture that the bot answered with."""
        replies = self._feed.replies(self._found(request))
        if not replies or replies[0].picture is None:
            raise web.HTTPNotFound(text="no picture was answered\n")
        return web.Response(body=replies[0].picture, content_type="image/jpeg", headers=HEADERS)

    def _found(self, request: web.Request) -> Entry:
        entry = self._feed.entry(int(request.match_info["id"]))
        if entry is None:
            raise web.HTTPNotFound(text="no such entry\n")
        return entry

    def _shown(self, entry: Entry) -> dict[str, Any]:
        address = f"/api/entries/{entry.id}"
        replies = self._feed.replies(entry)
        answer = None
        if replies:
            picture = f"{address}/answer" if replies[0].picture else None
            answer = {"text": replies[0].text, "picture": picture}
        return {
            "id": entry.id,
            "way": entry.way.value,
            "platform": entry.way.platform,
            "person": entry.person,
            "text": entry.text,
            "photo": f"{address}/photo" if entry.photo else None,
            "item_id": entry.item_id,
            "posted_at": entry.posted_at.isoformat(),
            "state": "answered" if answer else "waiting",
            "answer": answer,
        }


async def _read_form(request: web.Request) -> tuple[Way, str, Photo | None]:
    """What was sent. Raises Unwanted."""
    way, text, content = "", "", b""
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "photo":
                content = await _read_photo(part)
            elif part.name == "way":
                way = (await part.text())[:20]
            elif part.name == "text":
                text = " ".join((await part.text()).split())
    except (ValueError, AssertionError):
        raise Unwanted(400, "That did not arrive as a form. Please try again from the page.") from None
    return _known_way(way), _short(text, bool(content)), _picture(content)


async def _read_photo(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(256 * 1024):
        # Read on to the end: a browser that is answered too early shows no answer at all.
        if len(content) <= LARGEST_PHOTO:
            content += chunk
    if len(content) > LARGEST_PHOTO:
        megabytes = LARGEST_PHOTO // (1024 * 1024)
        raise Unwanted(413, f"That photo is too large. Up to {megabytes} MB is fine.")
    return bytes(content)


def _known_way(way: str) -> Way:
    if way not in list(Way):
        raise Unwanted(400, "Please choose how to send it: tweet, tag or message.")
    return Way(way)


def _short(text: str, has_photo: bool) -> str:
    if not text and not has_photo:
        raise Unwanted(400, "Please choose a photo first.")
    if len(text) > LONGEST_TEXT:
        raise Unwanted(400, f"That text is a little long. Up to {LONGEST_TEXT} characters are fine.")
    return text


def _picture(content: bytes) -> Photo | None:
    if not content:
        return None
    photo = Photo.of(content)
    if photo is None:
        raise Unwanted(415, "That file is not a picture. A JPEG, PNG, WebP, HEIC or GIF is fine.")
    return photo
