from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from bot.__main__ import MODEL_COMMANDS, WORKER_COMMANDS, cli
from bot.brakes import Action
from bot.commands import ALL
from bot.database import open_database
from bot.platforms.base import Page
from bot.records import Records
from bot.schema import upgrade
from bot.selfie import Source
from tests.fakes import FakeClock, make_item

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60.0


def _run(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SELFAI_HOME": str(home), **settings}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=ROOT,
    )


def _records(home: Path) -> Records:
    engine = open_database(f"sqlite:///{home}/selfai.sqlite")
    upgrade(engine)
    return Records(engine, FakeClock())


@pytest.mark.parametrize("command", [one.name for one in ALL])
def test_every_command_has_help(command: str) -> None:
    """`--help` says what a command does, and shows examples where it takes arguments."""
    shown = CliRunner().invoke(cli, [command, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) >= 4
    if "Usage: cli " + command + " [OPTIONS] " in shown.output:
        assert "Example" in shown.output


@pytest.mark.parametrize("command", [*WORKER_COMMANDS, *MODEL_COMMANDS])
def test_other_rooms_commands_show_their_own_help(command: str) -> None:
    """The stand-ins hand `--help` through."""
    shown = CliRunner().invoke(cli, [command, "--help"])
    assert shown.exit_code == 0
    assert f"selfai {command}" in shown.output


def test_a_photo_whose_name_begins_with_a_dash(tmp_path: Path) -> None:
    """After `--` it is a name, though two command lines read it."""
    (tmp_path / "weights").mkdir()
    done = _run(tmp_path, "score", "--", "--json", SELFAI_WEIGHTS=str(tmp_path / "weights"))
    assert "scorer.json is missing" in done.stderr
    assert "Usage" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("poll", "x"), {"X_API_KEY": "a"}, "X_API_SECRET"),
        (("sweep",), {}, "selfai migrate"),
        (("respond",), {"DATABASE_URL": "mysql://here"}, "DATABASE_URL"),
        (("migrate",), {"DATABASE_URL": "postgresql://a:hidden@127.0.0.1:1/b"}, "DATABASE_URL"),
        (("sweep",), {"SWEEP_SECONDS": "soon"}, "SWEEP_SECONDS"),
        (("resume", "x"), {"SELFAI_HASHTAG": "two words"}, "SELFAI_HASHTAG"),
    ],
)
def test_an_operators_mistake_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], settings: Mapping[str, str], words: str
) -> None:
    """Exit status 1, the setting by name, no traceback, no secret."""
    done = _run(tmp_path, *arguments, **settings)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "hidden" not in done.stderr


def test_a_queue_that_is_away_is_named(tmp_path: Path) -> None:
    """The sweeper does not start without its queue, and says which setting to look at."""
    _records(tmp_path)
    done = _run(tmp_path, "sweep", REDIS_URL="redis://:hidden@127.0.0.1:1")
    assert done.returncode == 1
    assert "REDIS_URL" in done.stderr
    assert "hidden" not in done.stderr


@pytest.mark.parametrize("platform", ["x", "instagram"])
def test_a_platform_that_is_off_idles(tmp_path: Path, platform: str) -> None:
    """Its poller says so and stays, since a process manager ends all when one ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "poll", platform],
        env={**os.environ, "SELFAI_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stderr is not None
        assert f"{platform} is off" in process.stderr.readline()
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


def test_migrate_makes_the_tables(tmp_path: Path) -> None:
    """After it, what needs the tables works; twice does no harm."""
    for _ in range(2):
        done = _run(tmp_path, "migrate")
        assert done.returncode == 0, done.stderr
    assert "was not stopped" in _run(tmp_path, "resume", "x").stdout


def test_resume_takes_the_brakes_off(tmp_path: Path) -> None:
    """It says what goes on again and why it was stopped."""
    records = _records(tmp_path)
    records.brakes.pull("instagram", Action.REPLY, None, "challenge")
    done = _run(tmp_path, "resume", "instagram")
    assert "challenge" in done.stdout
    assert records.brakes.all_on() == []


def test_forget_deletes_a_person(tmp_path: Path) -> None:
    """It says how many selfies that were; nothing of the person is left."""
    records = _records(tmp_path)
    records.add_page(Source.X_MENTIONS, Page([make_item(author_id="7", author_name="anna")], "1"))
    done = _run(tmp_path, "forget", "x", "7")
    assert "1 selfie" in done.stdout
    assert "anna" not in str(records.recent(5))


def test_sandbox_tells_addresses_and_credentials(tmp_path: Path) -> None:
    """One JSON line; each address answers; Ctrl-C ends it."""
    ports = ("--x-port", "0", "--instagram-port", "0", "--page-port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", "--json", *ports],
        env={**os.environ, "SELFAI_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert requests.get(told["page"]["url"], timeout=10).status_code == 200
        token = told["x"]["accounts"][told["x"]["bot"]]["oauth2_token"]
        me = requests.get(
            told["x"]["url"] + "/2/users/me", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        assert me.json()["data"]["username"] == told["x"]["bot"]
        assert told["instagram"]["accounts"][told["instagram"]["bot"]]["password"]
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize("option", ["--x-port", "--instagram-port", "--page-port"])
def test_a_taken_port_is_named(tmp_path: Path, option: str) -> None:
    """The message names the option that chooses another port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = dict.fromkeys(("--x-port", "--instagram-port", "--page-port"), "0")
        ports[option] = str(taken.getsockname()[1])
        done = _run(tmp_path, "sandbox", *(part for pair in ports.items() for part in pair))
    assert done.returncode == 1
    assert option in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
