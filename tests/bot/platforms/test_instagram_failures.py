from __future__ import annotations

from datetime import timedelta

import pytest

from bot.platforms.base import Broken, Forbidden, Gone, Later, PlatformError
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.instagram_problems import fault
from tests.bot.platforms.instagram_setup import HASHTAG, MESSAGES, Setting, answer, setting

__all__ = ["setting"]

SORTED: dict[str, type[PlatformError]] = {
    "challenge_required": Broken,
    "masked_challenge": Broken,
    "suspended": Broken,
    "checkpoint_required": Broken,
    "feedback_required": Broken,
    "sentry_block": Broken,
    "please_wait": Later,
    "rate_limited": Later,
    "rate_limit_error": Later,
    "server_error": Later,
    "comments_off": Forbidden,
    "comments_limited": Forbidden,
    "media_gone": Gone,
    "photo_deleted": Gone,
}


@pytest.mark.parametrize(("name", "kind"), SORTED.items())
def test_failures_while_commenting(setting: Setting, name: str, kind: type[PlatformError]) -> None:
    """Each of Instagram's refusals is the failure that fits it, after one POST."""
    about = setting.tagged()
    setting.small.faults.add(fault(name, "*/comment/"))
    with pytest.raises(kind):
        setting.platform.reply(about, answer(about))
    assert setting.small.posts("/comment/") == 1


@pytest.mark.parametrize("name", ["please_wait", "rate_limited", "rate_limit_error"])
def test_told_to_slow_down(setting: Setting, name: str) -> None:
    """Asked to wait, we wait until a time, and all of that action's kind with us."""
    setting.small.faults.add(fault(name, "*/sections/"))
    with pytest.raises(Later) as caught:
        setting.platform.fetch(HASHTAG, None)
    assert caught.value.until == setting.small.clock.now() + timedelta(minutes=30)


def test_told_how_long_to_wait(setting: Setting) -> None:
    """A Retry-After is kept to."""
    setting.platform.account()
    headers = {"Retry-After": "90"}
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/inbox/", status=429, headers=headers))
    with pytest.raises(Later) as caught:
        setting.platform.fetch(MESSAGES, None)
    assert caught.value.until == setting.small.clock.now() + timedelta(seconds=90)


@pytest.mark.parametrize("kind", [FaultKind.NO_ANSWER, FaultKind.CUT])
def test_no_whole_answer_to_a_poll(setting: Setting, kind: FaultKind) -> None:
    """A poll whose answer does not come, or comes in half, is for later."""
    setting.platform.account()
    setting.small.faults.add(Fault(kind, "*/inbox/"))
    with pytest.raises(Later) as caught:
        setting.platform.fetch(MESSAGES, None)
    assert caught.value.until is None


def test_an_answer_that_is_no_json(setting: Setting) -> None:
    """A page in HTML instead of an answer is an outage."""
    setting.platform.account()
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/inbox/", status=200, body="<html>soon back</html>"))
    with pytest.raises(Later):
        setting.platform.fetch(MESSAGES, None)


def test_an_answer_that_we_cannot_read(setting: Setting) -> None:
    """A poll's answer without what we need is for a person to look at; a write's is looked for later."""
    setting.platform.account()
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/inbox/", status=200, body={"status": "ok"}))
    with pytest.raises(Broken, match="cannot read"):
        setting.platform.fetch(MESSAGES, None)
    about = setting.tagged()
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/comment/", status=200, body={"status": "ok"}))
    with pytest.raises(Later, match="cannot read"):
        setting.platform.reply(about, answer(about))


def test_an_odd_item_does_not_stop_the_others(setting: Setting) -> None:
    """A post, or a conversation, in a shape that we do not know is passed over and said in the log."""
    about = setting.tagged()
    user = {"pk": about.item.author_id, "username": "ada"}
    good = {
        "pk": "5",
        "id": "5_2",
        "media_type": 1,
        "taken_at": about.item.created_at.timestamp(),
        "user": user,
    }
    medias = [{"media": {"id": "odd"}}, {"media": good}]
    body = {"sections": [{"layout_content": {"medias": medias}}], "more_available": False, "status": "ok"}
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/sections/", status=200, body=body))
    assert [item.item_id for item in setting.platform.fetch(HASHTAG, None).items] == ["5"]
    newest = int(setting.small.clock.now().timestamp() * 1_000_000)
    odd = {"thread_id": "1", "last_activity_at": newest, "items": [{"item_type": "text"}], "users": []}
    message = {"item_id": "6", "user_id": 2, "timestamp": newest, "item_type": "media"}
    photo = {"media_type": 1, "image_versions2": {"candidates": [{"url": "http://example.com/a.jpg"}]}}
    fine = {**odd, "items": [{**message, "media": photo}]}
    inbox = {"inbox": {"threads": [odd, fine]}, "status": "ok"}
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/inbox/", status=200, body=inbox))
    assert [item.item_id for item in setting.platform.fetch(MESSAGES, None).items] == ["6"]


@pytest.mark.parametrize(("status", "kind"), [(500, Later), (403, Broken)])
def test_an_upload_that_is_refused(setting: Setting, status: int, kind: type[PlatformError]) -> None:
    """The host that takes photos has failures of its own."""
    about = setting.written()
    setting.small.faults.add(Fault(FaultKind.STATUS, "/messenger_image/*", status=status, body="no"))
    with pytest.raises(kind):
        setting.platform.reply(about, answer(about))


def test_an_account_that_we_may_not_see(setting: Setting) -> None:
    """A post of somebody who has become private is not to be answered."""
    about = setting.tagged()
    body = {"message": "Not authorized to view user", "status": "fail"}
    setting.small.faults.add(Fault(FaultKind.STATUS, "*/comment/", status=400, body=body))
    with pytest.raises(Forbidden):
        setting.platform.reply(about, answer(about))


def test_no_messages_taken(setting: Setting) -> None:
    """Who takes no messages gets none, and is not asked again."""
    about = setting.written()
    setting.small.world.account("ada").messages_off = True
    with pytest.raises(Forbidden):
        setting.platform.reply(about, answer(about))


def test_comments_turned_off(setting: Setting) -> None:
    """A post without comments is Forbidden, not Broken."""
    about = setting.tagged()
    post = setting.small.world.post(about.item.item_id)
    assert post is not None
    post.comments_off = True
    with pytest.raises(Forbidden):
        setting.platform.reply(about, answer(about))


def test_nobody_there(setting: Setting) -> None:
    """An Instagram that cannot be reached is for later, and says what we wanted."""
    platform = setting.another()
    platform._api_url = "http://127.0.0.1:9"
    with pytest.raises(Later, match="asking who we are"):
        platform.account()


def test_a_person_is_told_what_to_do(setting: Setting) -> None:
    """What only a person can mend says how."""
    setting.platform.account()
    setting.small.faults.add(fault("challenge_required"))
    with pytest.raises(Broken, match="open the Instagram app"):
        setting.platform.account()
