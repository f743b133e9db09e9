"""Who has an account on the small X, and the keys they sign in with."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self


@dataclass(frozen=True)
class App:
    """The one developer app: its OAuth 1 consumer key and secret, and its app-only bearer token."""

    api_key: str
    api_secret: str
    bearer_token: str

    @classmethod
    def random(cls) -> Self:
        """Keys nobody has seen before."""
        return cls(secrets.token_hex(12), secrets.token_hex(25), "AAAA" + secrets.token_hex(40))


@dataclass(frozen=True)
class Tokens:
    """What one account signs in with: an OAuth 1 token and its secret, or an OAuth 2 user token."""

    access_token: str
    access_secret: str
    oauth2_token: str

    @classmethod
    def random(cls, account_id: str) -> Self:
        """Tokens nobody has seen before; X's access tokens begin with the account's id."""
        access_token = f"{account_id}-{secrets.token_hex(20)}"
        return cls(access_token, secrets.token_hex(22), secrets.token_urlsafe(60))


@dataclass(frozen=True)
class Account:
    """A person, or the bot."""

    id: str
    username: str
    """Handle, without the @; at most 15 letters, digits and underscores."""
    tokens: Tokens
    created_at: datetime
    """Aware, UTC."""
    description: str = ""


class Accounts:
    """All accounts, found by id, handle or token. Handles are the same in small and capital letters."""

    def __init__(self) -> None:
        self._by_id: dict[str, Account] = {}
        self._by_username: dict[str, Account] = {}
        self._by_token: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        """Open an account."""
        self._by_id[account.id] = account
        self._by_username[account.username.lower()] = account
        self._by_token[account.tokens.access_token] = account
        self._by_token[account.tokens.oauth2_token] = account

    def __iter__(self) -> Iterator[Account]:
        return iter(tuple(self._by_id.values()))

    def with_id(self, account_id: str) -> Account | None:
        """The account with this id."""
        return self._by_id.get(account_id)

    def named(self, username: str) -> Account | None:
        """The account with this handle."""
        return self._by_username.get(username.lower())

    def with_access_token(self, token: str) -> Account | None:
        """The account that this OAuth 1 access token belongs to."""
        account = self._by_token.get(token)
        return account if account is not None and account.tokens.access_token == token else None

    def with_oauth2_token(self, token: str) -> Account | None:
        """The account that this OAuth 2 user token belongs to."""
        account = self._by_token.get(token)
        return account if account is not None and account.tokens.oauth2_token == token else None
