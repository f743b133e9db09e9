"""Users and the calls that the app makes around logging in."""

from __future__ import annotations

import hashlib
import io

from aiohttp import web
from PIL import Image

from bot.sandbox.instagram_problems import Refused
from bot.sandbox.instagram_requests import API, Desk, fine, ok, read_form
from bot.sandbox.instagram_shapes import Shapes
from bot.sandbox.instagram_things import Account

SMALL_TALK = (
    "launcher/sync",
    "accounts/contact_point_prefill",
    "accounts/get_prefill_candidates",
    "accounts/msisdn_header_bootstrap",
    "accounts/read_msisdn_header",
    "zr/token/result",
    "attribution/log_attribution",
    "logging_client_events",
)
"""Called by clients before they log in; nothing follows from them here."""


class Accounts:
    """The routes about users."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        for name in SMALL_TALK:
            app.router.add_route("*", f"{API}{name}/", fine())
        app.router.add_get(f"{API}accounts/current_user/", self._current)
        app.router.add_post(f"{API}feed/timeline/", self._timeline)
        app.router.add_post(f"{API}feed/reels_tray/", self._tray)
        app.router.add_get(f"{API}users/web_profile_info/", self._web_profile)
        app.router.add_get(f"{API}users/search/", self._search)
        app.router.add_get(f"{API}users/{{user}}/usernameinfo/", self._user)
        app.router.add_get(f"{API}users/{{user}}/info/", self._user)
        app.router.add_get("/profile/{user}.jpg", self._face)
        app.router.add_put("/_sandbox/accounts/{user}", self._create)

    async def _current(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        more = {"email": f"{viewer.username}@example.com", "phone_number": "", "gender": 3, "birthday": None}
        return ok(user={**Shapes(self._desk, request).profile(viewer), **more})

    async def _timeline(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        return ok(feed_items=[], num_results=0, more_available=False)

    async def _tray(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        return ok(tray=[], broadcasts=[])

    async def _user(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        return ok(user=Shapes(self._desk, request).profile(self._named(request.match_info["user"])))

    async def _search(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        found = self._desk.world.find_account(request.query.get("query") or request.query.get("q") or "")
        users = [Shapes(self._desk, request).user(found)] if found else []
        return ok(users=users, num_results=len(users), has_more=False)

    async def _web_profile(self, request: web.Request) -> web.Response:
        account = self._named(request.query.get("username", ""))
        profile = Shapes(self._desk, request).profile(account)
        count = {"count": profile["media_count"]}
        more = {
            "edge_owner_to_timeline_media": count,
            "edge_followed_by": {"count": 0},
            "edge_follow": {"count": 0},
            "is_business_account": False,
            "business_email": None,
            "business_phone_number": None,
        }
        short = {key: profile[key] for key in ("id", "username", "full_name", "is_private", "is_verified")}
        return ok(data={"user": {**short, **more, "profile_pic_url": profile["profile_pic_url"]}})

    async def _face(self, request: web.Request) -> web.Response:
        """A profile picture: everybody has a colour of their own."""
        name = self._named(request.match_info["user"]).username
        red, green, blue = hashlib.sha256(name.encode()).digest()[:3]
        out = io.BytesIO()
        Image.new("RGB", (150, 150), (red, green, blue)).save(out, "JPEG")
        return web.Response(body=out.getvalue(), content_type="image/jpeg")

    async def _create(self, request: web.Request) -> web.Response:
        """Not Instagram's: make an account, or change its password or second factor."""
        said = await read_form(request)
        account = self._desk.world.account(
            request.match_info["user"], said.get("password"), said.get("totp_seed")
        )
        return ok(username=account.username, password=account.password, pk=account.pk)

    def _named(self, name_or_pk: str) -> Account:
        account = self._desk.world.find_account(name_or_pk)
        if account is None:
            raise Refused("user_not_found")
        return account
