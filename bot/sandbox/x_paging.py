"""Lists in parts: newest first, with a token that says where the next part begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Protocol, TypeVar

from bot.sandbox.x_problems import invalid
from bot.sandbox.x_query import Query
from bot.sandbox.x_shapes import Json


class Numbered(Protocol):
    """Anything with a snowflake."""

    @property
    def id(self) -> str:
        """The larger, the newer."""


Thing = TypeVar("Thing", bound=Numbered)


def part(things: Sequence[Thing], query: Query, default: int, least: int) -> tuple[Sequence[Thing], Json]:
    """The part of `things` (newest first) that the query asks for, and its `meta`.

    Raises XProblem (400) on a token that we never gave.
    """
    size = query.number("max_results", default, least, 100)
    token = query.parameters.get("pagination_token")
    start = 0 if token is None else _start(things, token)
    shown = things[start : start + size]
    meta: Json = {"result_count": len(shown)}
    if start + size < len(things):
        meta["next_token"] = _token(shown[-1].id)
    if start > 0:
        before = things[max(start - size, 0)]
        meta["previous_token"] = _token(str(int(before.id) + 1))
    return shown, meta


def _start(things: Sequence[Thing], token: str) -> int:
    try:
        below = int(base64.b32hexdecode(token.upper() + "=" * (-len(token) % 8)).decode())
    except (binascii.Error, ValueError):
        raise invalid("pagination_token", token, "The pagination token is not valid") from None
    return next((place for place, thing in enumerate(things) if int(thing.id) < below), len(things))


def _token(below: str) -> str:
    return base64.b32hexencode(below.encode()).decode().rstrip("=").lower()
