"""Instagram behind our port: tagged posts get a comment, direct messages a text and a picture.

It speaks Instagram's private API through instagrapi, which is against Instagram's terms: it is off
unless an operator sets it up, goes slowly, and stops at the first sign that Instagram minds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from instagrapi.exceptions import LoginRequired

from bot.clock import Clock
from bot.platforms.base import Broken, Forbidden, Gone, Later, Page, PlatformError
from bot.platforms.instagram_client import BotClient, mutation_token
from bot.platforms.instagram_failures import FAILURES, sort_failure
from bot.platforms.instagram_reading import ONE_BREATH, conversation_items, sent_at, tagged_item
from bot.platforms.instagram_session import InstagramSession
from bot.selfie import Answer, Item, Selfie, Source

log = logging.getLogger(__name__)

Json = dict[str, Any]
T = TypeVar("T")

FIRST_LOOK = timedelta(days=1)
"""How far back the first poll looks."""
OVERLAP = timedelta(minutes=10)
"""How far before the newest message the next poll begins: messages are let settle."""
SETTLE = timedelta(minutes=1)
"""How long a text without a photo is let be: the photo may be on its way."""
STAND_IN_SETTLE = timedelta(seconds=3)
"""The same where another server stands in for Instagram: people who try things out wait less."""
HASHTAG_PAGES = 3
PINNED = 3
"""So many conversations may stand before more recent ones."""


class InstagramPlatform:
    """One Instagram account. Its methods may be called from several threads; they take turns."""

    name = "instagram"
    sources: Sequence[Source] = (Source.INSTAGRAM_HASHTAG, Source.INSTAGRAM_MESSAGES)

    def __init__(
        self,
        username: str,
        password: str,
        *,
        home: Path,
        clock: Clock,
        hashtag: str = "selfai_robot",
        totp_seed: str | None = None,
        api_url: str | None = None,
    ) -> None:
        """`home`: folder of the session's file. `api_url`: stands in for Instagram. Touches no network."""
        self._session = InstagramSession(home, username, password, totp_seed, clock)
        self._hashtag = hashtag.removeprefix("#")
        self._clock = clock
        self._api_url = api_url
        self._settle = SETTLE if api_url is None else STAND_IN_SETTLE
        self._client: BotClient | None = None
        self._turn = threading.RLock()

    def account(self) -> str:
        """The handle that we are logged in as. Raises PlatformError."""
        return self._call("asking who we are", lambda client: str(client.account_info().username))

    def fetch(self, source: Source, cursor: str | None) -> Page:
        """What is new. Hashtags come in no order, so their cursor stays; that of messages moves.

        Raises PlatformError.
        """
        since = datetime.fromisoformat(cursor) if cursor else self._clock.now() - FIRST_LOOK
        if source is Source.INSTAGRAM_HASHTAG:
            items = self._call("reading the hashtag", lambda client: self._tagged(client, since))
            return Page(items, since.isoformat())
        return self._call("reading messages", lambda client: self._messages(client, since))

    def find_reply(self, selfie: Selfie, answer: Answer) -> str | None:
        """The id of our comment, or of the last part of our message, if all of it stands.

        Raises PlatformError.
        """
        if selfie.item.source is Source.INSTAGRAM_HASHTAG:
            return self._call("looking for our comment", lambda client: _our_comment(client, selfie, answer))
        standing = self._call("looking for our message", lambda client: _standing(client, selfie, answer))
        parts = _parts(answer)
        return standing[parts[-1]] if set(parts) <= standing.keys() else None

    def reply(self, selfie: Selfie, answer: Answer) -> str:
        """Comment, or send the parts of the message that do not stand yet. Raises PlatformError."""
        if selfie.item.source is Source.INSTAGRAM_HASHTAG:
            return self._call("commenting", lambda client: _comment(client, selfie, answer), Later)
        return self._call("sending a message", lambda client: _send(client, selfie, answer), Later)

    def _call(
        self, doing: str, act: Callable[[BotClient], T], unknown: Callable[[str], PlatformError] = Broken
    ) -> T:
        """Act while logged in; once more if Instagram has logged us out, which did nothing."""
        with self._turn:
            try:
                client = self._logged_in()
                try:
                    return act(client)
                except LoginRequired:
                    self._session.renew(client)
                    return act(client)
            except FAILURES as error:
                raise sort_failure(error, doing, self._clock.now(), unknown) from error

    def _logged_in(self) -> BotClient:
        if self._client is None:
            client = BotClient(self._api_url)
            self._session.resume(client)
            self._client = client
        return self._client

    def _tagged(self, client: BotClient, since: datetime) -> list[Item]:
        me = str(client.user_id)
        items: dict[str, Item] = {}
        for item in _readable(client.tagged(self._hashtag, HASHTAG_PAGES), tagged_item):
            if item.author_id != me and item.created_at > since:
                items[item.item_id] = item
        return sorted(items.values(), key=lambda item: item.created_at)

    def _messages(self, client: BotClient, since: datetime) -> Page:
        newest, items = since + OVERLAP, []
        for pending in (False, True):
            # All first: accepting a request takes it out of the list that we leaf through.
            for thread in list(_recent(client.threads(pending=pending), since)):
                newest = max(newest, _last_activity(thread))
                found = self._items_of(client, thread, since)
                if found and (not pending or _approve(client, thread)):
                    items += found
        items.sort(key=lambda item: item.created_at)
        return Page(items, (newest - OVERLAP).isoformat())

    def _items_of(self, client: BotClient, thread: Json, since: datetime) -> list[Item]:
        def read(one: Json) -> list[Item]:
            messages = _far_enough(client, one, since - ONE_BREATH)
            settled = self._clock.now() - self._settle
            return conversation_items(one, messages, str(client.user_id), since, settled)

        return next(_readable([thread], read), [])


