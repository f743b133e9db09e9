"""`selfai check`: looks at everything the bot needs, and says what to do about what is missing.

Prints no secrets: addresses without passwords, and of credentials only whose they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from bot import parts, schema
from bot.brakes import Brake
from bot.database import open_database
from bot.errors import OperatorError
from bot.platforms.base import Later, Platform, PlatformError
from bot.settings import Settings, database_url, load_settings

MODEL_SECONDS = 300
"""How long loading the model may take: a first start reads gigabytes from disk."""

QUEUE_PATIENCE = 1.0
"""Seconds."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    ok: bool
    detail: str
    """What was found; where it is wrong, what to do."""


def run_checks(console: Console | None = None) -> int:
    """Look at everything, print a line each; gives the exit status: 1 if anything is wrong."""
    console = console or Console(highlight=False, soft_wrap=True)
    all_well = True
    for finding in _findings():
        mark = Text("ok   " if finding.ok else "FAIL ", style="green" if finding.ok else "bold red")
        console.print(mark + Text(f"{finding.name:11}") + Text(finding.detail))
        all_well = all_well and finding.ok
    return 0 if all_well else 1


def _findings() -> Iterator[Finding]:
    try:
        settings = load_settings()
    except OperatorError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, f"home {settings.home}; hashtag #{settings.selfai_hashtag}")
    yield _look("database", lambda: _database(settings))
    yield _look("queue", lambda: _queue(settings))
    yield _look("model", _model)
    yield from _platforms(settings)
    yield from _brakes(settings)


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except OperatorError as error:
        return Finding(name, False, str(error))


def _database(settings: Settings) -> str:
    engine = open_database(database_url(settings))
    try:
        schema.require_current(engine)
        return f"{engine.url.render_as_string(hide_password=True)}, tables up to date"
    finally:
        engine.dispose()


def _queue(settings: Settings) -> str:
    connection = parts.open_queue(settings, QUEUE_PATIENCE)
    version = connection.info("server").get("redis_version", "?")
    connection.close()
    return f"answers, version {version}"


def _model() -> str:
    """Asks the worker, in a process of its own: this one never loads torch."""
    command = [sys.executable, "-m", "worker", "check"]
    try:
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            command,
            capture_output=True,
            text=True,
            timeout=MODEL_SECONDS,
            check=False,
            env=_worker_environment(),
        )
    except subprocess.TimeoutExpired:
        raise OperatorError(f"did not load within {MODEL_SECONDS} s") from None
    try:
        told = json.loads(done.stdout)
        ok, detail = bool(told["ok"]), str(told["detail"])
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise OperatorError(f"`python -m worker check` failed: {last}") from None
    if not ok:
        raise OperatorError(detail)
    return detail


def _worker_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("X_", "INSTAGRAM_"))}


def _platforms(settings: Settings) -> Iterator[Finding]:
    found = parts.open_platforms(settings)
    for name, setting in (("x", "X_API_KEY"), ("instagram", "INSTAGRAM_USERNAME")):
        platform = found.get(name)
        if platform is None:
            yield Finding(name, True, f"off: {setting} is not set")
        else:
            yield _log_in(platform, setting)
    if not found:
        yield Finding("platforms", False, "all are off: set X_API_KEY and the rest of X's credentials")


def _log_in(platform: Platform, setting: str) -> Finding:
    try:
        return Finding(platform.name, True, f"logged in as @{platform.account()}")
    except PlatformError as error:
        return Finding(platform.name, False, f"{error} ({_advice(platform.name, error, setting)})")


def _advice(platform: str, error: PlatformError, setting: str) -> str:
    if isinstance(error, Later):
        return f"is this machine online, and {platform.upper()}_API_URL right if it is set?"
    return f"check {setting} and the settings beside it"


def _brakes(settings: Settings) -> Iterator[Finding]:
    try:
        brakes = parts.open_records(settings).brakes.all_on()
    except OperatorError:
        # Said above, with the database.
        return
    for brake in brakes:
        yield _brake(brake)
    if not brakes:
        yield Finding("brakes", True, "none")


def _brake(brake: Brake) -> Finding:
    what = f"{brake.platform} {brake.action.value}"
    if brake.until is not None:
        return Finding("brakes", True, f"{what} rests until {brake.until:%Y-%m-%d %H:%M} UTC: {brake.reason}")
    return Finding(
        "brakes", False, f"{what} is stopped ({brake.reason}): look, then `selfai resume {brake.platform}`"
    )
