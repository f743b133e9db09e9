"""One request to the small X on its way through: who asks, what for, and what was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.x_accounts import Account
from bot.sandbox.x_problems import invalid, missing, unsupported_authentication
from bot.sandbox.x_query import Query, checked_id
from bot.sandbox.x_shapes import Json, View
from bot.sandbox.x_world import XWorld

LARGEST_BODY = 32 * 1024**2
"""Bytes; more than any upload that X takes, so that its own refusal is what people see."""


@dataclass(frozen=True)
class Call:
    """A request whose sender is known and whose query is understood."""

    world: XWorld
    request: web.Request
    caller: Account | None
    """None: the app itself, with its bearer token."""
    query: Query
    view: View

    @property
    def me(self) -> Account:
        """The account that asks. Raises XProblem (403) if it is only the app."""
        if self.caller is None:
            raise unsupported_authentication()
        return self.caller

    def id(self, name: str = "id") -> str:
        """An id in the path. Raises XProblem (400) if it cannot be one."""
        return checked_id(name, self.request.match_info[name])

    def account(self, name: str = "id") -> Account:
        """The account whose id is in the path. Raises XProblem (404)."""
        account = self.world.accounts.with_id(self.id(name))
        if account is None:
            raise missing(name, self.request.match_info[name], "user")
        return account

    async def json(self) -> Json:
        """The body as a JSON object. Raises XProblem (400) if it is none."""
        sent = await self.request.read()
        shown = sent[:50].decode(errors="replace")
        try:
            body: Any = json.loads(sent)
        except (ValueError, RecursionError):
            raise invalid("body", shown, "The body is not valid JSON") from None
        if not isinstance(body, dict):
            raise invalid("body", shown, "The body is not a JSON object")
        return body
