"""Finds what asks for a score in the JSON that Instagram gives: tagged posts and conversations. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.selfie import Item, Source

Json = Mapping[str, Any]

PHOTO, ALBUM = 1, 8
"""Instagram's `media_type`."""

ONE_BREATH = timedelta(hours=1)
"""What somebody writes with shorter breaks than this, and no word of ours between, is one request."""
ASKING = frozenset(
    {
        "text",
        "link",
        "media",
        "media_share",
        "xma_media_share",
        "generic_xma",
        "raven_media",
        "visual_media",
        "clip",
        "xma_clip",
        "felix_share",
    }
)
"""The `item_type`s that get an answer. Likes, stickers, voice, calls and notices get none."""
THANKS = frozenset(
    (  # noqa: SIM905  a word list reads best as words
        "thanks thank thx tysm ty you u so very much a lot ok okay k cool nice great good wow haha hahaha "
        "lol yay yes bye danke dir vielen dank merci beaucoup gracias muchas grazie mille obrigado obrigada"
    ).split()
)
"""Words that, soon after an answer of ours, ask for no other."""
MOST_FRUITLESS = 2
"""So many requests without a photo in a row get their answer; after that we let the other side talk."""


def tagged_item(media: Json) -> Item:
    """A tagged post. Raises KeyError, TypeError or ValueError if it is none."""
    user = media["user"]
    return Item(
        Source.INSTAGRAM_HASHTAG,
        item_id=str(media["pk"]),
        author_id=str(user.get("pk") or user["id"]),
        author_name=str(user["username"]),
        thread_id=str(media["id"]),
        photo_url=first_photo(media),
        created_at=datetime.fromtimestamp(int(media["taken_at"]), UTC),
    )


def first_photo(media: Json) -> str | None:
    """The address of a post's or message's first photo in its largest size; None for a video."""
    kind = media.get("media_type")
    if kind == ALBUM:
        parts = media.get("carousel_media") or []
        return next((first_photo(part) for part in parts if part.get("media_type") == PHOTO), None)
    return _largest(media) if kind == PHOTO else None


def _largest(media: Json) -> str | None:
    candidates = (media.get("image_versions2") or {}).get("candidates") or []
    if not candidates:
        return None
    best = max(candidates, key=lambda one: int(one.get("width") or 0) * int(one.get("height") or 0))
    return _address(best.get("url"))


def message_photo(message: Json) -> str | None:
    """The address of the photo in a message, if it has one that we may look at."""
    kind = str(message.get("item_type"))
    said = message.get(kind)
    if kind in ("media", "media_share"):
        return first_photo(said or {})
    if kind in ("xma_media_share", "generic_xma"):
        previews = [_address(one.get("preview_url")) for one in said or []]
        return next((url for url in previews if url), None)
    if kind == "link":
        return _address(((said or {}).get("link_context") or {}).get("link_image_url"))
    # A view-once photo is not ours to keep, not even for as long as scoring takes.
    return None


def _address(url: Any) -> str | None:
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else None


def sent_at(message: Json) -> datetime:
    """When a message was sent; Instagram writes microseconds."""
    return datetime.fromtimestamp(int(message["timestamp"]) / 1_000_000, UTC)


def conversation_items(
    thread: Json, messages: Iterable[Json], me: str, since: datetime, settled: datetime
) -> list[Item]:
    """What asks for a score in a conversation, sent after `since`, oldest first.

    A photo is always an item. A text is one only where nothing else was asked with it: it follows
    no photo and no text that still waits for our answer, and is no mere thanks for our last one.
    So "hi!" and a photo get one answer, and "thanks!" gets none. Nor do texts after texts without
    end: the other side may be a bot, too. A text sent after `settled` is let be for now: the photo
    may be on its way.
    """
    if thread.get("is_group"):
        return []
    names = {str(user.get("pk") or user.get("id")): str(user["username"]) for user in thread["users"]}
    items, fruitless = [], 0
    for run, after_ours in _runs(sorted(messages, key=sent_at), me):
        fruitless = fruitless if after_ours else 0
        idle = after_ours and (fruitless >= MOST_FRUITLESS or all(map(_is_thanks, run)))
        items += [_item(thread, message, names) for message in _asking(run, idle, settled)]
        fruitless = 0 if any(map(message_photo, run)) else fruitless + 1
    return [item for item in items if item.created_at > since]


def _runs(messages: Sequence[Json], me: str) -> list[tuple[list[Json], bool]]:
    """Their messages in runs, and whether a run comes soon after a message of ours."""
    runs: list[tuple[list[Json], bool]] = []
    last_time, last_is_ours = datetime.min.replace(tzinfo=UTC), False
    for message in messages:
        soon = sent_at(message) - last_time < ONE_BREATH
        ours = str(message.get("user_id")) == me or message.get("is_sent_by_viewer") is True
        if not ours and message.get("item_type") in ASKING:
            if last_is_ours or not soon or not runs:
                runs.append(([], last_is_ours and soon))
            runs[-1][0].append(message)
            last_time, last_is_ours = sent_at(message), False
        elif ours:
            last_time, last_is_ours = sent_at(message), True
    return runs


def _asking(run: Sequence[Json], idle: bool, settled: datetime) -> list[Json]:
    """Of one run, the photos; or, if there are none, what came first, once no photo seems to follow."""
    photos = [message for message in run if message_photo(message) is not None]
    if photos:
        return photos
    if idle:
        run = [message for message in run if _shows_something(message)]
    # Always the first, so that the next poll does not ask a second time.
    return [one for one in run[:1] if sent_at(one) <= settled]


def _shows_something(message: Json) -> bool:
    """Whether it is more than words: a video, or a view-once photo, which we cannot score."""
    return message.get("item_type") not in ("text", "link")


def _is_thanks(message: Json) -> bool:
    """Whether a message is nothing but thanks, or has no words at all."""
    words = re.findall(r"[^\W\d_]+", str(message.get("text") or "").lower())
    return message.get("item_type") == "text" and THANKS.issuperset(words)


def _item(thread: Json, message: Json, names: Mapping[str, str]) -> Item:
    author = str(message["user_id"])
    return Item(
        Source.INSTAGRAM_MESSAGES,
        item_id=str(message["item_id"]),
        author_id=author,
        author_name=names.get(author, ""),
        thread_id=str(thread["thread_id"]),
        photo_url=message_photo(message),
        created_at=sent_at(message),
    )
