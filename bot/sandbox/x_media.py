"""The small X's routes for uploads: in one piece (JSON or multipart), in segments, and alt text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bot.sandbox.x_call import Call
from bot.sandbox.x_posts import MEDIA_LIFE, Media, Upload
from bot.sandbox.x_problems import invalid, missing
from bot.sandbox.x_query import checked_id
from bot.sandbox.x_shapes import Json

LARGEST_PICTURE = 5 * 1024**2
"""Bytes."""
LARGEST_VIDEO = 512 * 1024**2
LONGEST_ALT_TEXT = 1000

_CATEGORIES = frozenset({"amplify_video", "subtitles"}).union(
    f"{place}_{kind}" for place in ("tweet", "dm") for kind in ("gif", "image", "video")
)
_MAGIC = (
    (b"\xff\xd8", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


async def upload(call: Call) -> Json:
    """POST /2/media/upload"""
    fields = await _fields(call)
    _check_category(fields.get("media_category", "tweet_image"))
    content = _content(fields.get("media"))
    return _uploaded(_keep(call, content, _media_type(fields) or _type_of(content)))


async def initialize(call: Call) -> Json:
    """POST /2/media/upload/initialize"""
    body = await call.json()
    _check_category(body.get("media_category", "tweet_image"))
    with call.world.lock:
        now = call.world.now()
        started = Upload(call.world.ids.next(now), call.me.id, _media_type(body), now)
        call.world.uploads[started.id] = started
    key = f"3_{started.id}"
    data = {"id": started.id, "media_key": key, "expires_after_secs": _life()}
    return {"data": data, "meta": {}}


async def append(call: Call) -> Json:
    """POST /2/media/upload/{id}/append"""
    started, fields = _started(call), await _fields(call)
    index = fields.get("segment_index")
    if not str(index).isdecimal() or int(str(index)) > 999:
        raise invalid("segment_index", index, "$.segment_index: is not an integer from 0 to 999")
    started.segments[int(str(index))] = _content(fields.get("media"))
    return {"data": {"expires_at": int((started.started_at + MEDIA_LIFE).timestamp())}, "meta": {}}


async def finalize(call: Call) -> Json:
    """POST /2/media/upload/{id}/finalize"""
    started = _started(call)
    content = b"".join(started.segments[index] for index in sorted(started.segments))
    if not content:
        raise invalid("id", started.id, "Segments do not add up to provided total file size.")
    media = _keep(call, content, started.content_type or _type_of(content), started.id)
    del call.world.uploads[started.id]
    return _uploaded(media)


async def status(call: Call) -> Json:
    """GET /2/media/upload"""
    media_id = checked_id("media_id", call.query.parameters.get("media_id"))
    return _uploaded(_own(call, media_id, "media_id"))


async def show(call: Call) -> Json:
    """GET /2/media/{media_key}"""
    key = call.request.match_info["media_key"]
    media = call.world.media.get(key.rpartition("_")[2])
    if media is None or media.key != key:
        raise missing("media_key", key, "media")
    return {"data": call.view.media(media)}


async def describe(call: Call) -> Json:
    """POST /2/media/metadata"""
    body = await call.json()
    media = _own(call, checked_id("id", body.get("id")), "id")
    metadata = body.get("metadata") or {}
    alt_text = metadata.get("alt_text") if isinstance(metadata, dict) else None
    if alt_text is not None:
        media.alt_text = _alt_text(alt_text)
    shown = {} if media.alt_text is None else {"alt_text": {"text": media.alt_text}}
    return {"data": {"id": media.id, "associated_metadata": shown}}


def usable_media(call: Call, ids: Any, parameter: str) -> Sequence[Media]:
    """Uploads by id for a post or message. Raises XProblem (400) if one is foreign, unknown or too old."""
    if not isinstance(ids, list) or len(ids) > 4:
        raise invalid(parameter, ids, f"$.{parameter}: must be a list of at most 4 ids")
    found = [call.world.media.get(checked_id(parameter, one)) for one in ids]
    usable = [media for media in found if media and _is_usable(call, media)]
    if len(usable) < len(ids):
        raise invalid(parameter, ids, "Your media IDs are invalid.")
    return usable


def _is_usable(call: Call, media: Media) -> bool:
    return media.owner_id == call.me.id and media.expires_at > call.world.now()


def _own(call: Call, media_id: str, parameter: str) -> Media:
    media = call.world.media.get(media_id)
    if media is None or media.owner_id != call.me.id:
        raise missing(parameter, media_id, "media")
    return media


def _started(call: Call) -> Upload:
    started = call.world.uploads.get(call.id())
    if started is None or started.owner_id != call.me.id:
        raise missing("id", call.id(), "media")
    return started


async def _fields(call: Call) -> Json:
    if call.request.content_type == "application/json":
        return await call.json()
    try:
        form = await call.request.post()
    except (KeyError, TypeError, ValueError) as error:
        raise invalid("body", str(error)[:50], "The body is not a form that can be read") from None
    return {name: _part(value) for name, value in form.items()}


def _part(value: str | bytes | bytearray | web.FileField) -> str | bytes:
    if isinstance(value, web.FileField):
        return value.file.read()
    return value if isinstance(value, str) else bytes(value)


def _content(media: Any) -> bytes:
    """Bytes came in multipart, base64 in JSON (and in a form without a file)."""
    if isinstance(media, str):
        try:
            media = base64.b64decode(media, validate=True)
        except (binascii.Error, ValueError):
            raise invalid("media", media[:20], "$.media: is not base64") from None
    if not isinstance(media, bytes) or not media:
        raise invalid("media", "", "$.media: is missing or empty")
    return media


def _keep(call: Call, content: bytes, content_type: str, media_id: str | None = None) -> Media:
    largest = LARGEST_VIDEO if content_type.startswith("video/") else LARGEST_PICTURE
    if len(content) > largest:
        raise invalid("media", len(content), f"Media size exceeds {largest} bytes")
    return call.world.add_media(call.me, content, content_type, media_id)


def _type_of(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if content.startswith(magic)), "image/jpeg")


def _media_type(fields: Json) -> str:
    """As the sender names it; empty if it does not."""
    media_type = fields.get("media_type") or ""
    if not isinstance(media_type, str):
        raise invalid("media_type", str(media_type)[:50], "$.media_type: is not a string")
    return media_type


def _check_category(category: Any) -> None:
    if not isinstance(category, str) or category not in _CATEGORIES:
        known = ", ".join(sorted(_CATEGORIES))
        raise invalid("media_category", category, f"$.media_category: is not one of [{known}]")


def _alt_text(alt_text: Any) -> str:
    text = alt_text.get("text") if isinstance(alt_text, dict) else None
    if not isinstance(text, str) or len(text) > LONGEST_ALT_TEXT:
        raise invalid(
            "metadata.alt_text.text", text, f"must be text of at most {LONGEST_ALT_TEXT} characters"
        )
    return text


def _uploaded(media: Media) -> Json:
    data = {"id": media.id, "media_key": media.key, "size": media.size, "expires_after_secs": _life()}
    return {"data": data, "meta": {}}


def _life() -> int:
    return int(MEDIA_LIFE.total_seconds())
