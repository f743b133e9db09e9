from __future__ import annotations

from dataclasses import replace

import pytest

from bot.platforms.base import Gone, Later
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.instagram_problems import fault
from bot.sandbox.instagram_things import MessageKind
from bot.selfie import Answer, Selfie
from tests.bot.platforms.instagram_setup import MESSAGES, Setting, answer, setting
from tests.bot.sandbox.small_instagram import jpeg

__all__ = ["setting"]

TEXT, UPLOAD, PHOTO = "/broadcast/text/", "/messenger_image/*", "/broadcast/photo_attachment/"
COMMENT = "/comment/"
LOST = [FaultKind.NO_ANSWER, FaultKind.CUT]


def answered(setting: Setting, about: Selfie) -> str:
    """As the responder does it: look first, then write."""
    said = answer(about)
    return setting.platform.find_reply(about, said) or setting.platform.reply(about, said)


def test_a_comment(setting: Setting) -> None:
    """A tagged post gets one comment, and it is found again."""
    about = setting.tagged()
    assert setting.platform.find_reply(about, answer(about)) is None
    reply_id = setting.platform.reply(about, answer(about))
    assert setting.comments(about) == ["It scores 5.3."]
    assert setting.platform.find_reply(about, answer(about)) == reply_id


def test_a_message(setting: Setting) -> None:
    """A message gets text, then picture, both as they were given; both are found again."""
    about = setting.written()
    assert setting.platform.find_reply(about, answer(about)) is None
    reply_id = setting.platform.reply(about, answer(about))
    text, photo = setting.small.world.messages_to("ada")
    assert (text.text, photo.picture) == ("It scores 5.3.", answer(about).picture)
    assert reply_id == str(photo.item_id)
    assert setting.platform.find_reply(about, answer(about)) == reply_id


def test_a_tall_picture_stays_whole(setting: Setting) -> None:
    """The picture goes out byte for byte, taller than Instagram's posts may be."""
    about, tall = setting.written(), jpeg(size=(200, 900))
    setting.platform.reply(about, Answer("key", "text", tall, None))
    assert setting.small.world.messages_to("ada")[1].picture == tall


def test_words_only(setting: Setting) -> None:
    """A refusal is a message without a picture."""
    about = setting.written()
    said = Answer("key", "No face there.", None, None)
    reply_id = setting.platform.reply(about, said)
    assert setting.sent() == ["text"]
    assert setting.platform.find_reply(about, said) == reply_id


@pytest.mark.parametrize("deduplicates", [True, False])
@pytest.mark.parametrize("kind", LOST)
def test_a_comment_whose_answer_is_lost(setting: Setting, kind: FaultKind, deduplicates: bool) -> None:
    """A comment that was made, but never confirmed, stands once after the next try."""
    setting.small.world.deduplicates = deduplicates
    about = setting.tagged()
    setting.small.faults.add(Fault(kind, f"*{COMMENT}"))
    with pytest.raises(Later):
        answered(setting, about)
    assert setting.small.posts(COMMENT) == 1
    answered(setting, about)
    assert setting.comments(about) == ["It scores 5.3."]
    assert setting.small.posts(COMMENT) == 1


@pytest.mark.parametrize("deduplicates", [True, False])
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("part", [TEXT, UPLOAD, PHOTO])
def test_a_message_whose_answer_is_lost(
    setting: Setting, kind: FaultKind, part: str, deduplicates: bool
) -> None:
    """Whichever part was sent and never confirmed, text and photo stand once after the next try."""
    setting.small.world.deduplicates = deduplicates
    about = setting.written()
    setting.small.faults.add(Fault(kind, f"*{part}"))
    with pytest.raises(Later):
        answered(setting, about)
    answered(setting, about)
    assert setting.sent() == ["text", "media"]
    assert (setting.small.posts(TEXT), setting.small.posts(PHOTO)) == (1, 1)


