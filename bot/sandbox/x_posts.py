"""What is kept on the small X: posts, media and direct messages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from PIL import Image

from bot.sandbox.x_text import mentions

MEDIA_LIFE = timedelta(hours=24)
"""How long an upload waits for the post that shows it."""

_EPOCH = 1288834974657
"""The first millisecond of X's ids, in Unix milliseconds."""

_KINDS = {"image/gif": ("16", "animated_gif"), "video/mp4": ("7", "video")}


@dataclass
class Media:
    """An upload. Its picture is served by the sandbox's picture host."""

    id: str
    owner_id: str
    picture: str
    """The picture's id at the picture host."""
    content_type: str
    size: int
    """Bytes."""
    uploaded_at: datetime
    pixels: tuple[int, int] | None = None
    """Width and height; None if the bytes are no picture that can be read."""
    alt_text: str | None = None

    @property
    def key(self) -> str:
        """The media key: a number for the kind, then the id."""
        return f"{_KINDS.get(self.content_type, ('3', ''))[0]}_{self.id}"

    @property
    def kind(self) -> str:
        """`photo`, `animated_gif` or `video`."""
        return _KINDS.get(self.content_type, ("", "photo"))[1]

    @property
    def expires_at(self) -> datetime:
        """When it can no longer be put into a post."""
        return self.uploaded_at + MEDIA_LIFE


@dataclass
class Upload:
    """An upload that comes in segments, not finished yet."""

    id: str
    owner_id: str
    content_type: str
    started_at: datetime
    segments: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Tweet:
    """A post; replies and quotes name the other post by its id."""

    id: str
    author_id: str
    text: str
    created_at: datetime
    media: Sequence[Media] = ()
    in_reply_to: str | None = None
    in_reply_to_user_id: str | None = None
    quoted: str | None = None
    quoted_user_id: str | None = None
    conversation_id: str = ""

    def mentions(self, user_id: str, username: str) -> bool:
        """Whether it names this account or answers it: X puts the name of who is answered in front."""
        names = {mention.text.lower() for mention in mentions(self.text)}
        return user_id == self.in_reply_to_user_id or username.lower() in names

    def calls(self, user_id: str, username: str) -> bool:
        """Whether it mentions or quotes this account, and so allows it an answer."""
        return user_id == self.quoted_user_id or self.mentions(user_id, username)


@dataclass(frozen=True)
class Message:
    """A direct message."""

    id: str
    sender_id: str
    recipient_id: str
    text: str
    created_at: datetime
    media: Media | None = None

    @property
    def conversation_id(self) -> str:
        """The one-to-one conversation's id: both accounts' ids, the smaller first."""
        return "-".join(sorted((self.sender_id, self.recipient_id), key=int))


@dataclass(frozen=True)
class Post:
    """A post as a person sees it: for the page, the demo and the tests."""

    id: str
    author: str
    """Handle, without the @."""
    text: str
    picture: bytes | None
    alt_text: str | None
    created_at: datetime
    in_reply_to: str | None = None


@dataclass
class Ids:
    """Snowflakes: numbers that grow with time, as strings."""

    last: int = field(default=0)

    def next(self, moment: datetime, backdated: bool = False) -> str:
        """An id for something that happens at `moment`; larger than all before unless backdated."""
        snowflake = (int(moment.timestamp() * 1000) - _EPOCH) << 22
        if backdated:
            self.last += 1
            return str(snowflake + self.last % (1 << 22))
        self.last = max(self.last + 1, snowflake)
        return str(self.last)


def utc_now() -> datetime:
    """The time; aware, UTC."""
    return datetime.now(UTC)


def measure(content: bytes) -> tuple[int, int] | None:
    """Width and height of a picture in pixels; None if the bytes are no picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (OSError, ValueError, Image.DecompressionBombError, SyntaxError):
        return None
