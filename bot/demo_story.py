"""Follows what was sent in the sandbox through the bot's records, and tells each step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from bot import tables
from bot.database import reading
from bot.sandbox.feed import Entry, Feed, Reply, Way

SENT = {Way.TWEET: "tweets at the bot", Way.TAG: "tags the bot", Way.MESSAGE: "sends a message"}
STEPS = {
    "seen": "seen",
    "queued": "queued for scoring",
    "refused": "no score",
    "scored": "scored",
    "replying": "answer on its way",
    "replied": "answered",
    "failed": "given up",
}


@dataclass(frozen=True)
class Outcome:
    """Where something that was sent stands."""

    status: str
    score: float | None
    plus_minus: float | None
    refusal: str | None
    reply_id: str | None


Tell = Callable[[Entry, str], None]


class Story:
    """Tells news of the feed's entries: `tell(entry, what happened)`."""

    def __init__(self, engine: Engine, feed: Feed, tell: Tell) -> None:
        self._engine = reading(engine)
        self._feed = feed
        self._tell = tell
        self._told: dict[tuple[int, str], float] = {}

    def outcome(self, entry: Entry) -> Outcome | None:
        """Where an entry stands in the bot's records; None if the bot has not seen it."""
        columns = tables.selfies.c
        asked = (columns.status, columns.score, columns.plus_minus, columns.refusal, columns.reply_id)
        question = select(*asked).where(
            columns.platform == entry.way.platform, columns.item_id == entry.item_id
        )
        with self._engine.begin() as connection:
            row = connection.execute(question).one_or_none()
        return None if row is None else Outcome(*row)

    def tell_news(self) -> None:
        """Tell what happened since the last time."""
        for entry in reversed(self._feed.entries()):
            if self._is_news(entry, "sent"):
                self._tell(entry, SENT[entry.way])
            outcome = self.outcome(entry)
            if outcome is not None and self._is_news(entry, outcome.status):
                self._tell(entry, _described(outcome))
            # A direct message's answer comes in parts; it is told once it is whole.
            replies = self._feed.replies(entry) if outcome and outcome.status == "replied" else []
            for number, reply in enumerate(replies):
                if self._is_news(entry, f"reply {number}"):
                    self._tell(entry, _quoted(reply))

    def missing(self, entries: Sequence[Entry], wants_picture: Callable[[Entry], bool]) -> list[Entry]:
        """Those of `entries` whose answer is not complete yet."""
        return [entry for entry in entries if not self._complete(entry, wants_picture(entry))]

    def _complete(self, entry: Entry, wants_picture: bool) -> bool:
        outcome, replies = self.outcome(entry), self._feed.replies(entry)
        if outcome is None or outcome.status != "replied" or not replies:
            return False
        return bool(replies[0].text) and (replies[0].picture is not None) >= wants_picture

    def _is_news(self, entry: Entry, what: str) -> bool:
        key = (entry.id, what)
        if key in self._told:
            return False
        self._told[key] = time.monotonic()
        return True


def record(entry: Entry, outcome: Outcome | None, reply: Reply, picture: str | None) -> dict[str, Any]:
    """An answer for replies.json."""
    return {
        "platform": entry.way.platform,
        "way": entry.way.value,
        "in_reply_to": entry.item_id,
        "text": reply.text,
        "score": outcome.score if outcome else None,
        "plus_minus": outcome.plus_minus if outcome else None,
        "refusal": outcome.refusal if outcome else None,
        "picture": picture,
    }


def _described(outcome: Outcome) -> str:
    words = STEPS[outcome.status]
    if outcome.status == "scored" and outcome.score is not None:
        doubt = "" if outcome.plus_minus is None else f" ± {outcome.plus_minus:.1f}"
        return f"{words}: {outcome.score:.1f}{doubt}"
    if outcome.status == "refused":
        return f"{words}: {outcome.refusal}"
    return words


def _quoted(reply: Reply) -> str:
    return f"“{reply.text}”{' with a picture' if reply.picture else ''}"
