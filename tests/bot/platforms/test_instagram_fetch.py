from __future__ import annotations

from datetime import timedelta

import requests

from bot.sandbox.instagram_problems import fault
from bot.sandbox.instagram_things import MessageKind
from bot.selfie import Item
from tests.bot.platforms.instagram_setup import HASHTAG, MESSAGES, Setting, setting
from tests.bot.sandbox.small_instagram import BOT, TAG, jpeg

__all__ = ["setting"]


def messages(setting: Setting, cursor: str | None = None) -> list[Item]:
    return list(setting.platform.fetch(MESSAGES, cursor).items)


def test_tagged_posts(setting: Setting) -> None:
    """Tagged posts of the last day come once each, oldest first, over several pages; ours are left out."""
    world, old = setting.small.world, int((setting.small.clock.now() - timedelta(days=2)).timestamp())
    posted = []
    for number in range(10):
        setting.wait(seconds=2)
        posted.append(world.tag("ada", f"{number} #{TAG}", jpeg()))
    world.tag("ada", f"#{TAG}", jpeg(), taken_at=old)
    world.tag(BOT, f"#{TAG}", jpeg())
    page = setting.platform.fetch(HASHTAG, None)
    assert [item.item_id for item in page.items] == posted
    first = page.items[0]
    assert (first.author_name, first.source) == ("ada", HASHTAG)
    assert first.thread_id == f"{first.item_id}_{first.author_id}"
    assert requests.get(str(first.photo_url), timeout=5).content == jpeg()


def test_the_hashtags_cursor_stays(setting: Setting) -> None:
    """The hashtag is always read from a day before the first poll on: posts come in no order."""
    first = setting.platform.fetch(HASHTAG, None)
    assert first.cursor == (setting.small.clock.now() - timedelta(days=1)).isoformat()
    setting.wait(days=3)
    pk = setting.small.world.tag("ada", f"#{TAG}", jpeg())
    setting.wait(days=3)
    second = setting.platform.fetch(HASHTAG, first.cursor)
    assert [item.item_id for item in second.items] == [pk]
    assert second.cursor == first.cursor


def test_albums_and_videos(setting: Setting) -> None:
    """Of an album the first photo counts; a video carries none."""
    world = setting.small.world
    album = world.tag("ada", f"#{TAG}", album=[jpeg((1, 2, 3)), jpeg()])
    video = world.tag("ben", f"#{TAG}")
    found = {item.item_id: item.photo_url for item in setting.platform.fetch(HASHTAG, None).items}
    assert requests.get(str(found[album]), timeout=5).content == jpeg((1, 2, 3))
    assert found[video] is None


def test_a_photo_from_a_stranger(setting: Setting) -> None:
    """A stranger's photo is found among the requests, and the request is accepted."""
    item_id = setting.small.world.send_message("ada", None, jpeg())
    (item,) = messages(setting)
    assert (item.item_id, item.author_name, item.source) == (item_id, "ada", MESSAGES)
    assert requests.get(str(item.photo_url), timeout=5).content == jpeg()
    assert setting.small.world.threads_of(setting.small.world.bot, pending=True) == []
    assert messages(setting) == [item]


def test_a_request_that_asks_nothing_stays(setting: Setting) -> None:
    """A request without a word or a photo is not accepted."""
    setting.small.world.send_message("ada", kind=MessageKind.LIKE)
    assert messages(setting) == []
    assert setting.small.posts("/approve/") == 0


def test_hi_and_a_photo_get_one_answer(setting: Setting) -> None:
    """Words right beside a photo are part of it, before and after, and however late we look."""
    world = setting.small.world
    world.send_message("ada", "hi!")
    assert messages(setting) == []
    photo = world.send_message("ada", None, jpeg())
    world.send_message("ada", "what do you think?")
    assert [item.item_id for item in messages(setting)] == [photo]
    setting.wait(minutes=5)
    assert [item.item_id for item in messages(setting)] == [photo]


def test_words_alone_get_one_answer(setting: Setting) -> None:
    """Words without a photo are one item, once it is clear that no photo follows."""
    world = setting.small.world
    first = world.send_message("ada", "hi!")
    world.send_message("ada", "how does this work?")
    assert messages(setting) == []
    setting.wait(minutes=2)
    (item,) = messages(setting)
    assert (item.item_id, item.photo_url) == (first, None)
    world.send_message("ada", "hello?")
    setting.wait(minutes=2)
    assert messages(setting) == [item]


def test_thanks_get_no_answer(setting: Setting) -> None:
    """Thanks soon after our answer ask nothing; a photo does, and so do words on another day."""
    world = setting.small.world
    bot, ada = world.bot, world.account("ada")
    first = world.send_message("ada", None, jpeg())
    world.send(bot, ada, MessageKind.TEXT, text="It scores 5.3.")
    world.send_message("ada", "thanks!")
    setting.wait(minutes=2)
    assert [item.item_id for item in messages(setting)] == [first]
    second = world.send_message("ada", None, jpeg())
    world.send(bot, ada, MessageKind.TEXT, text="It scores 6.3.")
    setting.wait(hours=5)
    third = world.send_message("ada", "still there?")
    setting.wait(minutes=2)
    assert [item.item_id for item in messages(setting)] == [first, second, third]