def _readable(things: Iterable[Any], read: Callable[[Any], T]) -> Iterator[T]:
    """What can be read of `things`. One that Instagram shapes anew must not stop all others."""
    for thing in things:
        try:
            yield read(thing)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            name = thing.get("id") or thing.get("thread_id") if isinstance(thing, dict) else type(thing)
            log.error("Instagram's %s is shaped in a way that we cannot read: %r", name, error)


def _recent(threads: Iterator[Json], since: datetime) -> Iterator[Json]:
    """The conversations with something new: most recently active first, but for pinned ones."""
    old = 0
    for thread in threads:
        if _last_activity(thread) > since:
            yield thread
        elif (old := old + 1) > PINNED:
            return


def _last_activity(thread: Json) -> datetime:
    return sent_at({"timestamp": thread["last_activity_at"]})


def _far_enough(client: BotClient, thread: Json, since: datetime) -> list[Json]:
    """A conversation's messages back to `since`: those that came with it, or more if they do not reach."""
    messages: list[Json] = thread.get("items") or []
    if not thread.get("has_older") or any(sent_at(message) <= since for message in messages):
        return messages
    return list(takewhile(lambda message: sent_at(message) > since, client.messages(thread["thread_id"])))


def _approve(client: BotClient, thread: Json) -> bool:
    """Accept a stranger's message request; whether it is there still."""
    try:
        return bool(client.direct_pending_approve(thread["thread_id"]))
    except FAILURES as error:
        if isinstance(sort_failure(error, "", sent_at({"timestamp": 0})), Gone | Forbidden):
            log.warning("A message request went away: %s", error)
            return False
        raise


def _our_comment(client: BotClient, selfie: Selfie, answer: Answer) -> str | None:
    """Our comment with the answer's words, or one of ours that speaks to the author."""
    me, mention = str(client.user_id), f"@{selfie.item.author_name}".lower()
    for comment in client.comments(_media_id(selfie)):
        words = str(comment.get("text", "")).lower().split()
        if str(comment["user"].get("pk")) == me and (
            words == answer.text.lower().split() or mention in words
        ):
            return str(comment["pk"])
    return None


def _comment(client: BotClient, selfie: Selfie, answer: Answer) -> str:
    with client.tokens_from(f"{answer.key} comment"):
        return str(client.media_comment(_media_id(selfie), answer.text).pk)


def _media_id(selfie: Selfie) -> str:
    return selfie.item.thread_id or f"{selfie.item.item_id}_{selfie.item.author_id}"


def _parts(answer: Answer) -> list[str]:
    """The messages that an answer is made of, in order, by the seeds of their tokens."""
    text = f"{answer.key} text"
    return [text] if answer.picture is None else [text, f"{answer.key} photo"]


def _standing(client: BotClient, selfie: Selfie, answer: Answer) -> dict[str, str]:
    """The item ids of those parts of the answer that stand already."""
    wanted = {mutation_token(part): part for part in _parts(answer)}
    found = {}
    for message in client.messages(_thread_id(selfie)):
        if sent_at(message) < selfie.item.created_at:
            break
        part = wanted.get(str(message.get("client_context")))
        if part is not None:
            found[part] = str(message["item_id"])
    return found


def _send(client: BotClient, selfie: Selfie, answer: Answer) -> str:
    """Text first: it opens the conversation, and a photo without it says little."""
    ids = _standing(client, selfie, answer)
    text, *photo = _parts(answer)
    if text not in ids:
        with client.tokens_from(text):
            ids[text] = str(client.direct_send(answer.text, thread_ids=[int(_thread_id(selfie))]).id)
    for part in photo:
        if part not in ids and answer.picture is not None:
            with client.tokens_from(part):
                ids[part] = client.send_photo(_thread_id(selfie), answer.picture)
    return ids[(photo or [text])[-1]]


def _thread_id(selfie: Selfie) -> str:
    if selfie.item.thread_id is None:
        raise Gone(f"message {selfie.item.item_id} belongs to no conversation")
    return selfie.item.thread_id
