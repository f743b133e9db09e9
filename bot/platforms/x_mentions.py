"""Reading X's lists of posts, in the old spelling (tweet) and the new one (post)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.selfie import Item, Source

Json = Mapping[str, Any]

_SNOWFLAKE_EPOCH = 1288834974657
"""The first millisecond of X's ids, in Unix milliseconds."""


@dataclass(frozen=True)
class Me:
    """The account that we are logged in as."""

    id: str
    username: str


def items(page: Json, me: Me, cursor: str | None) -> Sequence[Item]:
    """What people ask of us on one page of mentions. Raises KeyError, TypeError or ValueError."""
    includes = page.get("includes") or {}
    names = {str(user["id"]): str(user["username"]) for user in includes.get("users") or ()}
    media = {str(one["media_key"]): one for one in includes.get("media") or ()}
    new = [tweet for tweet in posts(page) if not _was_seen(tweet, cursor)]
    found = [(tweet, _item(tweet, names, media)) for tweet in new]
    return [item for tweet, item in found if item.author_id != me.id and _asks(item, tweet, me)]


def posts(page: Json) -> Sequence[Json]:
    """The posts on one page; none is no error."""
    return page.get("data") or ()


def newest(pages: Iterable[Json], before: str | None) -> str | None:
    """The largest id on these pages, or `before` if that is larger."""
    ids = [str(tweet["id"]) for page in pages for tweet in posts(page)]
    return max([*ids, *([before] if before else [])], key=int, default=None)


def answers(tweet: Json, tweet_id: str) -> bool:
    """Whether a post is a direct reply to another."""
    references = tweet.get("referenced_tweets") or tweet.get("referenced_posts") or ()
    return any(one.get("type") == "replied_to" and str(one.get("id")) == tweet_id for one in references)


def _item(tweet: Json, names: Mapping[str, str], media: Mapping[str, Json]) -> Item:
    author_id = str(tweet["author_id"])
    keys = (tweet.get("attachments") or {}).get("media_keys") or ()
    return Item(
        source=Source.X_MENTIONS,
        item_id=str(tweet["id"]),
        author_id=author_id,
        author_name=names.get(author_id, author_id),
        thread_id=None,
        photo_url=_photo_url([media[key] for key in keys if key in media]),
        created_at=_created_at(tweet),
    )


def _photo_url(media: Sequence[Json]) -> str | None:
    """The first photo; of a film or animation, the picture that stands for it."""
    photos = [one.get("url") for one in media if one.get("type") == "photo"]
    stills = [one.get("preview_image_url") for one in media]
    return next((str(url) for url in (*photos, *stills) if url), None)


def _created_at(tweet: Json) -> datetime:
    text = tweet.get("created_at")
    if text:
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.fromtimestamp(((int(tweet["id"]) >> 22) + _SNOWFLAKE_EPOCH) / 1000, UTC)


def _was_seen(tweet: Json, cursor: str | None) -> bool:
    """Whether this is a later wording of a post from before the cursor: an edit makes a new id."""
    history = tweet.get("edit_history_tweet_ids") or tweet.get("edit_history_post_ids") or ()
    return cursor is not None and any(int(one) <= int(cursor) for one in history)


def _asks(item: Item, tweet: Json, me: Me) -> bool:
    """Whether a mention wants an answer.

    Thanks under our answer want none. X puts the names of all who take part in front of every
    reply in a conversation, and does not show them: who did not write our name asks others.
    """
    parent_author = tweet.get("in_reply_to_user_id")
    if str(parent_author) == me.id:
        return item.photo_url is not None
    start, _ = tweet.get("display_text_range") or (0, 0)
    is_named = f"@{me.username}".lower() in str(tweet.get("text", ""))[start:].lower()
    return is_named or (parent_author is None and item.photo_url is not None)
