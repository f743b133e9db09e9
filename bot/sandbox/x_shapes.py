"""How the small X shows its things in JSON, with the fields and expansions that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.x_accounts import Account
from bot.sandbox.x_posts import Media, Message, Tweet
from bot.sandbox.x_query import Dialect, Query
from bot.sandbox.x_text import Entity, hashtags, mentions
from bot.sandbox.x_world import XWorld

Json = dict[str, Any]

_EDIT_TIME = timedelta(hours=1)


def timestamp(moment: datetime) -> str:
    """A moment as X writes it, in milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass
class View:
    """Shows things to one request, and gathers what it asked to have included."""

    world: XWorld
    query: Query
    picture_url: Callable[[str], str]
    _users: dict[str, Json] = field(default_factory=dict)
    _media: dict[str, Json] = field(default_factory=dict)
    _tweets: dict[str, Json] = field(default_factory=dict)

    def includes(self) -> Json:
        """What the expansions brought, as a part of the answer; empty if they brought nothing."""
        parts = {"users": self._users, "media": self._media, "tweets": self._tweets}
        found = {self._spell(name): list(part.values()) for name, part in parts.items() if part}
        return {"includes": found} if found else {}

    def tweet(self, tweet: Tweet) -> Json:
        """A post; its expansions are gathered."""
        self._expand_tweet(tweet)
        return self._tweet(tweet)

    def message(self, message: Message) -> Json:
        """A direct message; its expansions are gathered."""
        asked = self.query.expansions
        if "sender_id" in asked:
            self._include_user(message.sender_id)
        if "participant_ids" in asked:
            self._include_user(message.sender_id)
            self._include_user(message.recipient_id)
        if "attachments.media_keys" in asked and message.media:
            self._include_media([message.media])
        wanted = {"id", "event_type", "text"} | self.query.message_fields | _bare(asked)
        return self._pick(self._message_fields(message), wanted)

    def user(self, account: Account) -> Json:
        """An account."""
        tweets = self.world.tweets_of(account)
        if "most_recent_tweet_id" in self.query.expansions and tweets:
            self._tweets[tweets[0].id] = self._tweet(tweets[0])
        return self._user(account)

    def media(self, media: Media) -> Json:
        """An upload."""
        wanted = {"media_key", "type"} | self.query.media_fields
        return self._pick(self._media_fields(media), wanted)

    def _user(self, account: Account) -> Json:
        wanted = {"id", "name", "username"} | self.query.user_fields | _bare(self.query.expansions)
        return self._pick(self._user_fields(account), wanted)

    def _tweet(self, tweet: Tweet) -> Json:
        wanted = {"id", "text", "edit_history_tweet_ids"}
        wanted |= self.query.tweet_fields | _bare(self.query.expansions)
        return self._pick(self._tweet_fields(tweet), wanted)

    def _expand_tweet(self, tweet: Tweet) -> None:
        asked = self.query.expansions
        if "author_id" in asked:
            self._include_user(tweet.author_id)
        if "in_reply_to_user_id" in asked:
            self._include_user(tweet.in_reply_to_user_id)
        if "entities.mentions.username" in asked:
            for mention in mentions(tweet.text):
                account = self.world.accounts.named(mention.text)
                self._include_user(account.id if account else None)
        if "attachments.media_keys" in asked:
            self._include_media(tweet.media)
        self._expand_references(tweet)

    def _expand_references(self, tweet: Tweet) -> None:
        asked = self.query.expansions
        for other in filter(
            None, map(self.world.tweets.get, filter(None, (tweet.in_reply_to, tweet.quoted)))
        ):
            if "referenced_tweets" in asked:
                self._tweets[other.id] = self._tweet(other)
            if "referenced_tweets.id.author_id" in asked:
                self._include_user(other.author_id)
            if "referenced_tweets.id.attachments.media_keys" in asked:
                self._include_media(other.media)

    def _include_user(self, account_id: str | None) -> None:
        account = self.world.accounts.with_id(account_id or "")
        if account is not None:
            self._users[account.id] = self._user(account)

    def _include_media(self, uploads: Iterable[Media]) -> None:
        for media in uploads:
            self._media[media.key] = self.media(media)

    def _tweet_fields(self, tweet: Tweet) -> Json:
        return {
            "id": tweet.id,
            "text": tweet.text,
            "edit_history_tweet_ids": [tweet.id],
            "author_id": tweet.author_id,
            "attachments": {"media_keys": [media.key for media in tweet.media]} if tweet.media else None,
            "conversation_id": tweet.conversation_id,
            "created_at": timestamp(tweet.created_at),
            "display_text_range": [0, len(tweet.text)],
            "edit_controls": {
                "edits_remaining": 5,
                "is_edit_eligible": False,
                "editable_until": timestamp(tweet.created_at + _EDIT_TIME),
            },
            "entities": self._entities(tweet.text),
            "in_reply_to_user_id": tweet.in_reply_to_user_id,
            "lang": "en",
            "possibly_sensitive": False,
            "public_metrics": self._counts(tweet),
            "referenced_tweets": _references(tweet),
            "reply_settings": "everyone",
        }

    def _counts(self, tweet: Tweet) -> Json:
        others = self.world.tweets.values()
        return {
            self._spell("retweet_count"): 0,
            "reply_count": sum(other.in_reply_to == tweet.id for other in others),
            "like_count": 0,
            "quote_count": sum(other.quoted == tweet.id for other in others),
            "bookmark_count": 0,
            "impression_count": 0,
        }

    def _user_fields(self, account: Account) -> Json:
        tweets = self.world.tweets_of(account)
        return {
            "id": account.id,
            "name": account.username,
            "username": account.username,
            "created_at": timestamp(account.created_at),
            "description": account.description,
            "most_recent_tweet_id": tweets[0].id if tweets else None,
            "protected": False,
            "public_metrics": self._user_counts(len(tweets)),
            "receives_your_dm": True,
            "url": "",
            "verified": False,
            "verified_type": "none",
        }

    def _user_counts(self, tweets: int) -> Json:
        counts = {"followers_count": 0, "following_count": 0, "listed_count": 0, "like_count": 0}
        # Asked for alone it shows no dialect, and each version demands its own word.
        words = ("tweet_count", "post_count") if self.query.dialect is Dialect.UNSAID else ("tweet_count",)
        return counts | {self._spell(word): tweets for word in words}

    def _media_fields(self, media: Media) -> Json:
        width, height = media.pixels or (None, None)
        url = self.picture_url(media.picture)
        return {
            "media_key": media.key,
            "type": media.kind,
            "url": url if media.kind == "photo" else None,
            "preview_image_url": url if media.kind != "photo" else None,
            "width": width,
            "height": height,
            "alt_text": media.alt_text,
        }

    def _message_fields(self, message: Message) -> Json:
        return {
            "id": message.id,
            "event_type": "MessageCreate",
            "text": message.text,
            "sender_id": message.sender_id,
            "dm_conversation_id": message.conversation_id,
            "created_at": timestamp(message.created_at),
            "attachments": {"media_keys": [message.media.key]} if message.media else None,
            "entities": self._entities(message.text),
        }

    def _entities(self, text: str) -> Json | None:
        found: Json = {}
        if tags := hashtags(text):
            found["hashtags"] = [{**_place(tag), "tag": tag.text} for tag in tags]
        if people := mentions(text):
            found["mentions"] = [self._mention(mention) for mention in people]
        return found or None

    def _mention(self, mention: Entity) -> Json:
        account = self.world.accounts.named(mention.text)
        return {**_place(mention), "username": mention.text} | ({"id": account.id} if account else {})

    def _pick(self, fields: Mapping[str, Any], wanted: Iterable[str]) -> Json:
        chosen = set(wanted)
        return {
            self._spell(name): value for name, value in fields.items() if name in chosen and value is not None
        }

    def _spell(self, key: str) -> str:
        return self.query.dialect.spell(key)


def _bare(expansions: Iterable[str]) -> set[str]:
    """An expansion brings the field that it expands along."""
    return {expansion.partition(".")[0] for expansion in expansions}


def _place(entity: Entity) -> Json:
    return {"start": entity.start, "end": entity.end}


def _references(tweet: Tweet) -> list[Json] | None:
    pairs = (("replied_to", tweet.in_reply_to), ("quoted", tweet.quoted))
    return [{"type": kind, "id": other} for kind, other in pairs if other] or None
