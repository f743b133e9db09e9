from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine

from bot import check
from bot.brakes import Action
from bot.database import open_database
from bot.records import Records
from bot.sandbox.server import Sandbox
from bot.schema import upgrade
from tests.fakes import FakeClock


def _report() -> tuple[int, list[str]]:
    file = io.StringIO()
    status = check.run_checks(Console(file=file, soft_wrap=True, width=200))
    return status, file.getvalue().splitlines()


def _line(lines: list[str], name: str) -> str:
    return next(line for line in lines if line[5:].startswith(name))


@pytest.fixture
def all_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[Engine]:
    """A bot that is ready, in the sandbox; its model is taken to be fine."""
    with Sandbox() as sandbox:
        for name, value in {**sandbox.environment(), "SELFAI_HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("REDIS_URL", redis_url)
        monkeypatch.setattr(check, "_model", lambda: "scorer on cpu")
        engine = open_database(f"sqlite:///{tmp_path}/selfai.sqlite")
        upgrade(engine)
        yield engine
        engine.dispose()


@pytest.mark.usefixtures("all_set")
def test_all_is_ready() -> None:
    """Every line is green, the log-ins are real ones, and no secret is printed."""
    status, lines = _report()
    assert status == 0
    assert all(line.startswith("ok") for line in lines)
    assert "logged in as @selfai_robot" in _line(lines, "x ")
    assert "logged in as @selfai_robot" in _line(lines, "instagram")
    for secret in ("X_API_SECRET", "X_ACCESS_SECRET", "INSTAGRAM_PASSWORD"):
        assert f" {os.environ[secret]}" not in " ".join(lines)


@pytest.mark.usefixtures("all_set")
def test_wrong_credentials_name_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """X does not know us: red, with the settings to look at, and exit status 1."""
    monkeypatch.setenv("X_ACCESS_SECRET", "made up")
    status, lines = _report()
    assert status == 1
    assert _line(lines, "x ").startswith("FAIL")
    assert "X_API_KEY" in _line(lines, "x ")
    assert "made up" not in " ".join(lines)


@pytest.mark.usefixtures("all_set")
@pytest.mark.parametrize("platform", ["x", "instagram"])
def test_a_platform_out_of_reach_puts_no_blame_on_credentials(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network, or another server's address, is what to look at."""
    monkeypatch.setenv(f"{platform.upper()}_API_URL", "http://127.0.0.1:9")
    status, lines = _report()
    assert status == 1
    assert "online" in _line(lines, f"{platform} ")
    assert f"{platform.upper()}_API_URL" in _line(lines, f"{platform} ")


def test_a_brake_that_waits_for_a_person_is_red(all_set: Engine) -> None:
    """It says what happened and how to go on; one that cools down by itself is no fault."""
    brakes = Records(all_set, FakeClock()).brakes
    brakes.pull("instagram", Action.REPLY, None, "challenge required")
    status, lines = _report()
    assert status == 1
    assert "challenge required" in _line(lines, "brakes")
    assert "selfai resume instagram" in _line(lines, "brakes")


@pytest.mark.usefixtures("all_set")
def test_a_database_without_tables_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red, and `selfai migrate`."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite")
    status, lines = _report()
    assert status == 1
    assert "selfai migrate" in _line(lines, "database")


@pytest.mark.usefixtures("all_set")
def test_a_queue_that_is_away_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the setting and hides the password."""
    monkeypatch.setenv("REDIS_URL", "redis://:hidden@127.0.0.1:1")
    status, lines = _report()
    assert status == 1
    assert "REDIS_URL" in _line(lines, "queue")
    assert "hidden" not in " ".join(lines)


def test_wrong_settings_are_all_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings nothing else can be looked at."""
    monkeypatch.setenv("X_API_KEY", "alone")
    status, lines = _report()
    assert status == 1
    assert len(lines) == 1
    assert "X_API_SECRET" in lines[0]


def test_missing_weights_are_told_by_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker looks in a process of its own; its words name the setting."""
    monkeypatch.setenv("SELFAI_HOME", str(tmp_path))
    monkeypatch.setenv("SELFAI_WEIGHTS", str(tmp_path / "nowhere"))
    status, lines = _report()
    assert status == 1
    assert "SELFAI_WEIGHTS" in _line(lines, "model")
