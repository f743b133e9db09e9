"""Instagram's session and device, kept in a file, so that we log in once and not at every start."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.clock import Clock
from bot.platforms.base import Broken
from bot.platforms.instagram_client import BotClient

FILE = "instagram-session.json"

KEPT = (
    "uuids",
    "mid",
    "ig_u_rur",
    "ig_www_claim",
    "authorization_data",
    "cookies",
    "last_login",
    "device_settings",
    "user_agent",
    "country",
    "country_code",
    "locale",
    "timezone_offset",
    "timezone_name",
    "usdid",
)
"""Of instagrapi's settings: who and what device we are, not how often to re-send."""

MOST_LOGINS = 3
LOGIN_WINDOW = timedelta(hours=1)
"""At most so many log-ins in so long: accounts that hurry get blocked."""


class InstagramSession:
    """One account's log-in, shared through its file by all processes on this machine."""

    def __init__(self, home: Path, username: str, password: str, totp_seed: str | None, clock: Clock) -> None:
        self.path = home / FILE
        self._username = username.strip().lstrip("@").lower()
        self._password = password
        self._totp_seed = totp_seed
        self._clock = clock

    def resume(self, client: BotClient) -> None:
        """Take up the session in the file; log in if there is none.

        Raises Broken, OSError, and whatever `BotClient.login` raises.
        """
        if not self._restore(client):
            self.renew(client)

    def renew(self, client: BotClient) -> None:
        """Instagram has logged us out: take up the session that another process has made, or log in."""
        with self._alone():
            old = client.authorization_data
            if self._restore(client) and client.authorization_data != old:
                return
            self._log_in(client)

    def _log_in(self, client: BotClient) -> None:
        logins = self._recent_logins()
        if len(logins) >= MOST_LOGINS:
            raise Broken(
                f"Instagram: logged in {len(logins)} times within {LOGIN_WINDOW}, and logged out again: "
                "open the Instagram app and look"
            )
        logins.append(self._clock.now().timestamp())
        client.relogin_attempt = 0
        client.authorization_data = {}
        # The device first: should the log-in fail, the next one must come from the same device.
        self._save(client, logins)
        try:
            client.login(self._username, self._password, relogin=True, verification_code=self._code(client))
        finally:
            self._save(client, logins)

    def _code(self, client: BotClient) -> str:
        if self._totp_seed is None:
            return ""
        try:
            return str(client.totp_generate_code(self._totp_seed.replace(" ", "")))
        except ValueError as error:
            raise Broken(f"INSTAGRAM_TOTP_SEED is not a base32 seed: {error}") from None

    def _restore(self, client: BotClient) -> bool:
        """Give the client our device; whether the file held a session, too."""
        stored = self._stored()
        if stored:
            client.set_settings({key: stored["settings"][key] for key in KEPT if key in stored["settings"]})
        return bool(client.authorization_data)

    def _recent_logins(self) -> list[float]:
        since = (self._clock.now() - LOGIN_WINDOW).timestamp()
        return [moment for moment in self._stored().get("logins", []) if moment > since]

    def _stored(self) -> dict[str, Any]:
        """What the file says about this account; empty if nothing. Raises Broken if it is damaged."""
        try:
            stored = json.loads(self.path.read_text("utf-8"))
            return dict(stored) if stored["username"] == self._username and stored["settings"] else {}
        except FileNotFoundError:
            return {}
        except (KeyError, TypeError, ValueError):
            raise Broken(f"{self.path} is not a session of ours: remove it to log in anew") from None

    def _save(self, client: BotClient, logins: list[float]) -> None:
        settings = client.get_settings()
        kept = {key: settings[key] for key in KEPT if key in settings}
        stored = {"username": self._username, "logins": logins, "settings": kept}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp's files are 0600 from the start.
        number, name = tempfile.mkstemp(dir=self.path.parent, prefix=FILE)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(stored, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Poller and responder are two processes: only one of them logs in."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