def test_hearts_and_notices_are_no_items(setting: Setting) -> None:
    """Likes, reactions and notices get no answer, and do not hide what does."""
    world = setting.small.world
    photo = world.send_message("ada", None, jpeg())
    world.react("ada", photo)
    world.send_message("ada", kind=MessageKind.LIKE)
    world.send_message("ada", "ada changed the theme", kind=MessageKind.ACTION)
    setting.wait(minutes=2)
    assert [item.item_id for item in messages(setting)] == [photo]


def test_the_shapes_of_a_photo(setting: Setting) -> None:
    """Albums, shared posts in both spellings and links with a picture are photos."""
    world, pk = setting.small.world, setting.small.world.tag("ben", "me", jpeg())
    world.send_message("ada", album=[jpeg((9, 9, 9)), jpeg()])
    world.send_message("ada", post=pk)
    world.send_message("ada", picture=jpeg(), kind=MessageKind.XMA_SHARE)
    world.send_message("ada", None, jpeg(), kind=MessageKind.LINK, url="https://example.com/me.jpg")
    items = messages(setting)
    assert len(items) == 4
    assert all(requests.get(str(item.photo_url), timeout=5).status_code == 200 for item in items)


def test_what_we_cannot_score_gets_a_word(setting: Setting) -> None:
    """A video, and a link without a picture, are items without a photo."""
    world = setting.small.world
    video = world.send_message("ada", kind=MessageKind.MEDIA)
    link = world.send_message("ben", "see", url="https://example.com/")
    setting.wait(minutes=2)
    found = {item.item_id: item.photo_url for item in messages(setting)}
    assert found == {video: None, link: None}


def test_view_once_is_left_alone(setting: Setting) -> None:
    """A view-once photo is answered, and never fetched or handed on."""
    once = setting.small.world.send_message("ada", None, jpeg(), kind=MessageKind.ONCE)
    setting.wait(minutes=2)
    (item,) = messages(setting)
    assert (item.item_id, item.photo_url) == (once, None)
    assert not [path for _, path in setting.small.asked if path.startswith("/pictures/")]


def test_the_messages_cursor_moves(setting: Setting) -> None:
    """Old messages are not asked again, and nothing that comes between two polls is lost."""
    world = setting.small.world
    world.send_message("ben", None, jpeg())
    setting.wait(days=2)
    first = world.send_message("ada", None, jpeg())
    page = setting.platform.fetch(MESSAGES, None)
    assert [item.item_id for item in page.items] == [first]
    setting.wait(hours=3)
    second = world.send_message("ada", None, jpeg())
    third = world.send_message("ben", None, jpeg())
    page = setting.platform.fetch(MESSAGES, page.cursor)
    # The newest of before comes again: polls overlap.
    assert [item.item_id for item in page.items] == [first, second, third]
    setting.wait(hours=3)
    assert [one.item_id for one in setting.platform.fetch(MESSAGES, page.cursor).items] == [second, third]
    assert setting.platform.fetch(MESSAGES, page.cursor).cursor == page.cursor


def test_long_conversations_and_full_inboxes(setting: Setting) -> None:
    """A photo is found below fifty messages, and a request behind many others."""
    world = setting.small.world
    photos = [world.send_message("ada", None, jpeg())]
    for number in range(50):
        world.send_message("ada", f"and {number}")
    photos += [world.send_message(f"person{number}", None, jpeg()) for number in range(25)]
    assert [item.item_id for item in messages(setting)] == photos


def test_old_conversations_are_not_leafed_through(setting: Setting) -> None:
    """A poll stops at the conversations in which nothing is new."""
    for number in range(60):
        setting.small.world.send_message(f"person{number}", None, jpeg())
    page = setting.platform.fetch(MESSAGES, None)
    setting.wait(days=1)
    setting.small.asked.clear()
    new = setting.small.world.send_message("ada", None, jpeg())
    assert [item.item_id for item in setting.platform.fetch(MESSAGES, page.cursor).items][-1] == new
    setting.wait(days=1)
    page = setting.platform.fetch(MESSAGES, page.cursor)
    setting.small.asked.clear()
    assert [item.item_id for item in setting.platform.fetch(MESSAGES, page.cursor).items] == [new]
    assert [path for _, path in setting.small.asked] == [
        "/api/v1/direct_v2/inbox/",
        "/api/v1/direct_v2/pending_inbox/",
    ]


def test_a_request_that_goes_away(setting: Setting) -> None:
    """A request that is gone when we accept it is left out; the others are found."""
    world = setting.small.world
    world.send_message("ada", None, jpeg())
    other = world.send_message("ben", None, jpeg())
    bens = world.thread_between(world.account("ben"), world.bot)
    assert bens is not None
    gone = world.thread_between(world.account("ada"), world.bot)
    assert gone is not None
    setting.small.faults.add(fault("thread_gone", f"*/threads/{gone.thread_id}/approve/"))
    assert [item.item_id for item in messages(setting)] == [other]
