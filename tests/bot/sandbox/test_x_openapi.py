from __future__ import annotations

import base64

import pytest
import requests

from tests.bot.sandbox.openapi import VERSIONS, check
from tests.bot.sandbox.small_x import BOT, SmallX, jpeg

pytestmark = pytest.mark.data

FIELDS = {
    "2.166": {
        "tweet.fields": "attachments,author_id,conversation_id,created_at,display_text_range,edit_controls,"
        "edit_history_tweet_ids,entities,id,in_reply_to_user_id,lang,possibly_sensitive,public_metrics,"
        "referenced_tweets,reply_settings,text",
        "user.fields": "created_at,description,id,most_recent_tweet_id,name,protected,public_metrics,url,"
        "receives_your_dm,username,verified,verified_type",
    },
    "2.167": {
        "post.fields": "attachments,conversation_id,created_at,display_text_range,edit_controls,entities,id,"
        "lang,possibly_sensitive,public_metrics,reply_settings,text",
        "user.fields": "created_at,description,id,name,protected,public_metrics,url,receives_your_dm,"
        "username,verified,verified_type",
    },
    "neither": {},
}
EXPANSIONS = {
    "2.166": "attachments.media_keys,author_id,entities.mentions.username,in_reply_to_user_id,"
    "referenced_tweets.id,referenced_tweets.id.author_id,edit_history_tweet_ids",
    "2.167": "attachments.media_keys,author_id,entities.mentions.username,in_reply_to_user_id,"
    "referenced_posts,edit_history_post_ids",
    "neither": "attachments.media_keys,author_id",
}
MEDIA = {"media.fields": "alt_text,height,media_key,preview_image_url,type,url,width"}
SPELLINGS = [("2.166", "2.166"), ("2.167", "2.167"), ("neither", "2.166"), ("neither", "2.167")]


def fill(small_x: SmallX) -> str:
    """Something of every kind; gives the id of a post that is answered."""
    world = small_x.world
    tweet = world.post("ada", f"@{BOT} #selfie of me", jpeg())
    world.post("grace", f"@{BOT} moving", b"GIF89a", "image/gif")
    world.post("grace", f"@{BOT} broken", b"no picture")
    world.post(BOT, "7.1", jpeg(), in_reply_to=tweet)
    world.post("ada", "thanks, @grace", quoted=tweet, in_reply_to=tweet)
    world.send_message("ada", f"hi @{BOT} #selfie", jpeg())
    world.send_message(BOT, "hello", to="ada")
    return tweet


