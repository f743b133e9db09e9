"""A small Instagram on loopback, speaking the private API as `instagrapi` 3.2 does.

It serves, on one port, what instagrapi sends to `i.instagram.com`, `b.i.instagram.com` (log-in),
`rupload.facebook.com` (photos in messages) and `www.instagram.com` (profiles), over plain HTTP.
instagrapi always says `https://` and those hosts, so send its requests here instead:

    import instagrapi, requests
    from urllib.parse import urlsplit

    SANDBOX = "http://127.0.0.1:8002"
    send = requests.adapters.HTTPAdapter.send

    def send_to_sandbox(adapter, request, **options):
        parts = urlsplit(request.url)
        if parts.hostname.endswith((".instagram.com", ".facebook.com")):
            request.url = SANDBOX + parts.path + ("?" + parts.query if parts.query else "")
            options["proxies"] = {}
        return send(adapter, request, **options)

    requests.adapters.HTTPAdapter.send = send_to_sandbox
    client = instagrapi.Client(private_transport="requests", request_timeout=0)
    client.login("ada", "sandbox")

A tidier way is an `HTTPAdapter` subclass that does the same, mounted on `client.private` and
`client.public`, for each host by name (instagrapi mounts its own on `https://` again whenever
settings are loaded). `login()` needs `b.i.instagram.com` too, and `client.public`, where it asks
for the key that passwords are encrypted with; `direct_send_photo` opens a `requests.Session` of its
own for `rupload.facebook.com`, which only the way above reaches. Instead of `i.instagram.com`,
`instagrapi.config.API_DOMAIN` may name any host that an adapter is mounted on.

Accounts: the bot `selfai_robot` and the people `ada` and `ben`, all with the password `sandbox`;
`PUT /_sandbox/accounts/NAME` with `{"password": ..., "totp_seed": ...}` makes more, and posting
through `InstagramWorld` makes them on the fly. `PUT /_sandbox/faults` orders misbehaviour.
"""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.instagram_accounts import Accounts
from bot.sandbox.instagram_direct import Direct
from bot.sandbox.instagram_login import Login
from bot.sandbox.instagram_posts import Posts
from bot.sandbox.instagram_problems import problems_middleware
from bot.sandbox.instagram_requests import Desk
from bot.sandbox.instagram_world import InstagramWorld
from bot.sandbox.pictures import Pictures

LARGEST_UPLOAD = 64 * 1024 * 1024
"""Bytes."""


def make_app(world: InstagramWorld, pictures: Pictures, faults: Faults) -> web.Application:
    """The sandbox's Instagram as an application, with its pictures under `/pictures/`."""
    app = web.Application(client_max_size=LARGEST_UPLOAD, middlewares=[problems_middleware])
    desk = Desk(world, pictures)
    for part in (Login(desk), Accounts(desk), Posts(desk), Direct(desk)):
        part.add_routes(app)
    pictures.add_routes(app)
    faults.apply_to(app)
    return app
