"""Direct messages: inboxes, conversations, and what is sent in them."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.instagram_problems import Refused
from bot.sandbox.instagram_requests import API, Desk, as_list, as_number, ok, read_form
from bot.sandbox.instagram_shapes import Json, Shapes
from bot.sandbox.instagram_things import Account, Message, MessageKind, Photo, Reaction, Thread

DIRECT = f"{API}direct_v2/"
INBOX_SIZE = 10
"""Conversations in one page of an inbox, where a client asks for no other number."""
THREAD_SIZE = 10
"""Messages in one page of a conversation, where a client asks for no other number."""
NEVER = 1 << 62
"""A moment after all messages, in Unix microseconds. Cursors are moments."""
FIRST_UPLOAD = 900_000_000_000_000


class Direct:
    """The routes about direct messages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        get, post = app.router.add_get, app.router.add_post
        get(f"{DIRECT}inbox/", self._inbox)
        get(f"{DIRECT}pending_inbox/", self._inbox)
        get(f"{DIRECT}spam_inbox/", self._spam)
        get(f"{DIRECT}threads/get_by_participants/", self._by_participants)
        get(f"{DIRECT}threads/{{thread}}/", self._thread)
        post(f"{DIRECT}threads/{{thread}}/approve/", self._approve)
        post(f"{DIRECT}threads/{{thread}}/items/{{item}}/seen/", self._seen)
        post(f"{DIRECT}threads/{{thread}}/items/{{item}}/delete/", self._unsend)
        post(f"{DIRECT}threads/broadcast/reaction/", self._react)
        post(f"{DIRECT}threads/broadcast/{{kind}}/", self._send)
        post("/messenger_image/{name}", self._upload)

    async def _inbox(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        pending = request.path.endswith("pending_inbox/")
        threads = self._desk.world.threads_of(viewer, pending=pending)
        waiting = len(self._desk.world.threads_of(viewer, pending=True))
        before = as_number(request.query.get("cursor"), NEVER)
        threads = [thread for thread in threads if thread.last_activity < before]
        size = as_number(request.query.get("limit")) or INBOX_SIZE
        depth = as_number(request.query.get("thread_message_limit")) or THREAD_SIZE
        page = [self._page(request, viewer, one, NEVER, depth) for one in threads[:size]]
        more = {"oldest_cursor": str(threads[size - 1].last_activity)} if size < len(threads) else {}
        inbox = {"threads": page, "has_older": bool(more), "unseen_count": 0, **more}
        return ok(inbox=inbox, pending_requests_total=waiting, seq_id=1)

    async def _spam(self, request: web.Request) -> web.Response:
        self._desk.viewer(request)
        return ok(inbox={"threads": [], "has_older": False})

    def _page(self, request: web.Request, viewer: Account, thread: Thread, before: int, size: int) -> Json:
        """Part of a conversation: the newest `size` messages from before a moment."""
        messages = [message for message in reversed(thread.messages) if message.created < before]
        older = str(messages[size - 1].created) if size < len(messages) else None
        return Shapes(self._desk, request).thread(thread, viewer, messages[:size], older)

    async def _thread(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        thread = self._desk.thread(request, viewer)
        before = as_number(request.query.get("cursor"), NEVER)
        size = as_number(request.query.get("limit")) or THREAD_SIZE
        return ok(thread=self._page(request, viewer, thread, before, size))

    async def _by_participants(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        people = [self._account(pk) for pk in as_list(request.query.get("recipient_users", ""))]
        users = [Shapes(self._desk, request).user(person) for person in people]
        thread = self._desk.world.thread_between(viewer, people[0]) if len(people) == 1 else None
        if thread is None:
            return ok(users=users)
        return ok(thread=self._page(request, viewer, thread, NEVER, THREAD_SIZE), users=users)

    async def _approve(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        thread = self._desk.thread(request, viewer)
        thread.pending = thread.pending and not thread.pending_for(viewer)
        return ok()

    async def _seen(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        thread = self._desk.thread(request, viewer)
        thread.seen[viewer.pk] = _item(thread, request.match_info["item"])
        return ok(payload={"count": 1, "timestamp": str(thread.last_activity)}, action="item_ack")

    async def _unsend(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        thread = self._desk.thread(request, viewer)
        message = _item(thread, request.match_info["item"])
        if message.author is viewer:
            thread.messages.remove(message)
        return ok()

    async def _react(self, request: web.Request) -> web.Response:
        viewer = self._desk.viewer(request)
        said = await read_form(request)
        thread = self._target(viewer, said)
        if isinstance(thread, Account):
            raise Refused("thread_gone")
        message = _item(thread, str(said.get("item_id", "")))
        message.reactions.append(Reaction(viewer, str(said.get("emoji", "❤")), thread.last_activity + 1))
        return ok()

    async def _send(self, request: web.Request) -> web.Response:
        """Send a text, a link, an uploaded photo or a shared post."""
        viewer = self._desk.viewer(request)
        said = await read_form(request)
        target = self._target(viewer, said)
        partner = target if isinstance(target, Account) else target.partner(viewer)
        if partner.messages_off:
            raise Refused("messages_off")
        sent = self._sent(viewer, partner, request.match_info["kind"], said)
        thread = self._desk.world.thread_between(viewer, partner)
        ids = {"thread_id": str(thread.thread_id), "canonical": True} if thread else {}
        item = {"item_id": str(sent.item_id), "timestamp": str(sent.created), "participant_ids": []}
        payload = {**ids, **item, "client_context": sent.client_context}
        return ok(action="item_ack", status_code="200", payload=payload)

    def _sent(self, viewer: Account, partner: Account, kind: str, said: Json) -> Message:
        send, token = self._desk.world.send, str(said.get("client_context", ""))
        if kind == "text":
            return send(viewer, partner, MessageKind.TEXT, text=str(said.get("text", "")), token=token)
        if kind == "link":
            urls = as_list(said.get("link_urls", ""))
            text, url = str(said.get("link_text", "")), str(urls[0]) if urls else ""
            return send(viewer, partner, MessageKind.LINK, text=text, url=url, token=token)
        if kind == "photo_attachment":
            photo = self._desk.uploads.get(str(said.get("attachment_fbid")))
            if photo is None:
                raise Refused("upload_missing")
            return send(viewer, partner, MessageKind.MEDIA, photos=[photo], token=token)
        post = self._desk.world.post(str(said.get("media_id", ""))) if kind == "media_share" else None
        if post is None:
            raise Refused("media_gone" if kind == "media_share" else "no_such_route")
        return send(viewer, partner, MessageKind.SHARE, post=post, token=token)

    def _target(self, viewer: Account, said: Json) -> Account | Thread:
        """To whom: the conversation in `thread_ids`, or the account in `recipient_users`."""
        threads, people = as_list(said.get("thread_ids") or []), as_list(said.get("recipient_users") or [])
        if threads:
            thread = self._desk.world.thread(str(threads[0]))
            if thread is None or viewer not in thread.people():
                raise Refused("thread_gone")
            return thread
        return self._account(people[0] if people else None)

    def _account(self, pk: object) -> Account:
        account = self._desk.world.find_account(str(pk))
        if account is None:
            raise Refused("user_not_found")
        return account

    async def _upload(self, request: web.Request) -> web.Response:
        """Facebook's upload host, on this port: a photo for a message."""
        self._desk.viewer(request)
        photo = Photo.of(await request.read(), request.headers.get("x-entity-type", "image/jpeg"))
        media_id = FIRST_UPLOAD + len(self._desk.uploads) + 1
        self._desk.uploads[str(media_id)] = photo
        return web.json_response({"media_id": media_id})


def _item(thread: Thread, item_id: str) -> Message:
    for message in thread.messages:
        if str(message.item_id) == item_id:
            return message
    raise Refused("thread_gone")
