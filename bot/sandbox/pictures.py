"""The sandbox's picture host: bytes kept in memory, served under an address of their own."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from aiohttp import web

EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
}


@dataclass(frozen=True)
class Picture:
    """Bytes as they were uploaded, whatever they hold."""

    content: bytes
    content_type: str


class Pictures:
    """Pictures by id. Used from the servers' threads and from the person's at once."""

    def __init__(self, base_url: str | None = None) -> None:
        self.base_url = base_url
        """Where the pictures are served; None: wherever a request that asks for them came in."""
        self._pictures: dict[str, Picture] = {}
        self._lock = threading.Lock()

    def put(self, content: bytes, content_type: str = "image/jpeg") -> str:
        """Keep a picture and give its id, which ends like a file name."""
        name = secrets.token_urlsafe(12) + EXTENSIONS.get(content_type, "")
        with self._lock:
            self._pictures[name] = Picture(content, content_type)
        return name

    def get(self, name: str) -> Picture | None:
        """The picture with this id, if it is there (still)."""
        with self._lock:
            return self._pictures.get(name)

    def drop(self, name: str) -> None:
        """Forget a picture: its address answers 404 from now on."""
        with self._lock:
            self._pictures.pop(name, None)

    def url(self, name: str, request: web.Request | None = None) -> str:
        """A picture's address. Raises ValueError if neither a base address nor a request tells the host."""
        if self.base_url is not None:
            return f"{self.base_url.rstrip('/')}/pictures/{name}"
        if request is None:
            raise ValueError("pictures have no base_url, and there is no request to take the host from")
        return f"{request.scheme}://{request.host}/pictures/{name}"

    def add_routes(self, app: web.Application) -> None:
        """Serve the pictures from this application."""
        app.router.add_get("/pictures/{name}", self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        picture = self.get(request.match_info["name"])
        if picture is None:
            raise web.HTTPNotFound(text="no such picture\n")
        return web.Response(body=picture.content, content_type=picture.content_type)
