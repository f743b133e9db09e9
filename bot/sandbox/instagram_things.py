"""What the sandbox's Instagram is made of: accounts, posts, comments, conversations."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from PIL import Image


class MediaKind(IntEnum):
    """Instagram's `media_type`."""

    PHOTO = 1
    VIDEO = 2
    ALBUM = 8


class MessageKind(StrEnum):
    """Instagram's `item_type` of a direct message."""

    TEXT = "text"
    LINK = "link"
    MEDIA = "media"
    SHARE = "media_share"
    XMA_SHARE = "xma_media_share"
    ONCE = "raven_media"
    LIKE = "like"
    ACTION = "action_log"


@dataclass(frozen=True)
class Photo:
    """A picture as it was uploaded, whatever it holds."""

    content: bytes
    content_type: str
    width: int
    height: int
    """In pixels; 1080 x 1350 if the bytes are no picture."""

    @classmethod
    def of(cls, content: bytes, content_type: str = "image/jpeg") -> Photo:
        """Measure a picture."""
        try:
            with Image.open(io.BytesIO(content)) as image:
                return cls(content, content_type, *image.size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return cls(content, content_type, 1080, 1350)


@dataclass
class Account:
    """Somebody on the sandbox's Instagram."""

    pk: int
    username: str
    password: str
    totp_seed: str | None = None
    """Base32; None: no second factor."""
    messages_off: bool = False
    """Nobody can write to this account."""
    trouble: str | None = None
    """Name of the problem (see `instagram_problems`) that all of this account's calls meet."""

    @property
    def full_name(self) -> str:
        """For people to read."""
        return self.username.replace("_", " ").title()


@dataclass
class Comment:
    """A comment under a post."""

    pk: int
    author: Account
    text: str
    created_at: int
    """Unix seconds."""
    token: str = ""
    """The author's `idempotence_token`."""


@dataclass
class Post:
    """A post on somebody's profile."""

    pk: int
    author: Account
    caption: str
    kind: MediaKind
    photos: list[Photo]
    """One of a photo, several of an album, the cover (or nothing) of a video."""
    taken_at: int
    """Unix seconds."""
    comments: list[Comment] = field(default_factory=list)
    comments_off: bool = False
    comments_limited: bool = False

    @property
    def id(self) -> str:
        """Instagram's long media id."""
        return f"{self.pk}_{self.author.pk}"

    def tags(self) -> set[str]:
        """The caption's hashtags, lower case, without the #."""
        words = self.caption.replace("#", " #").split()
        return {word[1:].rstrip(".,;:!?)").lower() for word in words if word.startswith("#")}


@dataclass
class Reaction:
    """An emoji that somebody put on a message."""

    author: Account
    emoji: str
    created: int
    """Unix microseconds."""


@dataclass
class Message:
    """One item of a conversation."""

    item_id: int
    author: Account
    kind: MessageKind
    created: int
    """Unix microseconds; unique and rising within the world."""
    text: str | None = None
    photos: list[Photo] = field(default_factory=list)
    video: bool = False
    post: Post | None = None
    """What is shared."""
    url: str | None = None
    """Of a link."""
    client_context: str = ""
    """The sender's token for this message."""
    reactions: list[Reaction] = field(default_factory=list)

    @property
    def picture(self) -> bytes | None:
        """The first photo's bytes."""
        return self.photos[0].content if self.photos else None


@dataclass
class Thread:
    """A conversation of two."""

    thread_id: int
    short_id: int
    """Instagram's `thread_v2_id`."""
    opener: Account
    other: Account
    pending: bool = True
    """Whether `other` has yet to accept it."""
    messages: list[Message] = field(default_factory=list)
    """Oldest first."""
    seen: dict[int, Message] = field(default_factory=dict)
    """The last message that an account (by pk) has marked as seen."""

    def people(self) -> tuple[Account, Account]:
        """Both."""
        return self.opener, self.other

    def partner(self, viewer: Account) -> Account:
        """The one that `viewer` talks to."""
        return self.other if viewer.pk == self.opener.pk else self.opener

    def pending_for(self, viewer: Account) -> bool:
        """Whether it waits among `viewer`'s message requests."""
        return self.pending and viewer.pk == self.other.pk

    @property
    def last_activity(self) -> int:
        """Unix microseconds."""
        return self.messages[-1].created if self.messages else 0
