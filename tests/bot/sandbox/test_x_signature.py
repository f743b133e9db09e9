from __future__ import annotations

from datetime import timedelta

import pytest
import requests
import tweepy
import xdk
from requests_oauthlib import OAuth1

from tests.bot.sandbox.small_x import BOT, SmallX, jpeg


def signed(small_x: SmallX, path: str, method: str = "GET", **changes: str) -> requests.PreparedRequest:
    """A request signed for the sandbox's own address."""
    keys = small_x.world.credentials()
    mine = keys["accounts"][BOT]
    names = {
        "client_key": keys["api_key"],
        "client_secret": keys["api_secret"],
        "resource_owner_key": mine["access_token"],
        "resource_owner_secret": mine["access_secret"],
    }
    return requests.Request(method, small_x.url + path, auth=OAuth1(**names | changes)).prepare()


def send(request: requests.PreparedRequest) -> requests.Response:
    return requests.Session().send(request, timeout=5)


def test_signatures_of_tweepy_and_xdk_are_accepted(small_x: SmallX) -> None:
    """The client tweepy signs for X's old host, xdk for the address it is given; both are who they say."""
    me = small_x.world.bot.id
    assert small_x.tweepy().get_me().data.id == int(me)
    client = xdk.Client(base_url=small_x.url, auth=small_x.oauth1())
    assert client.users.get_me().data.id == me


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_secret": "wrong"}, "signature"),
        ({"resource_owner_secret": "wrong"}, "signature"),
        ({"client_key": "wrong"}, "unknown"),
        ({"resource_owner_key": "1-wrong"}, "unknown"),
        ({"signature_method": "PLAINTEXT"}, "HMAC-SHA1"),
        ({"timestamp": "1000000000"}, "timestamp"),
    ],
)
def test_what_is_wrongly_signed_is_refused(small_x: SmallX, changes: dict[str, str], reason: str) -> None:
    """X's 401 in its usual shape; `message` tells the developer why."""
    answer = send(signed(small_x, "/2/users/me", **changes))
    assert answer.status_code == 401
    body = answer.json()
    assert (body["title"], body["type"], body["status"]) == ("Unauthorized", "about:blank", 401)
    assert reason in body["message"]


def test_a_signature_is_good_once_and_for_one_query(small_x: SmallX) -> None:
    """Neither replayed nor put under another request is it accepted."""
    request = signed(small_x, "/2/users/me?user.fields=url")
    assert send(request).status_code == 200
    assert "nonce" in send(request).json()["message"]
    other = signed(small_x, "/2/users/me?user.fields=url")
    other.url = str(other.url).replace("url", "name")
    assert "signature" in send(other).json()["message"]


def test_an_old_nonce_does_not_block_a_new_day(small_x: SmallX) -> None:
    """Nonces are forgotten once their time stamp would be refused anyway."""
    assert send(signed(small_x, "/2/users/me", nonce="n", timestamp=_stamp(small_x))).status_code == 200
    small_x.watch.ahead = timedelta(days=1)
    assert send(signed(small_x, "/2/users/me", nonce="n", timestamp=_stamp(small_x))).status_code == 200


def test_json_and_multipart_bodies_are_not_signed(small_x: SmallX) -> None:
    """The OAuth 1 standard signs forms only; uploads either way pass with a signed header."""
    client = small_x.tweepy()
    answer = client.request(
        "POST",
        "/2/media/upload",
        json={"media": "/9j/", "media_category": "tweet_image"},
        user_auth=True,
    )
    assert answer.status_code == 200
    request = signed(small_x, "/2/media/upload", "POST")
    body = requests.Request(
        "POST", small_x.url, files={"media": jpeg()}, data={"media_category": "tweet_image"}
    )
    prepared = body.prepare()
    request.body = prepared.body
    request.headers.update({k: v for k, v in prepared.headers.items() if k.startswith("Content")})
    assert send(request).status_code == 200


def test_tokens_of_either_kind_are_accepted(small_x: SmallX) -> None:
    """A person's OAuth 2 token is that person; the app's bearer token reads what is public."""
    assert small_x.ask("GET", "/2/users/me", "ada").json()["data"]["username"] == "ada"
    path, bearer = f"/2/users/{small_x.world.bot.id}/mentions", small_x.world.app.bearer_token
    assert small_x.ask("GET", path, token=bearer).status_code == 200


def test_the_app_alone_is_nobody(small_x: SmallX) -> None:
    """Where a person is needed the app's bearer token gets X's 403."""
    for method, path in (("GET", "/2/users/me"), ("POST", "/2/tweets"), ("GET", "/2/dm_events")):
        answer = small_x.ask(method, path, token=small_x.world.app.bearer_token)
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/unsupported-authentication")


def test_strangers_get_401(small_x: SmallX) -> None:
    """No header, an unknown token, an OAuth 1 token as bearer: all strangers."""
    assert requests.get(small_x.url + "/2/users/me", timeout=5).status_code == 401
    for token in ("nonsense", small_x.world.bot.tokens.access_token):
        assert small_x.ask("GET", "/2/users/me", token=token).status_code == 401
    for header in ("OAuth", "OAuth oauth_nonce", "Bearer", "Basic YTpi"):
        answer = requests.get(small_x.url + "/2/users/me", headers={"Authorization": header}, timeout=5)
        assert answer.status_code == 401
    with pytest.raises(tweepy.Unauthorized):
        small_x.tweepy(access_token_secret="wrong").get_me()


def _stamp(small_x: SmallX) -> str:
    return str(int(small_x.watch.now().timestamp()))
