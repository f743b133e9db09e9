"""X, through tweepy: the only file that imports it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
import tweepy

from bot.clock import Clock, SystemClock
from bot.platforms.base import Broken, Forbidden, Gone, Later, Page, PlatformError
from bot.platforms.x_failures import failure, problems_failure
from bot.platforms.x_mentions import Json, Me, answers, items, newest, posts
from bot.platforms.x_transport import Timeout, carry
from bot.selfie import Answer, Selfie, Source

log = logging.getLogger(__name__)

FIRST_POLL = timedelta(days=1)
"""How far the first poll of all reaches back."""

TIMEOUT: Timeout = (5.0, 15.0)
"""Seconds to connect, seconds to wait for (more of) an answer. All requests of one answer together
stay below the time for which the responder claims it."""

PAGE_SIZE = 100
"""Posts a request; the most that X gives."""

LONGEST_ALT_TEXT = 1000
"""Characters."""


@dataclass(frozen=True)
class XCredentials:
    """The developer app's key and secret, and the bot account's OAuth 1 token and secret."""

    api_key: str
    api_secret: str
    access_token: str
    access_secret: str


class XPlatform:
    """The bot's account on X. Nothing is asked of X before a method is called.

    No request is ever repeated here: whether a post that got no answer stands is for
    `find_reply` to see.
    """

    def __init__(
        self,
        credentials: XCredentials,
        api_url: str | None = None,
        clock: Clock | None = None,
        timeout: Timeout = TIMEOUT,
    ) -> None:
        """`api_url`: another host that speaks X's API, such as the sandbox; None: X itself."""
        self._clock = clock or SystemClock()
        self._client = tweepy.Client(
            consumer_key=credentials.api_key,
            consumer_secret=credentials.api_secret,
            access_token=credentials.access_token,
            access_token_secret=credentials.access_secret,
            return_type=dict,
            # With it tweepy re-sends at once and without end when a 429 names no time.
            wait_on_rate_limit=False,
        )
        carry(self._client.session, api_url, timeout)
        self._me: Me | None = None

    @property
    def name(self) -> str:
        """`x`."""
        return "x"

    @property
    def sources(self) -> Sequence[Source]:
        """Mentions."""
        return (Source.X_MENTIONS,)

    def account(self) -> str:
        """The handle that we are logged in as; asks X."""
        self._me = None
        with _reading():
            return self._who().username

    def fetch(self, source: Source, cursor: str | None) -> Page:
        """Mentions newer than the one that `cursor` names; on the first poll, the last day's."""
        if source is not Source.X_MENTIONS:
            raise ValueError(f"X has no {source}")
        since: dict[str, Any] = {"since_id": cursor}
        if cursor is None:
            since = {"start_time": self._clock.now() - FIRST_POLL}
        with _reading():
            me = self._who()
            pages = list(self._pages(self._client.get_users_mentions, me, _MENTION | since))
            found = [item for page in pages for item in items(page, me, cursor)]
            return Page(sorted(found, key=lambda item: int(item.item_id)), newest(pages, cursor))

    def find_reply(self, selfie: Selfie, answer: Answer) -> str | None:
        """The id of our post that replies to `selfie`, or None."""
        mention = selfie.item.item_id
        wanted = {"since_id": mention, "tweet_fields": ["referenced_tweets"]}
        with _reading():
            for page in self._pages(self._client.get_users_tweets, self._who(), wanted):
                for tweet in posts(page):
                    if answers(tweet, mention):
                        return str(tweet["id"])
        return None

    def reply(self, selfie: Selfie, answer: Answer) -> str:
        """Post the answer, picture and all, as one reply; gives its id."""
        with _sorting():
            media_id = None if answer.picture is None else self._upload(answer.picture)
        if media_id is not None and answer.alt_text:
            self._describe(media_id, answer.alt_text)
        with _sorting():
            created = self._client.create_tweet(
                text=answer.text,
                in_reply_to_tweet_id=selfie.item.item_id,
                media_ids=None if media_id is None else [media_id],
            )
            return str(_data(created)["id"])

    def _who(self) -> Me:
        if self._me is None:
            data = _data(self._client.get_me())
            self._me = Me(str(data["id"]), str(data["username"]))
        return self._me

    def _pages(self, ask: Callable[..., Json], me: Me, wanted: dict[str, Any]) -> Iterator[Json]:
        """All pages of a list, newest first. Raises as tweepy does."""
        token: str | None = None
        seen: set[str | None] = set()
        while token not in seen:
            seen.add(token)
            page = ask(me.id, max_results=PAGE_SIZE, pagination_token=token, user_auth=True, **wanted)
            if "data" not in page and page.get("errors"):
                raise problems_failure(page["errors"])
            yield page
            token = (page.get("meta") or {}).get("next_token")
            if token is None:
                return

    def _upload(self, picture: bytes) -> str:
        body = {"media": base64.b64encode(picture).decode("ascii"), "media_category": "tweet_image"}
        answer = self._client.request("POST", "/2/media/upload", json=body, user_auth=True)
        return str(_data(answer.json())["id"])

    def _describe(self, media_id: str, alt_text: str) -> None:
        """Without a description the answer still goes out."""
        body = {"id": media_id, "metadata": {"alt_text": {"text": alt_text[:LONGEST_ALT_TEXT]}}}
        try:
            with _sorting():
                self._client.request("POST", "/2/media/metadata", json=body, user_auth=True)
        except PlatformError as error:
            log.warning("X took no description for picture %s: %s", media_id, error)


_MENTION: dict[str, Any] = {
    "expansions": ["attachments.media_keys", "author_id"],
    "media_fields": ["url", "preview_image_url"],
    "tweet_fields": ["created_at", "display_text_range", "in_reply_to_user_id"],
}
"""The least that tells who asks, when, and with which picture."""


def _data(answer: Json) -> Json:
    """What an answer is about. Raises the failure that it is if it only carries errors."""
    if not answer.get("data"):
        raise problems_failure(answer.get("errors"))
    data: Json = answer["data"]
    return data


@contextmanager
def _sorting() -> Iterator[None]:
    """Turns whatever tweepy lets out into one of the four failures."""
    try:
        yield
    except tweepy.HTTPException as error:
        response = error.response
        raise failure(response.status_code, response.headers, f"{error} {response.text}") from error
    except requests.RequestException as error:
        raise Later(f"no whole answer from X: {error}") from error
    except tweepy.TweepyException as error:
        raise Broken(f"tweepy: {error}") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Later(f"an answer of X that cannot be read: {error!r}") from error


@contextmanager
def _reading() -> Iterator[None]:
    """As `_sorting`, for questions about ourselves: to be refused one is no matter of one selfie."""
    try:
        with _sorting():
            yield
    except (Forbidden, Gone) as error:
        raise Broken(str(error)) from error
