"""The port: what the bot needs of a platform, and the four ways a platform fails.

An adapter turns every error of its client library into one of the four; nothing else leaks.
A write that may or may not have happened (time-out, cut answer) is `Later`: the responder
comes back, asks `find_reply` whether an answer stands, and writes only if none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.selfie import Answer, Item, Selfie, Source


class PlatformError(Exception):
    """Any of the four failures; the message is for the operator."""


class Later(PlatformError):
    """Not now: rate limit, outage, time-out. Nothing is wrong with the request."""

    def __init__(self, message: str, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until
        """Aware, UTC: when the platform says to come back; None if it does not say."""


class Forbidden(PlatformError):
    """This one action is not allowed (the author blocked us, replies are limited): do not repeat it."""


class Gone(PlatformError):
    """What we would answer is not there any more."""


class Broken(PlatformError):
    """Our side is wrong until a person looks: credentials, challenge, credit used up, unknown answer."""


@dataclass(frozen=True)
class Page:
    """All that is new in a source since a cursor, oldest first, and the cursor to ask with next."""

    items: Sequence[Item]
    cursor: str | None


class Platform(Protocol):
    """A platform's account, logged in."""

    @property
    def name(self) -> str:
        """`x` or `instagram`: `Source.platform` of its sources."""

    @property
    def sources(self) -> Sequence[Source]:
        """What can be polled."""

    def account(self) -> str:
        """The handle that we are logged in as; asks the platform. For `selfai check`."""

    def fetch(self, source: Source, cursor: str | None) -> Page:
        """What is new since `cursor` (None: the first poll of all). Items may come again.

        On the first poll only items of the last day are given: nobody wants an answer to
        last year's selfie. Our own items, and pictureless replies to our own answers, are
        left out: they ask nothing.
        """

    def find_reply(self, selfie: Selfie, answer: Answer) -> str | None:
        """The id of our complete answer to `selfie` that stands already, or None."""

    def reply(self, selfie: Selfie, answer: Answer) -> str:
        """Post the answer and give its id. Of an answer in parts, parts that stand are not repeated."""
