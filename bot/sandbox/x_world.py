"""The small X's world: accounts, posts, media and messages in memory, and what people do there.

`bot.sandbox.x` serves it over HTTP; the page, the demo and the tests call it directly. People
are made on the fly by naming them. Nothing survives the process.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.sandbox.pictures import Pictures
from bot.sandbox.x_accounts import Account, Accounts, App, Tokens
from bot.sandbox.x_posts import Ids, Media, Message, Post, Tweet, Upload, measure, utc_now

BOT = "selfai_robot"
PEOPLE = ("ada", "grace")
HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")


class XWorld:
    """Everything there is on the small X. Safe to use from several threads."""

    def __init__(
        self,
        pictures: Pictures | None = None,
        *,
        bot: str = BOT,
        people: Iterable[str] = PEOPLE,
        app: App | None = None,
        bot_tokens: Tokens | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Credentials that are not given are random."""
        self.pictures = pictures or Pictures()
        self.app = app or App.random()
        self.now = now
        self.lock = threading.RLock()
        self.ids = Ids()
        self.accounts = Accounts()
        self.tweets: dict[str, Tweet] = {}
        self.media: dict[str, Media] = {}
        self.uploads: dict[str, Upload] = {}
        self.messages: list[Message] = []
        self.bot = self._open_account(bot, bot_tokens)
        for person in people:
            self.account(person)

    def show_in(self, pictures: Pictures) -> None:
        """Serve the pictures from another host from now on; those that are there move."""
        with self.lock:
            for media in self.media.values():
                picture = self.pictures.get(media.picture)
                if picture is not None and pictures is not self.pictures:
                    media.picture = pictures.put(picture.content, picture.content_type)
            self.pictures = pictures

    # People

    def account(self, username: str) -> Account:
        """The account with this handle, opened if there is none. Raises ValueError if it is no handle."""
        with self.lock:
            return self.accounts.named(username) or self._open_account(username, None)

    def credentials(self) -> dict[str, Any]:
        """The app's keys, and each account's tokens by handle; `bot` names the bot's handle."""
        app = self.app
        return {
            "api_key": app.api_key,
            "api_secret": app.api_secret,
            "bearer_token": app.bearer_token,
            "bot": self.bot.username,
            "accounts": {account.username: _keys(account) for account in self.accounts},
        }

    def post(
        self,
        person: str,
        text: str,
        picture: bytes | None = None,
        content_type: str = "image/jpeg",
        in_reply_to: str | None = None,
        *,
        quoted: str | None = None,
        created_at: datetime | None = None,
    ) -> str:
        """Post as a person, who may do what the API forbids to bots; gives the post's id."""
        with self.lock:
            author = self.account(person)
            media = [] if picture is None else [self.add_media(author, picture, content_type)]
            return self.add_tweet(
                author, text, media, in_reply_to=in_reply_to, quoted=quoted, created_at=created_at
            ).id

    def delete(self, tweet_id: str) -> bool:
        """Take a post back, and its pictures with it; False if there is none."""
        with self.lock:
            tweet = self.tweets.pop(tweet_id, None)
            for media in tweet.media if tweet else ():
                self.pictures.drop(media.picture)
            return tweet is not None

    def send_message(
        self,
        person: str,
        text: str,
        picture: bytes | None = None,
        content_type: str = "image/jpeg",
        to: str | None = None,
    ) -> str:
        """Send a direct message as a person, to the bot unless `to` says another; gives its id."""
        with self.lock:
            sender = self.account(person)
            media = None if picture is None else self.add_media(sender, picture, content_type)
            return self.add_message(sender, self.account(to or self.bot.username), text, media).id

    # What people see

    def feed(self) -> Sequence[Post]:
        """All posts that stand, oldest first."""
        with self.lock:
            return [self._seen(tweet) for tweet in sorted(self.tweets.values(), key=_number)]

    def replies_to(self, tweet_id: str) -> Sequence[Post]:
        """The answers that stand under a post, oldest first."""
        return [post for post in self.feed() if post.in_reply_to == tweet_id]

    def messages_to(self, person: str) -> Sequence[Post]:
        """The direct messages that a person was sent, oldest first."""
        with self.lock:
            person_id = self.account(person).id
            return [self._seen(message) for message in self.messages if message.recipient_id == person_id]

    # What the routes build on

    def add_media(
        self, owner: Account, content: bytes, content_type: str, media_id: str | None = None
    ) -> Media:
        """Keep an upload, under a new id unless it has one."""
        with self.lock:
            now, picture = self.now(), self.pictures.put(content, content_type)
            media_id = media_id or self.ids.next(now)
            media = Media(media_id, owner.id, picture, content_type, len(content), now, measure(content))
            self.media[media.id] = media
            return media

    def add_tweet(
        self,
        author: Account,
        text: str,
        media: Sequence[Media] = (),
        *,
        in_reply_to: str | None = None,
        quoted: str | None = None,
        created_at: datetime | None = None,
    ) -> Tweet:
        """Put a post up, without asking whether X would allow it."""
        with self.lock:
            moment = created_at or self.now()
            tweet_id = self.ids.next(moment, backdated=created_at is not None)
            parent, other = self.tweets.get(in_reply_to or ""), self.tweets.get(quoted or "")
            tweet = Tweet(
                tweet_id,
                author.id,
                text,
                moment,
                tuple(media),
                in_reply_to,
                parent.author_id if parent else None,
                quoted,
                other.author_id if other else None,
                parent.conversation_id if parent else tweet_id,
            )
            self.tweets[tweet_id] = tweet
            return tweet

    def add_message(self, sender: Account, recipient: Account, text: str, media: Media | None) -> Message:
        """Deliver a direct message."""
        with self.lock:
            now = self.now()
            message = Message(self.ids.next(now), sender.id, recipient.id, text, now, media)
            self.messages.append(message)
            return message

    def mentions_of(self, account: Account) -> Sequence[Tweet]:
        """Other people's posts that name or answer this account, newest first."""
        with self.lock:
            found = [
                tweet
                for tweet in self.tweets.values()
                if tweet.author_id != account.id and tweet.mentions(account.id, account.username)
            ]
        return sorted(found, key=_number, reverse=True)

    def tweets_of(self, account: Account) -> Sequence[Tweet]:
        """An account's own posts, newest first."""
        with self.lock:
            found = [tweet for tweet in self.tweets.values() if tweet.author_id == account.id]
        return sorted(found, key=_number, reverse=True)

    def messages_of(self, account: Account, other_id: str | None = None) -> Sequence[Message]:
        """Messages an account sent or got, newest first; only with `other_id` if it is given."""
        with self.lock:
            return [
                message
                for message in reversed(self.messages)
                if account.id in (message.sender_id, message.recipient_id)
                and (other_id is None or other_id in (message.sender_id, message.recipient_id))
            ]

    def _open_account(self, username: str, tokens: Tokens | None) -> Account:
        if not HANDLE.fullmatch(username):
            raise ValueError(f"{username!r} is no handle on X: 1 to 15 letters, digits or underscores")
        now = self.now()
        account_id = self.ids.next(now)
        account = Account(account_id, username, tokens or Tokens.random(account_id), now)
        self.accounts.add(account)
        return account

    def _seen(self, thing: Tweet | Message) -> Post:
        if isinstance(thing, Tweet):
            media, author_id, parent = next(iter(thing.media), None), thing.author_id, thing.in_reply_to
        else:
            media, author_id, parent = thing.media, thing.sender_id, None
        picture = self.pictures.get(media.picture) if media else None
        author = self.accounts.with_id(author_id)
        return Post(
            thing.id,
            author.username if author else author_id,
            thing.text,
            picture.content if picture else None,
            media.alt_text if media else None,
            thing.created_at,
            parent,
        )


def _number(tweet: Tweet) -> int:
    return int(tweet.id)


def _keys(account: Account) -> dict[str, str]:
    tokens = account.tokens
    return {
        "id": account.id,
        "username": account.username,
        "access_token": tokens.access_token,
        "access_secret": tokens.access_secret,
        "oauth2_token": tokens.oauth2_token,
    }
