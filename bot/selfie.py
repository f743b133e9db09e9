"""What a selfie is to the bot: what came in, its states, and the steps between them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.messages import Refusal


class Source(StrEnum):
    """A stream of items on a platform, polled with a cursor of its own."""

    X_MENTIONS = "x.mentions"
    INSTAGRAM_HASHTAG = "instagram.hashtag"
    INSTAGRAM_MESSAGES = "instagram.messages"

    @property
    def platform(self) -> str:
        """The platform's name: `x` or `instagram`."""
        return self.value.partition(".")[0]


class Status(StrEnum):
    """Where a selfie stands; charted in the README."""

    SEEN = "seen"
    QUEUED = "queued"
    SCORED = "scored"
    REFUSED = "refused"
    REPLYING = "replying"
    REPLIED = "replied"
    FAILED = "failed"


STEPS: dict[Status, frozenset[Status]] = {
    Status.SEEN: frozenset({Status.QUEUED, Status.REFUSED, Status.FAILED}),
    Status.QUEUED: frozenset({Status.QUEUED, Status.SCORED, Status.REFUSED, Status.FAILED}),
    Status.SCORED: frozenset({Status.REPLYING, Status.FAILED}),
    Status.REFUSED: frozenset({Status.REPLYING, Status.FAILED}),
    # Claimed again once the claim's lease is over.
    Status.REPLYING: frozenset({Status.REPLYING, Status.REPLIED, Status.FAILED}),
    Status.REPLIED: frozenset(),
    Status.FAILED: frozenset(),
}
"""Which status may follow which."""

FINAL = frozenset({Status.REPLIED, Status.FAILED})


def may_step(before: Status, after: Status) -> bool:
    """Whether a selfie may go from `before` to `after`."""
    return after in STEPS[before]


@dataclass(frozen=True)
class Item:
    """Something that a person sent to the bot, as a platform's adapter found it."""

    source: Source
    item_id: str
    """The platform's id: tweet id, media pk, or message id. Unique within the platform."""
    author_id: str
    author_name: str
    """Handle, without the @."""
    thread_id: str | None
    """Of a direct message: the conversation to answer in. Of an Instagram post: its media id."""
    photo_url: str | None
    """None: the item carries no picture."""
    created_at: datetime
    """When it was posted; aware, UTC."""


@dataclass(frozen=True)
class Selfie:
    """A row of the database: an item and where it stands."""

    id: int
    item: Item
    status: Status
    attempt: int
    """How often it was dispatched to the worker."""
    since: datetime
    """When `status` last changed; aware, UTC."""
    reply_id: str | None = None
    score: float | None = None
    """0..9, not rounded; None before scoring and with a refusal."""
    plus_minus: float | None = None
    """Of the score, in points; None also for what was scored before Selfai told it."""
    refusal: Refusal | None = None
    reason: str | None = None
    """Why it failed; for the operator."""


@dataclass(frozen=True)
class Answer:
    """What goes out to a person: `bot.wording` writes it, an adapter posts it."""

    key: str
    """The same for every try at answering one selfie; adapters derive idempotency tokens from it."""
    text: str
    picture: bytes | None
    """JPEG without metadata, or None."""
    alt_text: str | None
    """Describes the picture to those who cannot see it."""
