"""Which of the port's four failures an error answer of X is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.platforms.base import Broken, Forbidden, Gone, Later, PlatformError

# X tells a refusal of one reply from a refusal of all by words alone; the first match decides.
_REFUSALS: tuple[tuple[str, type[PlatformError]], ...] = (
    ("duplicate content", Later),  # may mean that our answer stands already: look, then try again
    ("deleted or not visible", Gone),
    ("not been mentioned", Forbidden),
    ("oauth1 app permissions", Broken),
    ("oauth1-permissions", Broken),
    ("client-forbidden", Broken),
    ("client-not-enrolled", Broken),
    ("unsupported-authentication", Broken),
    ("your account is suspended", Broken),
    ("temporarily locked", Broken),
    ("usage-capped", Broken),
)

_DAILY_LIMITS = ("x-user-limit-24hour", "x-app-limit-24hour")

_BY_STATUS: dict[int, tuple[type[PlatformError], str]] = {
    400: (Broken, "X does not understand what we ask"),
    401: (Broken, "X refuses our credentials: check the X_... settings and this machine's clock"),
    402: (Broken, "the X account's credit is used up"),
    408: (Later, "X took too long"),
    425: (Later, "X is not ready"),
}


def failure(status: int, headers: Mapping[str, str], text: str) -> PlatformError:
    """The failure that an HTTP error is; `text` is all that X said, for reading and for the operator."""
    said = f"{status}: {' '.join(text.split())[:300]}"
    if status == 429 and "usage-capped" not in text:
        return Later(f"X limits how often we may ask ({said})", _reset(headers))
    if status >= 500:
        return Later(f"X has trouble ({said})")
    if status in (403, 429):
        return _refusal(text.lower(), said)
    if status in (404, 410) and "resource-not-found" in text:
        return Gone(f"not there any more ({said})")
    kind, meaning = _BY_STATUS.get(status, (Broken, "an answer of X that we do not know"))
    return kind(f"{meaning} ({said})")


def problems_failure(problems: object) -> PlatformError:
    """The failure that a successful answer is which carries nothing but `errors`."""
    said = str(problems)[:300]
    if "resource-not-found" in said:
        return Gone(f"not there any more ({said})")
    if "not-authorized" in said or "disallowed" in said:
        return Forbidden(f"X does not show it to us ({said})")
    return Later(f"X answered without what we asked for ({said})")


def _refusal(text: str, said: str) -> PlatformError:
    for words, kind in _REFUSALS:
        if words in text:
            return kind(f"X refuses ({said})")
    return Forbidden(f"X refuses ({said})")


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When to come back: the latest of the limits that are used up."""
    used_up = [limit for limit in _DAILY_LIMITS if headers.get(f"{limit}-remaining") == "0"]
    moments = [headers.get(f"{limit}-reset") for limit in ("x-rate-limit", *used_up)]
    known = [int(moment) for moment in moments if moment and moment.isdecimal()]
    return datetime.fromtimestamp(max(known), UTC) if known else None
