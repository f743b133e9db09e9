"""A small Instagram, and our adapter for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.platforms.instagram import InstagramPlatform
from bot.selfie import Answer, Item, Selfie, Source, Status
from tests.bot.sandbox.small_instagram import BOT, PASSWORD, TAG, SmallInstagram, jpeg, small_instagram

HASHTAG, MESSAGES = Source.INSTAGRAM_HASHTAG, Source.INSTAGRAM_MESSAGES


@dataclass
class Setting:
    """The bot in its small Instagram."""

    small: SmallInstagram
    home: Path
    platform: InstagramPlatform

    def another(self, **changes: str) -> InstagramPlatform:
        """The same account in another process, or after a new start."""
        options = {"username": BOT, "password": PASSWORD, **changes}
        return InstagramPlatform(**options, home=self.home, clock=self.small.clock, api_url=self.small.url)

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.small.clock.pass_by(timedelta(**time))

    def tagged(self, person: str = "ada") -> Selfie:
        """Somebody tags a selfie, and we find it."""
        pk = self.small.world.tag(person, f"me #{TAG}", jpeg())
        items = self.platform.fetch(HASHTAG, None).items
        return selfie(next(item for item in items if item.item_id == pk))

    def written(self, person: str = "ada") -> Selfie:
        """Somebody sends us a selfie, and we find it."""
        item_id = self.small.world.send_message(person, None, jpeg())
        items = self.platform.fetch(MESSAGES, None).items
        return selfie(next(item for item in items if item.item_id == item_id))

    def sent(self, person: str = "ada") -> list[str]:
        """The kinds of what we wrote to somebody."""
        return [message.kind.value for message in self.small.world.messages_to(person)]

    def comments(self, about: Selfie) -> list[str]:
        """What stands under a post."""
        return [comment.text for comment in self.small.world.comments_on(about.item.item_id)]


def selfie(item: Item) -> Selfie:
    """As the database gives it to the responder."""
    return Selfie(7, item, Status.REPLYING, 1, item.created_at)


def answer(about: Selfie, text: str = "It scores 5.3.") -> Answer:
    """A scored selfie's answer."""
    picture = jpeg((20, 90, 200)) if about.item.source is MESSAGES else None
    key = f"selfai-instagram-{about.item.item_id}"
    return Answer(key, text, picture, "a crop" if picture else None)


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    """The bot in its small Instagram."""
    with small_instagram() as small:
        platform = InstagramPlatform(
            BOT, PASSWORD, home=tmp_path / "home", clock=small.clock, api_url=small.url
        )
        yield Setting(small, tmp_path / "home", platform)
