"""Sorts what goes wrong with Instagram into the port's four failures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from instagrapi import exceptions as ig
from pydantic import ValidationError

from bot.platforms.base import Broken, Forbidden, Gone, Later, PlatformError

FAILURES = (
    ig.ClientError,
    requests.RequestException,
    ValidationError,
    # An answer that is not what instagrapi or we expect.
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    # The session's file.
    OSError,
)
"""All that a call can raise."""

COOLING = timedelta(minutes=30)
"""How long we leave Instagram alone when it asks us to wait and does not say how long."""

UNREACHED = (
    ig.ClientConnectionError,
    ig.ClientIncompleteReadError,
    ig.ClientJSONDecodeError,
    ig.ClientRequestTimeout,
    requests.RequestException,
)
SLOW_DOWN = (ig.PleaseWaitFewMinutes, ig.RateLimitError, ig.ClientThrottledError)
GONE = (ig.NotFoundError, ig.ClientNotFoundError, ig.MediaUnavailable, ig.InvalidMediaId, ig.CommentNotFound)
FORBIDDEN = (
    ig.CommentUnavailable,
    ig.CommentsDisabled,
    ig.DirectMessageRequestsDisabled,
    ig.InvalidTargetUser,
    ig.PrivateAccount,
)
LOGIN: dict[type[Exception], str] = {
    ig.BadPassword: "wrong password: set INSTAGRAM_PASSWORD",
    ig.BadCredentials: "set INSTAGRAM_USERNAME and INSTAGRAM_PASSWORD",
    ig.ProxyAddressIsBlocked: "no such account, or this address is blocked: check INSTAGRAM_USERNAME",
    ig.TwoFactorRequired: "the second factor's code is missing or wrong: set INSTAGRAM_TOTP_SEED",
    ig.LoginRequired: "logged out again right after logging in: open the Instagram app and look",
    ig.ReloginAttemptExceeded: "logging in failed too often: open the Instagram app and look",
    ig.AccountSuspended: "the account is suspended: open the Instagram app and look",
    ig.ChallengeError: "Instagram wants to see a person: open the Instagram app and answer it",
    ig.FeedbackRequired: "Instagram blocks this kind of action for a while: leave it alone for a day or two",
    ig.SentryBlock: "Instagram blocks this account or address: leave it alone for a day or two",
    ig.ClientNeedsUpgradeError: "Instagram wants a newer app: upgrade instagrapi",
}
"""What only a person can mend, and how; the first that fits."""


def sort_failure(
    error: Exception, doing: str, now: datetime, unknown: Callable[[str], PlatformError] = Broken
) -> PlatformError:
    """The port's failure for `error`, met while `doing` something.

    `unknown` makes the failure for an answer that we cannot read: after a write, the write may
    have been carried out.
    """
    said = f"{doing}: {_described(error)}"
    if isinstance(error, SLOW_DOWN):
        return Later(f"{said} (asked to slow down)", now + _cooling(error))
    if isinstance(error, UNREACHED) or _status(error) >= 500:
        return Later(said)
    for kind, advice in LOGIN.items():
        if isinstance(error, kind):
            return Broken(f"Instagram, {said}: {advice}")
    return _sort_refusal(error, said, unknown)


def _sort_refusal(error: Exception, said: str, unknown: Callable[[str], PlatformError]) -> PlatformError:
    text = str(error).lower()
    if isinstance(error, GONE) or "media not found" in text:
        return Gone(said)
    if "checkpoint" in text or "consent_required" in text:
        return Broken(f"Instagram, {said}: open the Instagram app and answer what it asks")
    if isinstance(error, FORBIDDEN) or _is_about_comments(error, text) or "not authorized" in text:
        return Forbidden(said)
    if isinstance(error, ig.ClientError):
        return Broken(f"Instagram, {said}")
    if isinstance(error, OSError):
        return Broken(f"Instagram's session file: {error}")
    return unknown(f"Instagram, {said} (an answer that we cannot read)")


def _is_about_comments(error: Exception, text: str) -> bool:
    """Comments limited or turned off: an UnknownError, told by its words only."""
    return isinstance(error, ig.UnknownError | ig.ClientForbiddenError) and "comment" in text


def _status(error: Exception) -> int:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else 0


def _cooling(error: Exception) -> timedelta:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    seconds = str(headers.get("Retry-After", ""))
    return timedelta(seconds=int(seconds)) if seconds.isdigit() else COOLING


def _described(error: Exception) -> str:
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line[:200]}"
