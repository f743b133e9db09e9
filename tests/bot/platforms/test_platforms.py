"""What every platform must do, asked alike of the fake and of both adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.platforms.base import Later, Page, Platform
from bot.platforms.instagram import InstagramPlatform
from bot.sandbox.faults import Fault, FaultKind
from bot.selfie import Answer, Selfie, Source, Status
from tests.bot.platforms import x_setup
from tests.bot.sandbox import small_instagram, small_x
from tests.fakes import FakePlatform, make_item


@dataclass
class Stage:
    """A platform, and the hands of its people."""

    platform: Platform
    source: Source
    send: Callable[[], str]
    """A person sends a selfie; gives the item's id."""
    lose_answers: Callable[[], None]
    """From now on writes are carried out, and nobody hears of it."""
    count_replies: Callable[[str], int]
    """How many of our answers stand, complete or not, for an item's id."""

    def selfie(self, item_id: str) -> Selfie:
        """What the bot makes of an item that it fetched."""
        (item,) = [item for item in self.platform.fetch(self.source, None).items if item.item_id == item_id]
        return Selfie(7, item, Status.REPLYING, 1, datetime.now(UTC))


def _answer(selfie: Selfie) -> Answer:
    carries = selfie.item.source is not Source.INSTAGRAM_HASHTAG
    picture = small_x.jpeg(64, 64) if carries else None
    return Answer(f"selfai-{selfie.item.item_id}", "6.3 of 9.", picture, "A crop." if carries else None)


@contextmanager
def _fake(_: Path) -> Iterator[Stage]:
    fake = FakePlatform()
    items: list[str] = []

    def send() -> str:
        items.append(str(len(items) + 1))
        page = Page([make_item(item_id) for item_id in items], items[-1])
        fake.pages[Source.X_MENTIONS] = [page] * 9
        return items[-1]

    def lose_answers() -> None:
        fake.loses_answers = Later("no answer")

    def count_replies(item_id: str) -> int:
        return [posted for posted, _ in fake.posted].count(item_id)

    yield Stage(fake, Source.X_MENTIONS, send, lose_answers, count_replies)


@contextmanager
def _x(_: Path) -> Iterator[Stage]:
    with small_x.small_x_running() as small:
        yield Stage(
            x_setup.platform(small.world, small.url),
            Source.X_MENTIONS,
            lambda: small.world.post("ada", f"@{small_x.BOT} hello", small_x.jpeg()),
            lambda: small.faults.add(Fault(FaultKind.NO_ANSWER, "/2/tweets", "POST")),
            lambda item_id: len(small.world.replies_to(item_id)),
        )


@contextmanager
def _instagram(home: Path, source: Source) -> Iterator[Stage]:
    with small_instagram.small_instagram() as small:
        world, jpeg = small.world, small_instagram.jpeg
        tagged = source is Source.INSTAGRAM_HASHTAG
        yield Stage(
            InstagramPlatform(
                small_instagram.BOT, small_instagram.PASSWORD, home=home, clock=small.clock, api_url=small.url
            ),
            source,
            (lambda: world.tag("ada", f"me #{small_instagram.TAG}", jpeg()))
            if tagged
            else (lambda: world.send_message("ada", None, jpeg())),
            lambda: small.faults.add(
                Fault(FaultKind.NO_ANSWER, "*/comment/" if tagged else "*/broadcast/*", "POST")
            ),
            (lambda item_id: len(world.comments_on(item_id)))
            if tagged
            else (lambda _: sum(message.kind.value == "text" for message in world.messages_to("ada"))),
        )


STAGES: dict[str, Callable[[Path], AbstractContextManager[Stage]]] = {
    "fake": _fake,
    "x": _x,
    "instagram-hashtag": lambda home: _instagram(home, Source.INSTAGRAM_HASHTAG),
    "instagram-messages": lambda home: _instagram(home, Source.INSTAGRAM_MESSAGES),
}


@pytest.fixture(params=list(STAGES))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Each platform, its people, and a way to make it lose answers."""
    with STAGES[request.param](tmp_path) as stage:
        yield stage


def test_it_says_who_and_what_it_is(stage: Stage) -> None:
    """A platform names itself as its sources do, and knows the account it is logged in as."""
    assert stage.source in stage.platform.sources
    assert {source.platform for source in stage.platform.sources} == {stage.platform.name}
    assert stage.platform.account() == small_x.BOT


def test_what_people_send_is_fetched(stage: Stage) -> None:
    """An item comes with its source, its author and the picture's address."""
    item_id = stage.send()
    item = stage.selfie(item_id).item
    assert item.source is stage.source
    assert item.author_id
    assert item.photo_url is not None
    assert item.photo_url.startswith("http")
    assert item.created_at.tzinfo is not None


def test_what_comes_after_a_cursor_is_fetched_with_it(stage: Stage) -> None:
    """Asking with the cursor gives what came since; earlier items may come again, later ones must."""
    stage.send()
    first = stage.platform.fetch(stage.source, None)
    second_id = stage.send()
    second = stage.platform.fetch(stage.source, first.cursor)
    assert second_id in [item.item_id for item in second.items]


def test_an_answer_stands_once_it_is_given(stage: Stage) -> None:
    """Before the reply none is found; after it the very same is."""
    selfie = stage.selfie(stage.send())
    answer = _answer(selfie)
    assert stage.platform.find_reply(selfie, answer) is None
    reply_id = stage.platform.reply(selfie, answer)
    assert stage.platform.find_reply(selfie, answer) == reply_id
    assert stage.count_replies(selfie.item.item_id) == 1


def test_another_selfies_answer_is_not_this_ones(stage: Stage) -> None:
    """Two selfies of one person are told apart."""
    first, second = (stage.selfie(stage.send()) for _ in range(2))
    stage.platform.reply(first, _answer(first))
    assert stage.platform.find_reply(second, _answer(second)) is None


def test_an_answer_that_nobody_heard_of_is_not_repeated(stage: Stage) -> None:
    """A write whose answer is lost fails as Later; asked again as the responder does, it stands once."""
    selfie = stage.selfie(stage.send())
    answer = _answer(selfie)
    stage.lose_answers()
    with pytest.raises(Later):
        stage.platform.reply(selfie, answer)
    if stage.platform.find_reply(selfie, answer) is None:
        stage.platform.reply(selfie, answer)
    assert stage.platform.find_reply(selfie, answer) is not None
    assert stage.count_replies(selfie.item.item_id) == 1
