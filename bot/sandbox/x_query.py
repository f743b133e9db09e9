"""What a request asks to be shown: fields, expansions, and in which of X's two dialects.

X is renaming tweet to post: version 2.166 of its API says `tweet.fields` and
`referenced_tweets`, version 2.167 `post.fields` and `referenced_posts`. The query tells which is
wanted; inside the sandbox everything has its old name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from bot.sandbox.x_problems import invalid


class Dialect(Enum):
    """How the request spells, as far as it shows."""

    OLD = "2.166"
    NEW = "2.167"
    UNSAID = "either"

    @property
    def problem_types(self) -> str:
        """The address that problem types begin with; the newer is valid in both descriptions."""
        host = "api.twitter.com" if self is Dialect.OLD else "api.x.com"
        return f"https://{host}/2/problems/"

    def spell(self, key: str) -> str:
        """An answer's key as this dialect writes it."""
        return _NEW_KEYS.get(key, key) if self is Dialect.NEW else key


_NEW_KEYS = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "note_tweet": "note_post",
    "referenced_tweets": "referenced_posts",
    "most_recent_tweet_id": "most_recent_post_id",
    "pinned_tweet_id": "pinned_post_id",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "tweets": "posts",
}

_OLD_NAMES = {new: old for old, new in _NEW_KEYS.items()} | {
    "referenced_posts": "referenced_tweets",
    "referenced_tweets.id": "referenced_tweets",
}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TWEET_FIELDS = _names(
    "article article_title attachments author_id card_uri community_id context_annotations conversation_id "
    "created_at display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id "
    "lang matched_media_notes media_metadata non_public_metrics note_request_suggestions note_tweet "
    "organic_metrics paid_partnership possibly_sensitive promoted_metrics public_metrics referenced_tweets "
    "reply_settings scopes source suggested_source_links suggested_source_links_with_counts text "
    "withheld"
)
_USER_FIELDS = _names(
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified "
    "location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url "
    "protected public_metrics receives_your_dm subscribes_to_you subscription subscription_type url username "
    "verified verified_followers_count verified_type withheld"
)
_MEDIA_FIELDS = _names(
    "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url "
    "promoted_metrics public_metrics type url variants width"
)
_MESSAGE_FIELDS = _names(
    "attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets "
    "sender_id text"
)
_EXPANSIONS = _names(
    "affiliation affiliation.user_id article.cover_media article.media_entities attachments.media_keys "
    "attachments.media_source_tweet attachments.poll_ids author_id edit_history_tweet_ids "
    "entities.mentions.username entities.note.mentions.username geo.place_id in_reply_to_user_id "
    "most_recent_tweet_id participant_ids pinned_tweet_id referenced_tweets "
    "referenced_tweets.id.attachments.media_keys referenced_tweets.id.author_id sender_id username"
)
_KNOWN = {
    "expansions": _EXPANSIONS,
    "tweet.fields": _TWEET_FIELDS,
    "post.fields": _TWEET_FIELDS,
    "user.fields": _USER_FIELDS,
    "media.fields": _MEDIA_FIELDS,
    "dm_event.fields": _MESSAGE_FIELDS,
}


@dataclass(frozen=True)
class Query:
    """A request's query, understood."""

    dialect: Dialect
    tweet_fields: frozenset[str]
    user_fields: frozenset[str]
    media_fields: frozenset[str]
    message_fields: frozenset[str]
    expansions: frozenset[str]
    """By their old names, `referenced_tweets.id` shortened to `referenced_tweets`."""
    parameters: Mapping[str, str]

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number. Raises XProblem (400) if it is none, or out of bounds."""
        text = self.parameters.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            raise invalid(
                name, text, f"The `{name}` query parameter value [{text}] is not between {least} and {most}"
            )
        return int(text)

    def id(self, name: str) -> int | None:
        """An id, or None. Raises XProblem (400) if it is no number of at most 19 digits."""
        text = self.parameters.get(name)
        return None if text is None else int(checked_id(name, text))

    def moment(self, name: str) -> datetime | None:
        """A moment such as 2026-01-31T12:00:00Z, or None. Raises XProblem (400)."""
        text = self.parameters.get(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise invalid(name, text, f"`{name}` is not of the form YYYY-MM-DDTHH:mm:ssZ")
        return moment


def checked_id(name: str, text: Any) -> str:
    """An id as it came. Raises XProblem (400) if it is no number of at most 19 digits."""
    if not (isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 19):
        raise invalid(name, text, f"The `{name}` value [{text}] does not match ^[0-9]{{1,19}}$")
    return text


def dialect_of(parameters: Mapping[str, str]) -> Dialect:
    """Which spelling a query shows."""
    words = parameters.get("expansions", "") + parameters.get("user.fields", "")
    if "post.fields" in parameters or "_post" in words:
        return Dialect.NEW
    return Dialect.OLD if "tweet.fields" in parameters or "_tweet" in words else Dialect.UNSAID


def understand(parameters: Mapping[str, str]) -> Query:
    """Read a query. Raises XProblem (400) on fields and expansions that X does not know."""
    return Query(
        dialect_of(parameters),
        _words(parameters, "tweet.fields") | _words(parameters, "post.fields"),
        _words(parameters, "user.fields"),
        _words(parameters, "media.fields"),
        _words(parameters, "dm_event.fields"),
        _words(parameters, "expansions"),
        parameters,
    )


def _words(parameters: Mapping[str, str], name: str) -> frozenset[str]:
    words = frozenset(_old(word.strip()) for word in parameters.get(name, "").split(",") if word)
    for word in sorted(words - _KNOWN[name]):
        known = ",".join(sorted(_KNOWN[name]))
        raise invalid(name, word, f"The `{name}` query parameter value [{word}] is not one of [{known}]")
    return words


def _old(word: str) -> str:
    return _OLD_NAMES.get(word, word)
