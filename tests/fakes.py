"""Stand-ins for our own ports. They record what was asked of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from bot.platforms.base import Page, PlatformError
from bot.selfie import Answer, Item, Selfie, Source, Status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, time: timedelta) -> None:
        self.moment += time


class FakeStop(threading.Event):
    """A loop's stop event: waiting makes the fake clock go on; after so many waits it is set."""

    def __init__(self, clock: FakeClock, waits: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._clock = clock
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        seconds = timeout or 0.0
        self.waited.append(seconds)
        self._clock.pass_by(timedelta(seconds=seconds))
        if len(self.waited) >= self._waits:
            self.set()
        return self.is_set()


class FakePlatform:
    """A platform in memory. What `fails` holds for a method is raised by its next calls, in turn.

    With `loses_answers`, a reply is carried out and its answer never comes back.
    """

    def __init__(self, name: str = "x", sources: Sequence[Source] = (Source.X_MENTIONS,)) -> None:
        self._name = name
        self._sources = tuple(sources)
        self.pages: dict[Source, list[Page]] = defaultdict(list)
        self.fails: dict[str, list[Exception]] = defaultdict(list)
        self.loses_answers: PlatformError | None = None
        self.fetched: list[tuple[Source, str | None]] = []
        self.found: list[str] = []
        self.posted: list[tuple[str, Answer]] = []
        self.before_reply: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        return self._name

    @property
    def sources(self) -> Sequence[Source]:
        return self._sources

    def account(self) -> str:
        self._fail("account")
        return "selfai_robot"

    def fetch(self, source: Source, cursor: str | None) -> Page:
        self.fetched.append((source, cursor))
        self._fail("fetch")
        return self.pages[source].pop(0) if self.pages[source] else Page([], cursor)

    def find_reply(self, selfie: Selfie, answer: Answer) -> str | None:
        self.found.append(answer.key)
        self._fail("find_reply")
        keys = [answer.key for _, answer in self.posted]
        return f"reply-{keys.index(answer.key)}" if answer.key in keys else None

    def reply(self, selfie: Selfie, answer: Answer) -> str:
        self.before_reply()
        self._fail("reply")
        self.posted.append((selfie.item.item_id, answer))
        if self.loses_answers is not None:
            raise self.loses_answers
        return f"reply-{len(self.posted) - 1}"

    def _fail(self, method: str) -> None:
        if self.fails[method]:
            raise self.fails[method].pop(0)


def make_item(
    item_id: str = "1",
    source: Source = Source.X_MENTIONS,
    author_id: str = "7",
    author_name: str = "anna",
    photo_url: str | None = "https://pictures.example/1.jpg",
) -> Item:
    """An item that just came in."""
    thread_id = None if source is Source.X_MENTIONS else f"thread-{item_id}"
    return Item(source, item_id, author_id, author_name, thread_id, photo_url, NOON)


def make_selfie(item: Item | None = None, status: Status = Status.QUEUED) -> Selfie:
    """A selfie that stands in no database."""
    return Selfie(1, item or make_item(), status, 1, NOON)


def run_together(times: int, work: Callable[[], None]) -> None:
    """Run `work` in so many threads that start at the same moment; raises what one of them raised."""
    barrier = threading.Barrier(times)

    def start() -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(times) as threads:
        for done in [threads.submit(start) for _ in range(times)]:
            done.result()