@pytest.mark.parametrize(("spelling", "version"), SPELLINGS)
def test_everything_that_is_read_fits_the_description(small_x: SmallX, spelling: str, version: str) -> None:
    """Each reading route, with all we can show, in each dialect; what shows no dialect fits both."""
    tweet, bot = fill(small_x), small_x.world.bot.id
    ada = small_x.world.account("ada").id
    params = FIELDS[spelling] | MEDIA | {"expansions": EXPANSIONS[spelling]}
    for path in (f"/2/users/{bot}/mentions", f"/2/users/{bot}/tweets"):
        check(get(small_x, path, params | {"max_results": "5"}), version)
        check(get(small_x, path, {}), version)
        check(get(small_x, path, {"since_id": "9" * 18 + "9"}), version)
    for path in (f"/2/tweets/{tweet}", f"/2/tweets?ids={tweet},17", "/2/tweets/17"):
        check(get(small_x, path, params), version)
    for path in (
        "/2/users/me",
        f"/2/users/{ada}",
        "/2/users/by/username/ada",
        f"/2/users?ids={ada},17",
        "/2/users/by?usernames=ada,nobody",
    ):
        check(get(small_x, path, FIELDS[spelling]), version)
        check(get(small_x, path, {"user.fields": "public_metrics"}), version)
    messages = FIELDS[spelling] | MEDIA | {"expansions": "attachments.media_keys,participant_ids,sender_id"}
    messages |= {"dm_event.fields": "attachments,created_at,dm_conversation_id,entities,event_type,id,text"}
    conversation = "-".join(sorted((ada, bot), key=int))
    for path in ("/2/dm_events", f"/2/dm_conversations/with/{ada}/dm_events"):
        check(get(small_x, path, messages), version)
        check(get(small_x, path, {"max_results": "1"}), version)
    check(get(small_x, f"/2/dm_conversations/{conversation}/dm_events", messages), version)
    event = small_x.world.messages[0].id
    check(get(small_x, f"/2/dm_events/{event}", messages), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_is_written_fits_the_description(small_x: SmallX, version: str) -> None:
    """Posts, messages, uploads of each form, alt text, deletion: nothing in them shows a dialect."""
    tweet, ada = fill(small_x), small_x.world.account("ada").id
    encoded = base64.b64encode(jpeg()).decode()
    upload = {"media": encoded, "media_category": "tweet_image"}
    answers = [small_x.ask("POST", "/2/media/upload", json=upload)]
    media_id = answers[0].json()["data"]["id"]
    answers += segments(small_x, encoded)
    answers.append(small_x.ask("GET", f"/2/media/upload?media_id={media_id}"))
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": "a crop"}}}
    answers.append(small_x.ask("POST", "/2/media/metadata", json=metadata))
    body = {"text": "8", "media": {"media_ids": [media_id]}, "reply": {"in_reply_to_tweet_id": tweet}}
    answers.append(small_x.ask("POST", "/2/tweets", json=body))
    answers.append(small_x.ask("DELETE", f"/2/tweets/{answers[-1].json()['data']['id']}"))
    message = {"text": "8", "attachments": [{"media_id": media_id}]}
    answers.append(small_x.ask("POST", f"/2/dm_conversations/with/{ada}/messages", json=message))
    answers.append(small_x.ask("GET", f"/2/media/3_{media_id}", params=MEDIA))
    event = small_x.world.messages[0].id
    answers.append(small_x.ask("DELETE", f"/2/dm_events/{event}"))
    for answer in answers:
        assert answer.ok, answer.text
        check(answer, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_refusals_fit_the_description(small_x: SmallX, version: str) -> None:
    """400, 401, 403, 404 and 429 alike."""
    tweet = small_x.world.post("ada", "no mention")
    uninvited = {"text": "hi", "reply": {"in_reply_to_tweet_id": tweet}}
    answers = [
        requests.get(small_x.url + "/2/users/me", timeout=5),
        small_x.ask("GET", "/2/users/me", token=small_x.world.app.bearer_token),
        small_x.ask("GET", "/2/users/17/mentions"),
        small_x.ask("GET", "/2/users/x/mentions"),
        small_x.ask("POST", "/2/tweets", json=uninvited),
        small_x.ask("POST", "/2/tweets", json={}),
        small_x.ask("POST", "/2/media/upload", json={}),
    ]
    answers += [small_x.ask("GET", "/2/dm_events") for _ in range(16)][-1:]
    assert [answer.status_code for answer in answers] == [401, 403, 404, 400, 403, 400, 400, 429]
    for answer in answers:
        check(answer, version)


def segments(small_x: SmallX, encoded: str) -> list[requests.Response]:
    start = {"media_type": "image/jpeg", "media_category": "tweet_image", "total_bytes": len(jpeg())}
    answers = [small_x.ask("POST", "/2/media/upload/initialize", json=start)]
    path = f"/2/media/upload/{answers[0].json()['data']['id']}"
    body = {"media": encoded, "segment_index": 0}
    return [
        *answers,
        small_x.ask("POST", f"{path}/append", json=body),
        small_x.ask("POST", f"{path}/finalize"),
    ]


def get(small_x: SmallX, path: str, params: dict[str, str]) -> requests.Response:
    answer = small_x.ask("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer
