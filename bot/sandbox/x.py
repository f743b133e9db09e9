"""A small X on loopback: the part of its API v2 that a bot needs, over HTTP.

`make_app` serves an `XWorld`. Beside X's own routes it serves the pictures, takes orders to
misbehave (`bot.sandbox.faults`), and opens accounts: `POST /_sandbox/accounts` with
`{"username": ...}` gives an account's credentials, `GET` gives all.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox import x_media, x_messages, x_tweets
from bot.sandbox.faults import Faults
from bot.sandbox.pictures import Pictures
from bot.sandbox.x_accounts import Account
from bot.sandbox.x_call import LARGEST_BODY, Call
from bot.sandbox.x_limits import Limits
from bot.sandbox.x_problems import XProblem, missing, unsupported_authentication
from bot.sandbox.x_query import Dialect, dialect_of, understand
from bot.sandbox.x_shapes import Json, View
from bot.sandbox.x_signature import Doorkeeper, SignedRequest
from bot.sandbox.x_world import XWorld


@dataclass(frozen=True)
class Route:
    """One of X's routes, its limit per caller in 15 minutes, and who may use it."""

    method: str
    path: str
    handle: Callable[[Call], Awaitable[Json]]
    limit: int
    for_app: bool = False
    """Whether the app's own bearer token is enough."""
    status: int = 200


ROUTES = (
    Route("GET", "/2/users/me", x_tweets.get_me, 75),
    Route("GET", "/2/users", x_tweets.get_users, 900, for_app=True),
    Route("GET", "/2/users/by", x_tweets.get_users_by_name, 900, for_app=True),
    Route("GET", "/2/users/by/username/{username}", x_tweets.get_user_by_name, 900, for_app=True),
    Route("GET", "/2/users/{id}", x_tweets.get_user, 900, for_app=True),
    Route("GET", "/2/users/{id}/mentions", x_tweets.get_mentions, 300, for_app=True),
    Route("GET", "/2/users/{id}/tweets", x_tweets.get_tweets_of, 900, for_app=True),
    Route("GET", "/2/tweets", x_tweets.get_tweets, 900, for_app=True),
    Route("GET", "/2/tweets/{id}", x_tweets.get_tweet, 900, for_app=True),
    Route("POST", "/2/tweets", x_tweets.create_tweet, 100, status=201),
    Route("DELETE", "/2/tweets/{id}", x_tweets.delete_tweet, 50),
    Route("POST", "/2/media/upload", x_media.upload, 500),
    Route("GET", "/2/media/upload", x_media.status, 1000),
    Route("POST", "/2/media/upload/initialize", x_media.initialize, 1875),
    Route("POST", "/2/media/upload/{id}/append", x_media.append, 1875),
    Route("POST", "/2/media/upload/{id}/finalize", x_media.finalize, 1875),
    Route("GET", "/2/media/{media_key}", x_media.show, 900, for_app=True),
    Route("POST", "/2/media/metadata", x_media.describe, 500),
    Route("GET", "/2/dm_events", x_messages.get_events, 15),
    Route("GET", "/2/dm_events/{event_id}", x_messages.get_event, 15),
    Route("DELETE", "/2/dm_events/{event_id}", x_messages.delete_event, 300),
    Route("GET", "/2/dm_conversations/with/{participant_id}/dm_events", x_messages.get_events_with, 15),
    Route("GET", "/2/dm_conversations/{id}/dm_events", x_messages.get_events_in, 15),
    Route("POST", "/2/dm_conversations/with/{participant_id}/messages", x_messages.send_with, 15, status=201),
    Route("POST", "/2/dm_conversations/{id}/messages", x_messages.send_in, 15, status=201),
)


def make_app(
    world: XWorld, pictures: Pictures, faults: Faults, limits: Limits | None = None
) -> web.Application:
    """The application that serves `world`; `limits` counts its requests (X's own limits by default)."""
    world.show_in(pictures)
    app = web.Application(client_max_size=LARGEST_BODY)
    service = _Service(world, Doorkeeper(world), limits or Limits(world.now))
    for route in ROUTES:
        # Some people end their base address with a slash.
        app.router.add_route(route.method, "/{_:/*}" + route.path[1:], service.handler(route))
    app.router.add_get("/_sandbox/accounts", service.show_accounts)
    app.router.add_post("/_sandbox/accounts", service.open_account)
    pictures.add_routes(app)
    faults.apply_to(app)
    app.router.add_route("*", "/{path:.*}", service.unknown)
    return app


@dataclass
class _Service:
    world: XWorld
    door: Doorkeeper
    limits: Limits

    def handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            dialect = dialect_of(request.query)
            try:
                return await self._answer(route, request)
            except XProblem as problem:
                return _refusal(problem, dialect)

        return handle

    async def _answer(self, route: Route, request: web.Request) -> web.Response:
        caller = self.door.admit(await _signed(request))
        if caller is None and not route.for_app:
            raise unsupported_authentication()
        key = f"{route.method} {route.path}"
        headers = self.limits.use(key, caller.id if caller else "app", route.limit)
        try:
            body = await route.handle(self._call(request, caller))
        except XProblem as problem:
            problem.headers = headers
            raise
        return _response(route.status, body, dict(headers))

    def _call(self, request: web.Request, caller: Account | None) -> Call:
        query = understand(request.query)
        view = View(self.world, query, lambda name: self.world.pictures.url(name, request))
        return Call(self.world, request, caller, query, view)

    async def unknown(self, request: web.Request) -> web.Response:
        """Any route that the small X does not have."""
        return _refusal(missing("path", request.path, "route"), dialect_of(request.query))

    async def show_accounts(self, request: web.Request) -> web.Response:
        """All credentials."""
        return web.json_response(self.world.credentials())

    async def open_account(self, request: web.Request) -> web.Response:
        """One account's credentials; the account is opened if there is none."""
        try:
            username = str((await request.json())["username"])
            account = self.world.account(username)
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"want {{'username': ...}}: {error!r}"}, status=400)
        return web.json_response(self.world.credentials()["accounts"][account.username])


async def _signed(request: web.Request) -> SignedRequest:
    form = ""
    if request.content_type == "application/x-www-form-urlencoded":
        form = await request.text()
    return SignedRequest(
        request.method,
        f"{request.scheme}://{request.host}",
        request.rel_url.raw_path,
        request.rel_url.raw_query_string,
        request.headers.get("Authorization", ""),
        form,
    )


def _refusal(problem: XProblem, dialect: Dialect) -> web.Response:
    return _response(problem.status, problem.body(dialect.problem_types), dict(problem.headers))


def _response(status: int, body: Json, headers: dict[str, str]) -> web.Response:
    return web.Response(
        status=status, text=json.dumps(body), headers=headers, content_type="application/json"
    )
