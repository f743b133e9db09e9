from __future__ import annotations

import base64

import pytest
import requests
import xdk

from tests.bot.sandbox.small_x import BOT, SmallX, jpeg


def clients(small_x: SmallX) -> list[xdk.Client]:
    """The SDK in every way that it can be pointed here and signed in."""
    token = small_x.world.bot.tokens.oauth2_token
    localhost = small_x.url.replace("127.0.0.1", "localhost")
    return [
        xdk.Client(base_url=small_x.url, access_token=token),
        xdk.Client(base_url=small_x.url + "/", access_token=token),
        xdk.Client(base_url=localhost, token={"access_token": token, "expires_at": 9e9}),
        xdk.Client(base_url=small_x.url, auth=small_x.oauth1()),
        xdk.Client(base_url=small_x.url + "/", auth=small_x.oauth1()),
        xdk.Client(base_url=small_x.url, bearer_token=small_x.world.app.bearer_token, access_token=token),
    ]


def test_every_way_of_signing_in_reads_and_writes(small_x: SmallX) -> None:
    """With and without a slash, by name or number, OAuth 1 and 2."""
    small_x.world.post("ada", f"@{BOT}", jpeg())
    for number, client in enumerate(clients(small_x)):
        me = client.users.get_me(user_fields=["created_at", "public_metrics"]).data
        assert me.username == BOT
        fields = {"post_fields": ["created_at", "public_metrics"], "max_results": 5}
        (page,) = client.users.get_mentions(me.id, expansions=["author_id"], **fields)
        assert page.includes.users[0].username == "ada"
        assert client.posts.create(body={"text": f"post {number}"}).data.id


def test_a_selfies_way_in_the_sdk(small_x: SmallX) -> None:
    """A person posts a picture at the bot; the bot finds it and answers with text and picture."""
    ada, bot = small_x.xdk("ada"), small_x.xdk()
    body = {"media": base64.b64encode(jpeg()).decode(), "media_category": "tweet_image"}
    photo = ada.media.upload(body=body).data
    post = ada.posts.create(body={"text": f"@{BOT} hello", "media": {"media_ids": [photo.id]}}).data
    wanted = {"expansions": ["attachments.media_keys", "author_id"], "media_fields": ["url", "width"]}
    (page,) = bot.users.get_mentions(small_x.world.bot.id, post_fields=["created_at"], **wanted)
    assert page.data[0].attachments.media_keys == [photo.media_key]
    url = page.includes.media[0].url
    assert requests.get(url, timeout=5).content == jpeg()
    crop = bot.media.upload(body=body).data.id
    bot.media.create_metadata(body={"id": crop, "metadata": {"alt_text": {"text": "a crop"}}})
    reply = {"text": "7.1", "reply": {"in_reply_to_tweet_id": post.id}, "media": {"media_ids": [crop]}}
    reply_id = bot.posts.create(body=reply).data.id
    found = next(bot.users.get_posts(small_x.world.bot.id, since_id=post.id, expansions=["referenced_posts"]))
    assert [(one.id, one.referenced_posts[0].id) for one in found.data] == [(reply_id, post.id)]
    assert bot.posts.get_by_id(reply_id, media_fields=["alt_text"]).data.text == "7.1"
    assert bot.posts.delete(reply_id).data.deleted


def test_the_sdk_follows_pages(small_x: SmallX) -> None:
    """Its iterators end after the last page, having seen everything once."""
    ids = [small_x.world.post("ada", f"@{BOT} {number}") for number in range(12)]
    pages = list(small_x.xdk().users.get_mentions(small_x.world.bot.id, max_results=5))
    assert [post.id for page in pages for post in page.data] == ids[::-1]


def test_uploads_in_segments(small_x: SmallX) -> None:
    """Initialize, append, finalize, status."""
    media = small_x.xdk().media
    start = {"media_type": "image/jpeg", "media_category": "tweet_image", "total_bytes": len(jpeg())}
    media_id = media.initialize_upload(body=start).data.id
    media.append_upload(media_id, body={"media": base64.b64encode(jpeg()).decode(), "segment_index": 0})
    assert media.finalize_upload(media_id).data.size == len(jpeg())
    assert media.get_upload_status(media_id=media_id).data.id == media_id
    assert media.get_by_key(f"3_{media_id}", media_fields=["url"]).data.url.startswith(small_x.url)


def test_messages_to_and_fro(small_x: SmallX) -> None:
    """A person writes, the bot reads and answers; both see the conversation."""
    ada, bot = small_x.xdk("ada"), small_x.xdk()
    bot_id, ada_id = small_x.world.bot.id, small_x.world.account("ada").id
    ada.direct_messages.create_by_participant_id(bot_id, body={"text": "hello"})
    page = next(bot.direct_messages.get_events(dm_event_fields=["created_at"], expansions=["sender_id"]))
    assert (page.data[0].text, page.includes.users[0].username) == ("hello", "ada")
    crop = small_x.upload()
    body = {"text": "7.1", "attachments": [{"media_id": crop}]}
    bot.direct_messages.create_by_participant_id(ada_id, body=body)
    both = next(ada.direct_messages.get_events_by_participant_id(bot_id))
    assert [event.text for event in both.data] == ["7.1", "hello"]
    assert bot.direct_messages.delete_events(both.data[0].id).data.deleted


def test_people_are_found_by_id_and_name(small_x: SmallX) -> None:
    """One or several."""
    users, ada = small_x.xdk().users, small_x.world.account("ada")
    assert users.get_by_id(ada.id).data.username == "ada"
    assert users.get_by_username("ada").data.id == ada.id
    assert [user.id for user in users.get_by_ids([ada.id]).data] == [ada.id]
    assert [user.id for user in users.get_by_usernames(["ada", "nobody"]).data] == [ada.id]


def test_the_sdk_raises_on_refusals(small_x: SmallX) -> None:
    """Its errors are those of requests, with X's body."""
    with pytest.raises(requests.HTTPError) as refused:
        small_x.xdk().posts.create(body={})
    assert refused.value.response.json()["title"] == "Invalid Request"
