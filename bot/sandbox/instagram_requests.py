"""Reading the private API's requests: forms, signed bodies, whose session, whose picture."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.sandbox.instagram_problems import PROBLEMS, Refused
from bot.sandbox.instagram_things import Account, Photo, Post, Thread
from bot.sandbox.instagram_world import InstagramWorld
from bot.sandbox.pictures import Pictures

API = "/api/v1/"


class Desk:
    """What every route needs at hand: the world, the pictures' addresses, and what a request says."""

    def __init__(self, world: InstagramWorld, pictures: Pictures) -> None:
        self.world = world
        self._pictures = pictures
        self._names: dict[int, tuple[Photo, str]] = {}
        self.uploads: dict[str, Photo] = {}
        """Uploaded and not yet published, by upload id."""

    def viewer(self, request: web.Request) -> Account:
        """Who is calling. Raises Refused: `login_required`, or the account's own trouble."""
        account = self._logged_in(request.headers.get("Authorization", ""))
        if account is None:
            raise Refused("login_required")
        if account.trouble:
            raise Refused(account.trouble)
        return account

    def _logged_in(self, authorization: str) -> Account | None:
        """The session in `Bearer IGT:2:<base64 of JSON>`, if it is one of ours and fits the user in it."""
        try:
            said = json.loads(base64.b64decode(authorization.rpartition(":")[2]))
            account = self.world.session(said["sessionid"])
            return account if account and str(account.pk) == str(said["ds_user_id"]) else None
        except (KeyError, TypeError, ValueError):
            return None

    def post(self, request: web.Request) -> Post:
        """The post that the address names. Raises Refused: `media_gone`."""
        post = self.world.post(request.match_info["media"])
        if post is None:
            raise Refused("media_gone")
        return post

    def thread(self, request: web.Request, viewer: Account) -> Thread:
        """The viewer's conversation that the address names. Raises Refused: `thread_gone`."""
        thread = self.world.thread(request.match_info["thread"])
        if thread is None or viewer not in thread.people():
            raise Refused("thread_gone")
        return thread

    def url(self, request: web.Request, photo: Photo) -> str:
        """Where a photo is served: by the picture host, or by the address that the request came to."""
        if id(photo) not in self._names:
            name = self._pictures.put(photo.content, photo.content_type)
            self._names[id(photo)] = (photo, name)
        name = self._names[id(photo)][1]
        return f"{self._pictures.base_url or _address(request)}/pictures/{name}".replace(
            "//pictures", "/pictures"
        )

    def face(self, request: web.Request, account: Account) -> str:
        """An account's profile picture."""
        return f"{_address(request)}/profile/{account.username}.jpg"


def _address(request: web.Request) -> str:
    # instagrapi says `Host: i.instagram.com` wherever it is sent, so the header tells nothing.
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return f"http://{name[0]}:{name[1]}" if name else f"http://{request.host}"


async def read_form(request: web.Request) -> dict[str, Any]:
    """A request's fields, be they a form, a signed body or plain JSON. Empty if it is none of these."""
    body = (await request.read()).decode("utf-8", "replace")
    if body.startswith("{"):
        return as_object(body)
    fields: dict[str, Any] = dict(parse_qsl(body, keep_blank_values=True))
    signed = fields.get("signed_body")
    return as_object(signed.partition(".")[2]) if isinstance(signed, str) else fields


def as_object(text: str) -> dict[str, Any]:
    """A JSON object; empty if the text is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """A field that holds a JSON list, nested or not, flattened."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if not isinstance(value, list):
        return [value]
    return [inner for one in value for inner in (as_list(one) if isinstance(one, list) else [one])]


def as_number(value: Any, otherwise: int = 0) -> int:
    """A field that holds a whole number, such as a cursor or a page's size."""
    return int(value) if isinstance(value, str | int) and str(value).isdecimal() else otherwise


def ok(**fields: Any) -> web.Response:
    """An answer that went well."""
    return web.json_response({**fields, "status": "ok"})


Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


def fine(**fields: Any) -> Route:
    """A route that only says that all is well."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return ok(**fields)

    return answer


def refused(name: str) -> web.Response:
    """The answer to a refused call."""
    return PROBLEMS[name].answer()
