from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from instagrapi.exceptions import ClientError, MediaUnavailable, UnknownError

from tests.bot.sandbox.small_instagram import TAG, SmallInstagram, jpeg, send_to, small_instagram


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallInstagram]:
    with small_instagram() as one:
        send_to(one.url, monkeypatch)
        yield one


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instagrapi sleeps between upload and publication."""
    monkeypatch.setattr("instagrapi.mixins.photo.time.sleep", lambda _: None)


@pytest.mark.usefixtures("impatient")
def test_a_person_posts_a_photo(small: SmallInstagram, tmp_path: Path) -> None:
    """A photo uploaded with a hashtag is found under it, and its address serves the picture."""
    (tmp_path / "me.jpg").write_bytes(jpeg())
    media = small.person("ada").photo_upload(tmp_path / "me.jpg", f"rate me #{TAG}")
    found, _ = small.person("ben").hashtag_medias_v1_chunk(TAG, tab_key="recent")
    assert [one.pk for one in found] == [media.pk]
    assert found[0].user.username == "ada"
    answer = requests.get(str(found[0].thumbnail_url), timeout=5)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")


@pytest.mark.usefixtures("impatient")
def test_a_person_posts_an_album(small: SmallInstagram, tmp_path: Path) -> None:
    """An album carries its photos as resources, and no picture of its own."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.jpg").write_bytes(jpeg())
    client = small.person("ada")
    client.album_upload([tmp_path / "one.jpg", tmp_path / "two.jpg"], f"#{TAG}")
    (media,) = client.user_medias_v1(client.user_id)
    assert (media.media_type, len(media.resources), media.thumbnail_url) == (8, 2, None)


def test_hashtags_come_in_no_order(small: SmallInstagram) -> None:
    """A hashtag's pages are unordered and overlap, and all of them together are complete."""
    posted = {small.world.tag("ada", f"{number} #{TAG}", jpeg()) for number in range(15)}
    small.world.tag("ada", "#another_one", jpeg())
    client = small.person("ben")
    found = [str(one.pk) for one in client.hashtag_medias_v1(TAG, 100, "recent")]
    assert len(found) > len(posted) == len(set(found))
    assert found != sorted(found)
    assert set(found) == posted
    assert client.hashtag_info_v1(TAG).media_count == 15


def test_video_and_broken_picture(small: SmallInstagram) -> None:
    """A post without a photo is a video; what is no picture is posted all the same."""
    client = small.person("ada")
    assert client.media_info_v1(small.world.tag("ada", "moving")).media_type == 2
    assert client.media_info_v1(small.world.tag("ada", "broken", b"no picture")).media_type == 1


def test_comments(small: SmallInstagram) -> None:
    """What is commented is listed by every call that lists comments, page after page."""
    pk = small.world.tag("ada", "me", jpeg())
    client = small.person("ben")
    media_id = client.media_id(pk)
    for number in range(20):
        client.media_comment(media_id, f"comment {number}")
    wanted = {f"comment {number}" for number in range(20)}
    assert {one.text for one in client.media_comments(media_id, 0)} == wanted
    first, min_id, _ = client.media_comments_v1_chunk(media_id)
    rest, _, _ = client.media_comments_v1_chunk(media_id, min_id)
    assert {one.text for one in first + rest} == wanted
    assert len(client.media_comments_chunk(media_id, 100)[0]) == 20
    assert client.media_stream_comments_v1_chunk(media_id)[0]


def test_comment_tokens(small: SmallInstagram) -> None:
    """The same idempotence token twice makes one comment, unless the world is told otherwise."""
    post = small.world.post(small.world.tag("ada", "me", jpeg()))
    assert post is not None
    first = small.world.comment(small.world.bot, post, "hello", "token")
    assert small.world.comment(small.world.bot, post, "hello", "token") is first
    small.world.deduplicates = False
    assert small.world.comment(small.world.bot, post, "hello", "token") is not first


def test_deletes_comments(small: SmallInstagram) -> None:
    """People delete their own comments, and others' only under their own posts."""
    pk = small.world.tag("ada", "me", jpeg())
    ben, media_id = small.person("ben"), f"{pk}_{small.world.account('ada').pk}"
    post = small.world.post(pk)
    assert post is not None
    bots = small.world.comment(small.world.bot, post, "from the bot")
    bens = ben.media_comment(media_id, "from ben")
    with pytest.raises(UnknownError):
        ben.comment_bulk_delete(media_id, [bots.pk])
    assert ben.comment_bulk_delete(media_id, [int(bens.pk)])
    assert [one.text for one in small.world.comments_on(pk)] == ["from the bot"]
    assert small.person("ada").comment_bulk_delete(media_id, [bots.pk])


@pytest.mark.parametrize("switch", ["comments_off", "comments_limited"])
def test_comments_can_be_refused(small: SmallInstagram, switch: str) -> None:
    """Comments turned off or limited are an UnknownError that says so."""
    post = small.world.post(small.world.tag("ada", "me", jpeg()))
    setattr(post, switch, True)
    assert post is not None
    with pytest.raises(UnknownError, match="Comments on this post"):
        small.person("ben").media_comment(post.id, "hello")


def test_deleted_posts_are_gone(small: SmallInstagram) -> None:
    """Authors delete their posts; then they cannot be read, listed or commented on."""
    pk = small.world.tag("ada", f"#{TAG}", jpeg())
    ada, ben = small.person("ada"), small.person("ben")
    media_id = ada.media_id(pk)
    with pytest.raises(MediaUnavailable):
        ben.media_delete(media_id)
    assert ada.media_delete(media_id)
    with pytest.raises(ClientError, match="Media not found"):
        ben.media_info_v1(pk)
    with pytest.raises(ClientError, match="Media not found"):
        ben.media_comment(media_id, "hello")
    assert small.world.comments_on(pk) == []
    assert ben.hashtag_medias_v1(TAG, tab_key="recent") == []
