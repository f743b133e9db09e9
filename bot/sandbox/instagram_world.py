"""A small Instagram in memory: who is there, what they posted, what they wrote to each other.

Used directly by the sandbox's page, the demo and the tests, and over HTTP through `bot.sandbox.instagram`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence

from bot.sandbox.instagram_things import (
    Account,
    Comment,
    MediaKind,
    Message,
    MessageKind,
    Photo,
    Post,
    Reaction,
    Thread,
)

BOT = "selfai_robot"
PASSWORD = "sandbox"  # noqa: S105 - of made-up accounts in memory
"""Of every account that was not given another."""
PEOPLE = ("ada", "ben")

FIRST_MEDIA = 3_500_000_000_000_000_000
FIRST_COMMENT = 17_900_000_000_000_000
FIRST_SHORT_THREAD = 17_800_000_000_000_000
FIRST_THREAD = 340_282_366_841_710_300_949_128_000_000_000_000_000
FIRST_ITEM = 31_000_000_000_000_000_000_000_000_000_000_000


class InstagramWorld:
    """Accounts, posts and conversations. Every method may be called from any thread."""

    def __init__(
        self, bot: str = BOT, people: Sequence[str] = PEOPLE, clock: Callable[[], float] = time.time
    ):
        self.lock = threading.RLock()
        self.deduplicates = True
        """Whether a comment or message with a token that was used already makes nothing new."""
        self._clock = clock
        self._last_moment = 0
        self._count = 0
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, Account] = {}
        self._posts: dict[int, Post] = {}
        self._threads: dict[int, Thread] = {}
        self.bot = self.account(bot)
        for person in people:
            self.account(person)

    # -- Accounts ---------------------------------------------------------------------------------

    def account(self, username: str, password: str | None = None, totp_seed: str | None = None) -> Account:
        """The account of this name; a new one if there is none. Password and seed are set if given."""
        name = username.lstrip("@").lower()
        with self.lock:
            if name not in self._accounts:
                self._accounts[name] = Account(50_000_000_000 + self._next(), name, PASSWORD)
            account = self._accounts[name]
            account.password = password or account.password
            account.totp_seed = totp_seed or account.totp_seed
            return account

    def find_account(self, name_or_pk: str) -> Account | None:
        """The account of this name or number, if there is one."""
        with self.lock:
            accounts = list(self._accounts.values())
        wanted = name_or_pk.lower()
        return next((one for one in accounts if wanted in (one.username, str(one.pk))), None)

    def open_session(self, account: Account) -> str:
        """Log in: a new session's id."""
        session = f"{account.pk}%3A{secrets.token_urlsafe(12)}%3A22%3A{secrets.token_urlsafe(24)}"
        with self.lock:
            self._sessions[session] = account
        return session

    def session(self, session: str) -> Account | None:
        """Whose session this is, if it is one."""
        with self.lock:
            return self._sessions.get(session)

    def log_out(self, username: str) -> None:
        """End all of an account's sessions, as Instagram does now and then."""
        with self.lock:
            kept = {key: one for key, one in self._sessions.items() if one.username != username}
            self._sessions = kept

    # -- Posts ------------------------------------------------------------------------------------

    def tag(
        self,
        person: str,
        caption: str,
        picture: bytes | None = None,
        content_type: str = "image/jpeg",
        *,
        album: Sequence[bytes] = (),
        taken_at: int | None = None,
    ) -> str:
        """Let somebody post a picture, an album, or (with neither) a video. Gives the media's pk."""
        contents = list(album) or ([picture] if picture is not None else [])
        kind = MediaKind.ALBUM if album else MediaKind.PHOTO if contents else MediaKind.VIDEO
        photos = [Photo.of(content, content_type) for content in contents]
        return str(self.publish(self.account(person), caption, kind, photos, taken_at).pk)

    def publish(
        self, author: Account, caption: str, kind: MediaKind, photos: list[Photo], taken_at: int | None = None
    ) -> Post:
        """Put a post on somebody's profile."""
        with self.lock:
            pk = FIRST_MEDIA + self._next() * 1_000_003
            now = self._now() // 1_000_000
            post = Post(pk, author, caption, kind, photos, now if taken_at is None else taken_at)
            self._posts[pk] = post
            return post

    def post(self, media_id: str) -> Post | None:
        """The post with this pk or long id, if it is there (still)."""
        pk = media_id.partition("_")[0]
        with self.lock:
            return self._posts.get(int(pk)) if pk.isdecimal() else None

    def posts_of(self, author: Account) -> list[Post]:
        """Somebody's posts, newest first."""
        with self.lock:
            return [post for post in reversed(self._posts.values()) if post.author is author]

    def posts_tagged(self, tag: str) -> list[Post]:
        """The posts with this hashtag, newest first."""
        with self.lock:
            return [post for post in reversed(self._posts.values()) if tag.lower() in post.tags()]

    def delete_post(self, media_id: str) -> bool:
        """Take a post away; whether it was there."""
        post = self.post(media_id)
        with self.lock:
            return post is not None and self._posts.pop(post.pk, None) is not None

    def comment(self, author: Account, post: Post, text: str, token: str = "") -> Comment:
        """Comment on a post; the same token twice gives the same comment."""
        with self.lock:
            for one in post.comments:
                if self.deduplicates and token and (one.author, one.token) == (author, token):
                    return one
            new = Comment(FIRST_COMMENT + self._next(), author, text, self._now() // 1_000_000, token)
            post.comments.append(new)
            return new

    def comments_on(self, media_id: str) -> list[Comment]:
        """The comments on a post, oldest first. None if it is gone."""
        post = self.post(media_id)
        with self.lock:
            return list(post.comments) if post else []

    # -- Conversations ----------------------------------------------------------------------------

    def send_message(
        self,
        person: str,
        text: str | None = None,
        picture: bytes | None = None,
        content_type: str = "image/jpeg",
        *,
        kind: MessageKind | None = None,
        album: Sequence[bytes] = (),
        post: str | None = None,
        url: str | None = None,
    ) -> str:
        """Let somebody write to the bot. Gives the item's id.

        `kind` says as what the picture goes (`MEDIA`, view-`ONCE`, `XMA_SHARE`); text beside a
        picture is a message of its own, before it, as in the app. `post`: a media pk to share.
        """
        author = self.account(person)
        shared = self.post(post) if post else None
        photos = [Photo.of(content, content_type) for content in album or ([picture] if picture else [])]
        if photos and text is not None:
            self.send(author, self.bot, MessageKind.TEXT, text=text)
        natural = _natural_kind(shared, bool(photos), url)
        words = None if photos else text
        sent = self.send(author, self.bot, kind or natural, text=words, photos=photos, post=shared, url=url)
        return str(sent.item_id)

    def send(
        self,
        author: Account,
        to: Account,
        kind: MessageKind,
        *,
        text: str | None = None,
        photos: Sequence[Photo] = (),
        post: Post | None = None,
        url: str | None = None,
        token: str = "",
    ) -> Message:
        """Write to somebody; the same token twice in a conversation gives the same message."""
        with self.lock:
            thread = self.thread_between(author, to) or self._open_thread(author, to)
            thread.pending = thread.pending and not thread.pending_for(author)
            for one in thread.messages:
                if self.deduplicates and token and (one.author, one.client_context) == (author, token):
                    return one
            item_id = FIRST_ITEM + self._next() * 1_000_000_007
            new = Message(item_id, author, kind, self._now(), text, list(photos), False, post, url)
            new.client_context = token or str(6_800_000_000_000_000_000 + self._next())
            thread.messages.append(new)
            return new

    def react(self, person: str, item_id: str, emoji: str = "❤") -> None:
        """Let somebody put an emoji on a message of their conversation with the bot."""
        author = self.account(person)
        with self.lock:
            for message in self.conversation(person):
                if str(message.item_id) == item_id:
                    message.reactions.append(Reaction(author, emoji, self._now()))

    def conversation(self, person: str) -> list[Message]:
        """All that somebody and the bot have written to each other, oldest first."""
        with self.lock:
            thread = self.thread_between(self.account(person), self.bot)
            return list(thread.messages) if thread else []

    def messages_to(self, person: str) -> list[Message]:
        """All that the bot has written to somebody, oldest first."""
        return [message for message in self.conversation(person) if message.author is self.bot]

    def thread(self, thread_id: str | int) -> Thread | None:
        """The conversation with this long or short id."""
        with self.lock:
            threads = list(self._threads.values())
        return next(
            (one for one in threads if str(thread_id) in (str(one.thread_id), str(one.short_id))), None
        )

    def thread_between(self, one: Account, other: Account) -> Thread | None:
        """The conversation of these two."""
        pair = {one.pk, other.pk}
        with self.lock:
            threads = list(self._threads.values())
        return next((thread for thread in threads if {who.pk for who in thread.people()} == pair), None)

    def threads_of(self, viewer: Account, *, pending: bool) -> list[Thread]:
        """Somebody's conversations, or message requests, the most recently active first."""
        with self.lock:
            threads = [one for one in self._threads.values() if viewer in one.people() and one.messages]
        threads = [one for one in threads if one.pending_for(viewer) == pending]
        return sorted(threads, key=lambda one: one.last_activity, reverse=True)

    def _open_thread(self, opener: Account, other: Account) -> Thread:
        number = self._next()
        thread = Thread(FIRST_THREAD + number * 1_000_003, FIRST_SHORT_THREAD + number, opener, other)
        self._threads[thread.thread_id] = thread
        return thread

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _now(self) -> int:
        """Unix microseconds, later than ever before."""
        self._last_moment = max(int(self._clock() * 1_000_000), self._last_moment + 1)
        return self._last_moment


def _natural_kind(post: Post | None, has_photo: bool, url: str | None) -> MessageKind:
    if post is not None:
        return MessageKind.SHARE
    if has_photo:
        return MessageKind.MEDIA
    return MessageKind.LINK if url else MessageKind.TEXT
