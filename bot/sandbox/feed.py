"""What people do through the sandbox's page and the demo: photos sent in three ways, and their answers."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import pillow_heif
from PIL import Image

from bot.sandbox.instagram_world import InstagramWorld
from bot.sandbox.x_world import XWorld


class Way(StrEnum):
    """How a photo reaches the bot."""

    TWEET = "tweet"
    TAG = "tag"
    MESSAGE = "message"

    @property
    def platform(self) -> str:
        """`x` or `instagram`."""
        return "x" if self is Way.TWEET else "instagram"


@dataclass(frozen=True)
class Photo:
    """A picture file as a person chose it."""

    content: bytes
    content_type: str

    @classmethod
    def of(cls, content: bytes) -> Photo | None:
        """The picture that these bytes begin like, however broken it may be further on; None: no picture."""
        pillow_heif.register_heif_opener()
        try:
            with Image.open(io.BytesIO(content)) as picture:
                kind = picture.get_format_mimetype()
        except Image.DecompressionBombError:
            kind = "image/png"
        except Exception:  # noqa: BLE001 - Pillow's readers raise whatever struct, zlib and friends raise
            return None
        return cls(content, kind or "image/jpeg")


@dataclass(frozen=True)
class Entry:
    """Something that a person sent to the bot."""

    id: int
    way: Way
    person: str
    """Handle, without the @."""
    text: str
    photo: Photo | None
    item_id: str
    """The platform's id of the post or message."""
    posted_at: datetime
    """Aware, UTC."""


@dataclass(frozen=True)
class Reply:
    """What the bot has answered so far."""

    text: str
    picture: bytes | None


class Feed:
    """Posts on both platforms as people, and looks up what the bot answered. Safe in any thread."""

    def __init__(self, x: XWorld, instagram: InstagramWorld, hashtag: str) -> None:
        self._x = x
        self._instagram = instagram
        self._hashtag = hashtag
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def post(self, way: Way, text: str, photo: Photo | None, person: str | None = None) -> Entry:
        """Send something to the bot, as `person` or as a guest that nobody has been before.

        A direct message's answer is found by its person, so one person should write once.
        """
        with self._lock:
            number = len(self._entries) + 1
            name = person or f"guest_{number}"
            item_id = self._send(way, name, text, photo)
            entry = Entry(number, way, name, text, photo, item_id, datetime.now(UTC))
            self._entries.append(entry)
            return entry

    def entries(self) -> Sequence[Entry]:
        """All that was sent, the newest first."""
        with self._lock:
            return self._entries[::-1]

    def entry(self, entry_id: int) -> Entry | None:
        """One of them."""
        with self._lock:
            return self._entries[entry_id - 1] if 0 < entry_id <= len(self._entries) else None

    def replies(self, entry: Entry) -> Sequence[Reply]:
        """All that the bot answered to this, in order; the parts of one direct message's answer are one."""
        match entry.way:
            case Way.TWEET:
                bot = self._x.bot.username
                posts = [post for post in self._x.replies_to(entry.item_id) if post.author == bot]
                return [Reply(post.text, post.picture) for post in posts]
            case Way.TAG:
                comments = self._instagram.comments_on(entry.item_id)
                return [Reply(one.text, None) for one in comments if one.author is self._instagram.bot]
            case Way.MESSAGE:
                return self._messages(entry.person)

    def _messages(self, person: str) -> Sequence[Reply]:
        parts = self._instagram.messages_to(person)
        texts = [part.text for part in parts if part.text]
        pictures = [part.picture for part in parts if part.picture]
        count = max(len(texts), len(pictures))
        return [
            Reply(
                texts[place] if place < len(texts) else "", pictures[place] if place < len(pictures) else None
            )
            for place in range(count)
        ]

    def _send(self, way: Way, person: str, text: str, photo: Photo | None) -> str:
        content = photo.content if photo else None
        kind = photo.content_type if photo else "image/jpeg"
        match way:
            case Way.TWEET:
                return self._x.post(person, f"@{self._x.bot.username} {text}".strip(), content, kind)
            case Way.TAG:
                return self._instagram.tag(person, f"{text} #{self._hashtag}".strip(), content, kind)
            case Way.MESSAGE:
                words = text or None if content else text
                return self._instagram.send_message(person, words, content, kind)
