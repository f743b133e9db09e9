from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from instagrapi.exceptions import DirectMessageRequestsDisabled, DirectThreadNotFound

from bot.sandbox.instagram_things import MessageKind
from tests.bot.sandbox.small_instagram import BOT, PASSWORD, SmallInstagram, jpeg, send_to, small_instagram


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallInstagram]:
    with small_instagram() as one:
        send_to(one.url, monkeypatch)
        yield one


def test_strangers_wait(small: SmallInstagram) -> None:
    """A stranger's message waits among the requests until it is accepted."""
    small.person("ada").direct_send("hello", user_ids=[small.world.bot.pk])
    bot = small.person(BOT)
    assert bot.direct_threads() == []
    (thread,) = bot.direct_pending_inbox()
    assert (thread.pending, thread.users[0].username) == (True, "ada")
    assert bot.direct_pending_approve(int(thread.id))
    assert bot.direct_pending_inbox() == []
    assert [one.id for one in bot.direct_threads()] == [thread.id]


def test_text_and_photo(small: SmallInstagram, tmp_path: Path) -> None:
    """A text opens a conversation, a photo follows, and both come back with their tokens."""
    (tmp_path / "me.jpg").write_bytes(jpeg())
    ada = small.person("ada")
    text = ada.direct_send("hello", user_ids=[small.world.bot.pk])
    photo = ada.direct_send_photo(tmp_path / "me.jpg", user_ids=[small.world.bot.pk])
    thread = small.world.thread_between(small.world.account("ada"), small.world.bot)
    assert thread is not None
    newest, oldest = small.person(BOT).direct_thread(thread.thread_id).messages
    assert (oldest.id, oldest.text, oldest.client_context) == (text.id, "hello", text.client_context)
    assert (newest.id, newest.client_context) == (photo.id, photo.client_context)
    assert newest.media is not None
    assert requests.get(str(newest.media.thumbnail_url), timeout=5).content.startswith(b"\xff\xd8")


def test_tokens(small: SmallInstagram) -> None:
    """The same client_context twice makes one message, unless the world is told otherwise."""
    ada, bot = small.world.account("ada"), small.world.bot
    first = small.world.send(bot, ada, MessageKind.TEXT, text="hello", token="1")
    assert small.world.send(bot, ada, MessageKind.TEXT, text="hello", token="1") is first
    small.world.deduplicates = False
    assert small.world.send(bot, ada, MessageKind.TEXT, text="hello", token="1") is not first
    assert [one.text for one in small.world.messages_to("ada")] == ["hello", "hello"]


def test_every_shape_is_read(small: SmallInstagram) -> None:
    """Instagrapi's models take every kind of message that the world knows."""
    world, pk = small.world, small.world.tag("ben", "me", jpeg())
    world.send_message("ada", "words")
    world.send_message("ada", picture=jpeg())
    world.send_message("ada", album=[jpeg(), jpeg()])
    world.send_message("ada", post=pk)
    world.send_message("ada", picture=jpeg(), kind=MessageKind.XMA_SHARE)
    world.send_message("ada", picture=jpeg(), kind=MessageKind.ONCE)
    world.send_message("ada", "see", url="https://example.com/")
    world.send_message("ada", kind=MessageKind.LIKE)
    world.send_message("ada", "ada named the group", kind=MessageKind.ACTION)
    world.react("ada", world.send_message("ada", kind=MessageKind.MEDIA))
    (thread,) = small.person(BOT).direct_pending_inbox()
    kinds = [message.item_type for message in reversed(thread.messages)]
    assert kinds == [
        *("text", "media", "media", "media_share", "xma_media_share"),
        *("raven_media", "link", "like", "action_log", "media"),
    ]
    shared, xma, once = thread.messages[6], thread.messages[5], thread.messages[4]
    assert shared.media_share is not None
    assert str(shared.media_share.pk) == pk
    assert xma.xma_share is not None
    assert once.visual_media is not None
    assert thread.messages[0].reactions is not None


def test_a_script_sends_links_shares_and_hearts(small: SmallInstagram) -> None:
    """Links, shared posts and reactions are sent as instagrapi sends them."""
    pk = small.world.tag("ada", "me", jpeg())
    ada = small.person("ada")
    sent = ada.direct_send("look https://example.com/", user_ids=[small.world.bot.pk])
    ada.direct_media_share(ada.media_id(pk), user_ids=[small.world.bot.pk])
    (thread,) = ada.direct_threads()
    assert ada.direct_send_reaction(int(thread.id), int(sent.id))
    link, share = small.world.conversation("ada")
    assert (link.kind, link.url, len(link.reactions)) == ("link", "https://example.com/", 1)
    assert share.post is small.world.post(pk)


def test_pages(small: SmallInstagram) -> None:
    """Inboxes and conversations come in pages, newest first, and are complete."""
    for number in range(25):
        small.world.send_message(f"person{number}", "hello")
    for number in range(45):
        small.world.send_message("ada", f"{number}")
    bot = small.person(BOT)
    threads = bot.direct_pending_inbox(0)
    assert len({one.id for one in threads}) == 26
    assert threads[0].users[0].username == "ada"
    messages = bot.direct_messages(int(threads[0].id), 0)
    assert [one.text for one in messages] == [str(number) for number in reversed(range(45))]


def test_seen_and_unsent(small: SmallInstagram) -> None:
    """Messages are marked as seen, and taken back by who sent them."""
    item = small.world.send_message("ada", "hello")
    bot, ada = small.person(BOT), small.person("ada")
    (thread,) = bot.direct_pending_inbox()
    assert bot.direct_send_seen(int(thread.id))
    assert bot.direct_pending_inbox()[0].is_seen(str(bot.user_id))
    bot.direct_message_delete(int(thread.id), int(item))
    assert len(small.world.conversation("ada")) == 1
    ada.direct_message_delete(int(thread.id), int(item))
    assert small.world.conversation("ada") == []


def test_refusals(small: SmallInstagram) -> None:
    """Nobody reads others' conversations, or writes to who takes no messages."""
    small.world.send_message("ada", "hello")
    (thread,) = small.person(BOT).direct_pending_inbox()
    with pytest.raises(DirectThreadNotFound):
        small.person("ben", PASSWORD).direct_thread(int(thread.id))
    small.world.account("ada").messages_off = True
    with pytest.raises(DirectMessageRequestsDisabled):
        small.person(BOT).direct_answer(int(thread.id), "hello")


def test_writing_accepts(small: SmallInstagram) -> None:
    """Who answers a request has accepted it."""
    small.world.send_message("ada", "hello")
    bot = small.person(BOT)
    (thread,) = bot.direct_pending_inbox()
    bot.direct_answer(int(thread.id), "hi")
    assert bot.direct_pending_inbox() == []
    assert [one.text for one in small.world.messages_to("ada")] == ["hi"]
