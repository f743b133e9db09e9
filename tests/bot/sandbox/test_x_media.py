from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.bot.sandbox.small_x import SmallX, jpeg


def kept(small_x: SmallX, media_id: str) -> tuple[bytes, str]:
    media = small_x.world.media[media_id]
    picture = small_x.world.pictures.get(media.picture)
    assert picture is not None
    return picture.content, picture.content_type


def test_json_and_multipart_uploads_keep_the_same_bytes(small_x: SmallX) -> None:
    """Base64 in JSON, raw bytes in multipart; the type is read off the bytes unless it is said."""
    body = {"media": base64.b64encode(jpeg()).decode(), "media_category": "tweet_image"}
    answer = small_x.ask("POST", "/2/media/upload", json=body).json()["data"]
    assert kept(small_x, answer["id"]) == (jpeg(), "image/jpeg")
    assert answer["media_key"] == f"3_{answer['id']}" and answer["size"] == len(jpeg())
    assert kept(small_x, small_x.upload(content=jpeg())) == (jpeg(), "image/jpeg")
    png = small_x.upload(content=b"\x89PNG and so on")
    assert kept(small_x, png)[1] == "image/png"


def test_segments_make_one_upload(small_x: SmallX) -> None:
    """Initialize, append in any order and either form, finalize; then it can be posted."""
    start = {"media_type": "image/jpeg", "media_category": "tweet_image", "total_bytes": len(jpeg())}
    media_id = small_x.ask("POST", "/2/media/upload/initialize", json=start).json()["data"]["id"]
    path, half = f"/2/media/upload/{media_id}", len(jpeg()) // 2
    assert small_x.ask("POST", f"{path}/finalize").status_code == 400
    second = {"media": base64.b64encode(jpeg()[half:]).decode(), "segment_index": 1}
    assert small_x.ask("POST", f"{path}/append", json=second).status_code == 200
    files, data = {"media": jpeg()[:half]}, {"segment_index": "0"}
    assert small_x.ask("POST", f"{path}/append", files=files, data=data).status_code == 200
    done = small_x.ask("POST", f"{path}/finalize")
    assert (done.status_code, done.json()["data"]["id"]) == (200, media_id)
    assert kept(small_x, media_id) == (jpeg(), "image/jpeg")
    assert small_x.ask("GET", f"/2/media/upload?media_id={media_id}&command=STATUS").status_code == 200
    assert small_x.ask("POST", f"{path}/finalize").status_code == 404


def test_alt_text_stays_with_the_picture(small_x: SmallX) -> None:
    """Whoever asks for alt_text gets it."""
    media_id = small_x.upload()
    body = {"id": media_id, "metadata": {"alt_text": {"text": "a crop"}}}
    answer = small_x.ask("POST", "/2/media/metadata", json=body)
    assert answer.json()["data"] == {"id": media_id, "associated_metadata": {"alt_text": {"text": "a crop"}}}
    tweet = small_x.ask("POST", "/2/tweets", json={"media": {"media_ids": [media_id]}}).json()["data"]["id"]
    query = "?expansions=attachments.media_keys&media.fields=alt_text"
    shown = small_x.ask("GET", f"/2/tweets/{tweet}{query}").json()
    assert shown["includes"]["media"][0]["alt_text"] == "a crop"


@pytest.mark.parametrize(
    "body",
    [
        {"media": "not base64!", "media_category": "tweet_image"},
        {"media": "", "media_category": "tweet_image"},
        {"media": "/9j/", "media_category": "tweet_painting"},
        {"media": "/9j/", "media_category": ["tweet_image"]},
        {"media": "/9j/", "media_category": "tweet_image", "media_type": 7},
        {"media_category": "tweet_image"},
        {"media": base64.b64encode(bytes(5 * 1024**2 + 1)).decode(), "media_category": "tweet_image"},
    ],
)
def test_senseless_uploads_are_400(small_x: SmallX, body: dict[str, Any]) -> None:
    """Nothing is kept; too large a picture says so."""
    answer = small_x.ask("POST", "/2/media/upload", json=body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")
    assert not small_x.world.media


def test_bodies_that_are_no_json_are_400(small_x: SmallX) -> None:
    """So are JSON bodies that are no objects, and forms that are none."""
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert small_x.ask("POST", "/2/media/upload", data="--x\r\n", headers=form).status_code == 400
    for text in ("{", "[]", "7", b"\xff\xfe", "[" * 100_000):
        headers = {"Content-Type": "application/json"}
        assert small_x.ask("POST", "/2/media/upload", data=text, headers=headers).status_code == 400


def test_others_uploads_are_not_there(small_x: SmallX) -> None:
    """Describing or continuing another account's upload is 404."""
    media_id = small_x.upload()
    body = {"id": media_id, "metadata": {"alt_text": {"text": "mine now"}}}
    assert small_x.ask("POST", "/2/media/metadata", "ada", json=body).status_code == 404
    started = small_x.ask("POST", "/2/media/upload/initialize", json={}).json()["data"]["id"]
    assert small_x.ask("POST", f"/2/media/upload/{started}/finalize", "ada").status_code == 404
