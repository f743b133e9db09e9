"""The small X's routes for accounts and posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.sandbox.x_accounts import Account
from bot.sandbox.x_call import Call
from bot.sandbox.x_media import usable_media
from bot.sandbox.x_paging import part
from bot.sandbox.x_posts import Tweet
from bot.sandbox.x_problems import XProblem, forbidden, invalid, missing
from bot.sandbox.x_query import checked_id
from bot.sandbox.x_shapes import Json
from bot.sandbox.x_text import LONGEST, weighted_length

DUPLICATE_TIME = timedelta(hours=24)
"""How long X remembers what an account said."""

# What a post may say of itself, beside what the small X heeds: text, media, reply, quote_tweet_id.
_UNHEEDED = """
    card_uri community_id direct_message_deep_link edit_options for_super_followers_only geo made_with_ai
    nullcast paid_partnership poll reply_settings share_with_followers
"""
_CREATE_KEYS = frozenset({"media", "quote_tweet_id", "reply", "text"}.union(_UNHEEDED.split()))


async def get_me(call: Call) -> Json:
    """GET /2/users/me"""
    return {"data": call.view.user(call.me), **call.view.includes()}


async def get_user(call: Call) -> Json:
    """GET /2/users/{id}"""
    return {"data": call.view.user(call.account()), **call.view.includes()}


async def get_user_by_name(call: Call) -> Json:
    """GET /2/users/by/username/{username}"""
    username = call.request.match_info["username"]
    account = call.world.accounts.named(username)
    if account is None:
        raise missing("username", username, "user")
    return {"data": call.view.user(account), **call.view.includes()}


async def get_users_by_name(call: Call) -> Json:
    """GET /2/users/by"""
    names = list(dict.fromkeys(call.query.parameters.get("usernames", "").split(",")))
    found = {one: account for one in names if (account := call.world.accounts.named(one))}
    data = [call.view.user(account) for account in found.values()]
    return _listing(data, call, [one for one in names if one not in found], "user", "usernames")


async def get_users(call: Call) -> Json:
    """GET /2/users"""
    ids = _ids(call)
    found = {one: account for one in ids if (account := call.world.accounts.with_id(one))}
    data = [call.view.user(account) for account in found.values()]
    return _listing(data, call, [one for one in ids if one not in found], "user")


async def get_mentions(call: Call) -> Json:
    """GET /2/users/{id}/mentions"""
    return _timeline(call, call.world.mentions_of(call.account()))


async def get_tweets_of(call: Call) -> Json:
    """GET /2/users/{id}/tweets"""
    tweets = call.world.tweets_of(call.account())
    if "replies" in call.query.parameters.get("exclude", "").split(","):
        tweets = [tweet for tweet in tweets if tweet.in_reply_to is None]
    return _timeline(call, tweets)


async def get_tweet(call: Call) -> Json:
    """GET /2/tweets/{id}; a post that is not there is a 200 with only `errors`, as on X."""
    tweet = call.world.tweets.get(call.id())
    if tweet is None:
        return {"errors": [_missing_tweet("id", call.id()).partial(call.query.dialect.problem_types)]}
    return {"data": call.view.tweet(tweet), **call.view.includes()}


async def get_tweets(call: Call) -> Json:
    """GET /2/tweets"""
    ids = _ids(call)
    found = {one: tweet for one in ids if (tweet := call.world.tweets.get(one))}
    data = [call.view.tweet(tweet) for tweet in found.values()]
    return _listing(data, call, [one for one in ids if one not in found], "tweet")


async def create_tweet(call: Call) -> Json:
    """POST /2/tweets"""
    body = await call.json()
    for key in sorted(body.keys() - _CREATE_KEYS):
        raise invalid(key, body[key], f"$.{key}: is not defined in the schema")
    with call.world.lock:
        media = usable_media(call, _inner(body, "media").get("media_ids", []), "media.media_ids")
        text, parent_id = body.get("text") or "", _parent_id(body)
        _check_text(text, bool(media))
        _check_reply(call, parent_id)
        _check_duplicate(call, text, parent_id)
        quoted = _quoted_id(call, body)
        tweet = call.world.add_tweet(call.me, text, media, in_reply_to=parent_id, quoted=quoted)
    return {"data": {"id": tweet.id, "text": tweet.text, "edit_history_tweet_ids": [tweet.id]}}


async def delete_tweet(call: Call) -> Json:
    """DELETE /2/tweets/{id}"""
    tweet = call.world.tweets.get(call.id())
    if tweet is not None and tweet.author_id != call.me.id:
        raise forbidden("You are not authorized to delete this Tweet.")
    return {"data": {"deleted": call.world.delete(call.id())}}


def _timeline(call: Call, tweets: Sequence[Tweet]) -> Json:
    shown, meta = part(_between(call, tweets), call.query, default=10, least=5)
    answer: Json = {"meta": meta}
    if shown:
        meta |= {"newest_id": shown[0].id, "oldest_id": shown[-1].id}
        answer["data"] = [call.view.tweet(tweet) for tweet in shown]
    return answer | call.view.includes()


def _between(call: Call, tweets: Sequence[Tweet]) -> Sequence[Tweet]:
    query = call.query
    since, until = query.id("since_id"), query.id("until_id")
    start, end = query.moment("start_time"), query.moment("end_time")
    return [
        tweet
        for tweet in tweets
        if (since is None or int(tweet.id) > since)
        and (until is None or int(tweet.id) < until)
        and (start is None or tweet.created_at >= start)
        and (end is None or tweet.created_at <= end)
    ]


def _ids(call: Call) -> Sequence[str]:
    ids = [checked_id("ids", one) for one in call.query.parameters.get("ids", "").split(",")]
    if len(ids) > 100:
        raise invalid("ids", len(ids), "The number of values in `ids` is not between 1 and 100")
    return list(dict.fromkeys(ids))


def _listing(
    data: Sequence[Json], call: Call, lost: Sequence[str], what: str, parameter: str = "ids"
) -> Json:
    types = call.query.dialect.problem_types
    answer: Json = {"data": data} if data else {}
    if lost:
        answer["errors"] = [missing(parameter, one, what).partial(types) for one in lost]
    return answer | call.view.includes()


def _missing_tweet(parameter: str, tweet_id: str) -> XProblem:
    return missing(parameter, tweet_id, "tweet")


def _inner(body: Json, key: str) -> Json:
    inner = body.get(key) or {}
    if not isinstance(inner, dict):
        raise invalid(key, inner, f"$.{key}: is not an object")
    return inner


def _parent_id(body: Json) -> str | None:
    reply = _inner(body, "reply")
    if not reply:
        return None
    return checked_id("reply.in_reply_to_tweet_id", reply.get("in_reply_to_tweet_id"))


def _quoted_id(call: Call, body: Json) -> str | None:
    quoted = body.get("quote_tweet_id")
    if quoted is not None and checked_id("quote_tweet_id", quoted) not in call.world.tweets:
        raise forbidden("You attempted to quote a Tweet that is deleted or not visible to you.")
    return quoted


def _check_text(text: object, has_media: bool) -> None:
    if not isinstance(text, str):
        raise invalid("text", text, "$.text: is not a string")
    if not text and not has_media:
        raise invalid("text", text, "You must supply text or media for a Post")
    if weighted_length(text) > LONGEST:
        raise invalid("text", text[:20], f"Your Tweet text is too long. At most {LONGEST} characters.")


def _check_reply(call: Call, parent_id: str | None) -> None:
    if parent_id is None:
        return
    parent = call.world.tweets.get(parent_id)
    if parent is None:
        raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.", 385)
    if parent.author_id != call.me.id and not _engaged(parent, call.me):
        raise forbidden(
            "Reply to this conversation is not allowed because you have not been mentioned or otherwise "
            "engaged by the author of the post you are replying to."
        )


def _engaged(parent: Tweet, me: Account) -> bool:
    return parent.calls(me.id, me.username)


def _check_duplicate(call: Call, text: str, parent_id: str | None) -> None:
    recently = call.world.now() - DUPLICATE_TIME
    for tweet in call.world.tweets_of(call.me):
        same = tweet.text == text and tweet.in_reply_to == parent_id
        if text and same and tweet.created_at > recently:
            raise forbidden("You are not allowed to create a Tweet with duplicate content.", 187)
