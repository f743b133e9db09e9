from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from instagrapi import exceptions as ig

from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.instagram_problems import PROBLEMS, fault
from tests.bot.sandbox.small_instagram import SmallInstagram, jpeg, send_to, small_instagram

RAISES: dict[str, type[Exception]] = {
    "login_required": ig.LoginRequired,
    "challenge_required": ig.ChallengeRequired,
    "masked_challenge": ig.ChallengeRequired,
    "suspended": ig.AccountSuspended,
    "checkpoint_required": ig.UnknownError,
    "feedback_required": ig.FeedbackRequired,
    "please_wait": ig.PleaseWaitFewMinutes,
    "rate_limited": ig.ClientThrottledError,
    "rate_limit_error": ig.RateLimitError,
    "sentry_block": ig.SentryBlock,
    "comments_off": ig.UnknownError,
    "comments_limited": ig.UnknownError,
    "media_gone": ig.MediaUnavailable,
    "photo_deleted": ig.MediaUnavailable,
    "server_error": ig.ClientError,
    "user_not_found": ig.ClientNotFoundError,
    "bad_password": ig.BadPassword,
    "bad_code": ig.UnknownError,
    "invalid_user": ig.ProxyAddressIsBlocked,
    "thread_gone": ig.ClientNotFoundError,
    "no_such_route": ig.ClientNotFoundError,
    "not_your_comment": ig.UnknownError,
    "upload_missing": ig.UnknownError,
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallInstagram]:
    with small_instagram() as one:
        send_to(one.url, monkeypatch)
        yield one


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_instagrapi_knows_every_problem(small: SmallInstagram, name: str) -> None:
    """Every problem is worded so that instagrapi raises what it raises for the real one."""
    client = small.person("ada")
    client.with_challenge_flow = False
    path = "direct_v2/threads/1/approve/" if name == "messages_off" else "media/1_1/comment/"
    small.faults.add(fault(name, f"*/{path}"))
    with pytest.raises(RAISES.get(name, ig.DirectMessageRequestsDisabled)) as caught:
        client.private_request(path, {"comment_text": "hello"})
    assert caught.type is RAISES.get(name, ig.DirectMessageRequestsDisabled)


def test_an_account_in_trouble(small: SmallInstagram) -> None:
    """An account's trouble meets all of its calls, until it is over."""
    client = small.person("ada")
    small.world.account("ada").trouble = "feedback_required"
    with pytest.raises(ig.FeedbackRequired):
        client.account_info()
    small.world.account("ada").trouble = None
    assert client.account_info().username == "ada"


def test_carried_out_without_an_answer(small: SmallInstagram) -> None:
    """A comment whose answer never comes stands all the same."""
    pk = small.world.tag("ben", "me", jpeg())
    client = small.person("ada")
    small.faults.add(Fault(FaultKind.NO_ANSWER, "*/comment/"))
    with pytest.raises(ig.ClientConnectionError):
        client.media_comment(f"{pk}_{small.world.account('ben').pk}", "hello")
    assert [one.text for one in small.world.comments_on(pk)] == ["hello"]


def test_unknown_calls(small: SmallInstagram) -> None:
    """A call that the sandbox does not know is answered in JSON that says so."""
    answer = requests.get(f"{small.url}/api/v1/reels/unheard_of/", timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (404, "fail")


def test_pictures_gone(small: SmallInstagram) -> None:
    """A dropped picture is not there any more, and is not mistaken for a call."""
    pk = small.world.tag("ben", "me", jpeg())
    address = str(small.person("ada").media_info_v1(pk).thumbnail_url)
    small.pictures.drop(address.rpartition("/")[2])
    assert requests.get(address, timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("direct_v2/threads/broadcast/text/", {"text": "hi"}, 404),
        ("direct_v2/threads/broadcast/text/", {"text": "hi", "recipient_users": "[]"}, 404),
        ("media/configure/", {}, 400),
        ("media/configure_sidecar/", {"children_metadata": 5}, 400),
        ("media/²/comment/", {}, 400),
        ("bloks/async_action/com.bloks.www.bloks.caa.login.async.send_login_request/", {"params": "[]"}, 200),
    ],
)
def test_senseless_calls_are_refused(
    small: SmallInstagram, path: str, fields: dict[str, str], status: int
) -> None:
    """By an answer of Instagram's kind, not by falling over."""
    headers = {"Authorization": small.person("ada").authorization}
    url = f"{small.url}/api/v1/{path}"
    assert requests.post(url, data=fields, headers=headers, timeout=5).status_code == status