@pytest.mark.parametrize("fault", [Fault(FaultKind.STATUS, status=500), Fault(FaultKind.STATUS, status=429)])
@pytest.mark.parametrize("part", [TEXT, PHOTO, COMMENT])
def test_one_post_a_try(setting: Setting, fault: Fault, part: str) -> None:
    """A write that fails is not sent again behind our back."""
    about = setting.tagged() if part == COMMENT else setting.written()
    setting.small.faults.add(Fault(fault.kind, f"*{part}", status=fault.status, count=10))
    with pytest.raises(Later):
        setting.platform.reply(about, answer(about))
    assert setting.small.posts(part) == 1


@pytest.mark.parametrize("part", [TEXT, COMMENT])
def test_one_post_on_a_time_out(setting: Setting, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that takes too long is `Later`, was sent once, and stands once in the end."""
    monkeypatch.setattr("bot.platforms.instagram_client.TIMEOUT", (1.0, 0.2))
    about = setting.tagged() if part == COMMENT else setting.written()
    setting.small.faults.add(Fault(FaultKind.DELAY, f"*{part}", seconds=0.6))
    with pytest.raises(Later):
        setting.platform.reply(about, answer(about))
    assert setting.small.posts(part) == 1
    monkeypatch.setattr("bot.platforms.instagram_client.TIMEOUT", (5.0, 5.0))
    answered(setting, about)
    assert setting.small.posts(part) == 1


def test_half_an_answer_does_not_stand(setting: Setting) -> None:
    """Text without its photo is no complete answer; only the photo is sent then."""
    about, said = setting.written(), answer(setting.written())
    setting.platform.reply(about, Answer(said.key, said.text, None, None))
    assert setting.platform.find_reply(about, said) is None
    setting.platform.reply(about, said)
    assert setting.sent() == ["text", "media"]


def test_each_selfie_its_answer(setting: Setting) -> None:
    """Two selfies of one person, with the same score, get an answer each."""
    first, second = setting.written(), setting.written()
    answered(setting, first)
    assert setting.platform.find_reply(second, answer(second)) is None
    answered(setting, second)
    assert setting.sent() == ["text", "media", "text", "media"]


def test_others_comments_are_not_ours(setting: Setting) -> None:
    """Our answer is looked for among our own comments, page after page."""
    about = setting.tagged()
    world, post = setting.small.world, setting.small.world.post(about.item.item_id)
    assert post is not None
    ours = world.comment(world.bot, post, "@ada It scores 5.3, as I said.")
    for number in range(40):
        world.comment(world.account("ben"), post, f"It scores 5.3. {number}")
    assert setting.platform.find_reply(about, answer(about)) == str(ours.pk)
    post.comments.remove(ours)
    world.comment(world.account("ben"), post, answer(about).text)
    assert setting.platform.find_reply(about, answer(about)) is None


def test_answers_deep_in_a_conversation(setting: Setting) -> None:
    """An answer is found below many later messages."""
    about = setting.written()
    reply_id = setting.platform.reply(about, answer(about))
    for number in range(60):
        setting.small.world.send_message("ada", f"{number}")
    assert setting.platform.find_reply(about, answer(about)) == reply_id


def test_what_is_gone(setting: Setting) -> None:
    """A deleted post, and a conversation that is not there, are Gone."""
    about = setting.tagged()
    setting.small.world.delete_post(about.item.item_id)
    with pytest.raises(Gone):
        setting.platform.find_reply(about, answer(about))
    with pytest.raises(Gone):
        setting.platform.reply(about, answer(about))
    written = setting.written()
    elsewhere = replace(written, item=replace(written.item, thread_id="12345"))
    with pytest.raises(Gone):
        setting.platform.reply(elsewhere, answer(elsewhere))


def test_logged_out_in_the_middle(setting: Setting) -> None:
    """Logged out between text and photo, we log in once and send only the photo."""
    about = setting.written()
    setting.small.faults.add(fault("login_required", f"*{UPLOAD}"))
    answered(setting, about)
    assert setting.sent() == [MessageKind.TEXT.value, MessageKind.MEDIA.value]
    assert setting.small.posts(TEXT) == 1


def test_sources(setting: Setting) -> None:
    """What it polls belongs to it."""
    assert {source.platform for source in setting.platform.sources} == {setting.platform.name}
    assert MESSAGES in setting.platform.sources
