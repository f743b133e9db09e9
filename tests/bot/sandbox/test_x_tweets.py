from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
import tweepy

from bot.sandbox.faults import Fault, FaultKind
from tests.bot.sandbox.small_x import BOT, SmallX, jpeg


def mentions(small_x: SmallX, **params: Any) -> dict[str, Any]:
    answer = small_x.ask("GET", f"/2/users/{small_x.world.bot.id}/mentions", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def create(small_x: SmallX, person: str = BOT, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = small_x.ask("POST", "/2/tweets", person, json=body)
    return answer.status_code, answer.json()


def test_a_mention_comes_with_author_and_picture(small_x: SmallX) -> None:
    """Expansions bring users and media; the picture's address gives the bytes that were posted."""
    tweet_id = small_x.world.post("ada", f"hello @{BOT}", jpeg())
    page = small_x.tweepy().get_users_mentions(
        small_x.world.bot.id,
        expansions=["attachments.media_keys", "author_id"],
        media_fields=["url", "width", "height"],
        user_auth=True,
    )
    assert [str(tweet.id) for tweet in page.data] == [tweet_id]
    assert page.includes["users"][0].username == "ada"
    media = page.includes["media"][0]
    assert (media.type, media.width, media.height) == ("photo", 8, 6)
    assert small_x.ask("GET", media.url.removeprefix(small_x.url)).content == jpeg()


def test_a_bare_mention_is_bare(small_x: SmallX) -> None:
    """Without fields and expansions: id, text and history, as X gives them; nothing at all is no list."""
    assert mentions(small_x) == {"meta": {"result_count": 0}}
    tweet_id = small_x.world.post("ada", f"@{BOT}", jpeg())
    assert mentions(small_x)["data"] == [
        {"id": tweet_id, "text": f"@{BOT}", "edit_history_tweet_ids": [tweet_id]}
    ]


def test_mentions_are_who_names_or_answers_the_bot(small_x: SmallX) -> None:
    """In any letters; not its own posts, not others about others; a quote only allows an answer."""
    world = small_x.world
    own = world.post(BOT, f"I am @{BOT}")
    wanted = [
        world.post("ada", f"@{BOT.upper()} me"),
        world.post("grace", "thanks", in_reply_to=own),
    ]
    quote = world.post("ada", "look at this", quoted=own)
    world.post("ada", f"x@{BOT} and @{BOT}x are others")
    assert [tweet["id"] for tweet in mentions(small_x)["data"]] == wanted[::-1]
    assert create(small_x, text="seen", reply={"in_reply_to_tweet_id": quote})[0] == 201


def test_pages_hold_everything_once_newest_first(small_x: SmallX) -> None:
    """Following next_token to its end gives all mentions since the cursor, and back again."""
    ids = [small_x.world.post("ada", f"@{BOT} {number}") for number in range(12)]
    seen, token = [], None
    while True:
        params = {"max_results": 5, "since_id": ids[0]} | ({"pagination_token": token} if token else {})
        page = mentions(small_x, **params)
        seen += [tweet["id"] for tweet in page["data"]]
        token = page["meta"].get("next_token")
        if token is None:
            break
    assert seen == ids[:0:-1]
    back = mentions(small_x, max_results=5, since_id=ids[0], pagination_token=page["meta"]["previous_token"])
    assert [tweet["id"] for tweet in back["data"]] == ids[6:1:-1]


def test_times_bound_a_timeline(small_x: SmallX) -> None:
    """start_time and until_id cut; backdated posts have ids of their day."""
    now = small_x.watch.now()
    old = small_x.world.post("ada", f"@{BOT} old", created_at=now - timedelta(days=3))
    new = small_x.world.post("ada", f"@{BOT} new")
    assert int(old) < int(new)
    start = (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [tweet["id"] for tweet in mentions(small_x, start_time=start)["data"]] == [new]
    assert [tweet["id"] for tweet in mentions(small_x, until_id=new)["data"]] == [old]


@pytest.mark.parametrize(
    "params",
    [
        {"max_results": "4"},
        {"max_results": "101"},
        {"max_results": "x"},
        {"since_id": "abc"},
        {"start_time": "yesterday"},
        {"pagination_token": "??"},
        {"tweet.fields": "colour"},
        {"media.fields": "url,taste"},
        {"expansions": "author_id,mood"},
    ],
)
def test_senseless_parameters_are_400_and_named(small_x: SmallX, params: dict[str, str]) -> None:
    """X's invalid-request body lists the parameter that is wrong."""
    answer = small_x.ask("GET", f"/2/users/{small_x.world.bot.id}/mentions", params=params)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")
    assert list(answer.json()["errors"][0]["parameters"]) == list(params)


def test_the_query_chooses_the_dialect(small_x: SmallX) -> None:
    """Who asks for post.fields gets posts, who asks for tweet.fields gets tweets."""
    first = small_x.world.post("grace", "first")
    small_x.world.post("ada", f"@{BOT} see", in_reply_to=first)
    new = mentions(small_x, **{"post.fields": "public_metrics", "expansions": "referenced_posts"})
    assert new["data"][0]["referenced_posts"] == [{"type": "replied_to", "id": first}]
    assert new["includes"]["posts"][0]["id"] == first
    assert "repost_count" in new["data"][0]["public_metrics"]
    old = mentions(small_x, **{"tweet.fields": "referenced_tweets", "expansions": "referenced_tweets.id"})
    assert old["data"][0]["referenced_tweets"] == [{"type": "replied_to", "id": first}]
    assert old["includes"]["tweets"][0]["id"] == first
    assert "tweet" not in str(new).replace("in_reply_to_tweet", "") and "post" not in str(old)


def test_a_reply_goes_to_who_mentioned_us(small_x: SmallX) -> None:
    """Text, picture and reference stand; the person sees them."""
    mention = small_x.world.post("ada", f"@{BOT} please", jpeg())
    status, body = create(
        small_x,
        text="7.1",
        reply={"in_reply_to_tweet_id": mention},
        media={"media_ids": [small_x.upload(content=b"crop")]},
    )
    assert status == 201
    (reply,) = small_x.world.replies_to(mention)
    assert (reply.id, reply.author, reply.text, reply.picture) == (body["data"]["id"], BOT, "7.1", b"crop")


def test_uninvited_replies_are_forbidden(small_x: SmallX) -> None:
    """Where the author did not mention, quote or answer us; people are held to it as well."""
    tweet = small_x.world.post("ada", "a nice day")
    for person in (BOT, "grace"):
        status, body = create(small_x, person, text="indeed", reply={"in_reply_to_tweet_id": tweet})
        assert status == 403 and "not been mentioned" in body["detail"]
    assert create(small_x, "ada", text="indeed", reply={"in_reply_to_tweet_id": tweet})[0] == 201
    assert not [reply for reply in small_x.world.replies_to(tweet) if reply.author != "ada"]


def test_a_reply_to_a_deleted_post_is_forbidden(small_x: SmallX) -> None:
    """X answers 403, not 404."""
    mention = small_x.world.post("ada", f"@{BOT}", jpeg())
    assert small_x.world.delete(mention) and not small_x.world.delete(mention)
    status, body = create(small_x, text="7.1", reply={"in_reply_to_tweet_id": mention})
    assert status == 403 and "deleted" in body["detail"]


def test_a_quote_names_a_post_that_is_there(small_x: SmallX) -> None:
    """Or is forbidden."""
    assert create(small_x, text="look", quote_tweet_id="1")[0] == 403
    assert create(small_x, text="look", quote_tweet_id=small_x.world.post("ada", "me"))[0] == 201


def test_the_same_again_is_duplicate_content(small_x: SmallX) -> None:
    """The same text under the same post is refused for a day; elsewhere it is not."""
    first, second = (small_x.world.post("ada", f"@{BOT} {number}") for number in range(2))
    assert create(small_x, text="no face", reply={"in_reply_to_tweet_id": first})[0] == 201
    status, body = create(small_x, text="no face", reply={"in_reply_to_tweet_id": first})
    assert status == 403 and "duplicate content" in body["detail"]
    assert create(small_x, text="no face", reply={"in_reply_to_tweet_id": second})[0] == 201
    small_x.watch.ahead = timedelta(days=1, minutes=1)
    assert create(small_x, text="no face", reply={"in_reply_to_tweet_id": first})[0] == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": 7},
        {"text": "x" * 281},
        {"text": "日" * 141},
        {"text": "x", "colour": "red"},
        {"text": "x", "reply": {"in_reply_to_tweet_id": "x"}},
        {"text": "x", "reply": "1"},
        {"text": "x", "quote_tweet_id": ["1"]},
        {"text": "x", "media": {"media_ids": ["1"]}},
        {"text": "x", "media": {"media_ids": "1"}},
    ],
)
def test_senseless_posts_are_400(small_x: SmallX, body: dict[str, Any]) -> None:
    """Nothing is posted."""
    assert create(small_x, **body)[0] == 400
    assert not small_x.world.feed()


def test_uploads_expire_and_belong_to_who_made_them(small_x: SmallX) -> None:
    """After 24 hours, or for anybody else, a media id is invalid."""
    media_id = small_x.upload()
    assert create(small_x, "ada", text="x", media={"media_ids": [media_id]})[0] == 400
    small_x.watch.ahead = timedelta(hours=24, seconds=1)
    status, body = create(small_x, text="x", media={"media_ids": [media_id]})
    assert status == 400 and "media IDs are invalid" in body["errors"][0]["message"]


def test_own_posts_and_deleting(small_x: SmallX) -> None:
    """The timeline shows what stands; only the author deletes, and deleting twice says false."""
    client = small_x.tweepy()
    tweet_id = client.create_tweet(text="first").data["id"]
    path = f"/2/tweets/{tweet_id}"
    assert small_x.ask("DELETE", path, "ada").status_code == 403
    mine = client.get_users_tweets(small_x.world.bot.id, user_auth=True)
    assert [str(tweet.id) for tweet in mine.data] == [tweet_id]
    assert client.delete_tweet(tweet_id).data == {"deleted": True}
    assert small_x.ask("DELETE", path).json() == {"data": {"deleted": False}}
    assert client.get_users_tweets(small_x.world.bot.id, user_auth=True).data is None


def test_replies_can_be_left_out_of_a_timeline(small_x: SmallX) -> None:
    """As `exclude=replies` asks."""
    first = small_x.world.post("ada", "first")
    small_x.world.post("ada", "second", in_reply_to=first)
    answer = small_x.ask("GET", f"/2/users/{small_x.world.account('ada').id}/tweets?exclude=replies")
    assert [tweet["id"] for tweet in answer.json()["data"]] == [first]


def test_lookups_name_what_they_do_not_find(small_x: SmallX) -> None:
    """What is there comes as data, what is not as resource-not-found."""
    tweet_id = small_x.world.post("ada", "here")
    both = small_x.ask("GET", f"/2/tweets?ids={tweet_id},17").json()
    assert [tweet["id"] for tweet in both["data"]] == [tweet_id]
    assert both["errors"][0]["resource_id"] == "17"
    lone = small_x.ask("GET", "/2/tweets/17").json()
    assert "data" not in lone and lone["errors"][0]["type"].endswith("/resource-not-found")
    assert small_x.ask("GET", "/2/users/17").status_code == 404
    assert small_x.ask("GET", "/2/users/by/username/ADA").json()["data"]["username"] == "ada"
    assert small_x.ask("GET", "/2/users/by/username/nobody").status_code == 404
    assert small_x.ask("GET", "/2/nowhere").status_code == 404


def test_a_post_that_gets_no_answer_stands(small_x: SmallX) -> None:
    """Told to, the small X carries a post out and hangs up."""
    small_x.faults.add(Fault(FaultKind.NO_ANSWER, route="/2/tweets", method="POST"))
    with pytest.raises(requests.ConnectionError):
        small_x.tweepy().create_tweet(text="did it arrive?")
    assert [post.text for post in small_x.world.feed()] == ["did it arrive?"]


def test_accounts_are_opened_by_name(small_x: SmallX) -> None:
    """Over HTTP as well; what cannot be a handle is refused."""
    url = small_x.url + "/_sandbox/accounts"
    keys = requests.post(url, json={"username": "Newcomer"}, timeout=5).json()
    client = small_x.tweepy(access_token=keys["access_token"], access_token_secret=keys["access_secret"])
    assert client.get_me().data.username == "Newcomer"
    assert requests.get(url, timeout=5).json()["accounts"]["Newcomer"] == keys
    assert requests.post(url, json={"username": "no handle"}, timeout=5).status_code == 400
    with pytest.raises(tweepy.Unauthorized):
        small_x.tweepy(access_token="x").get_me()
