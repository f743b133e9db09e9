from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from PIL import Image
from sqlalchemy import make_url, text

from bot.children import Children, wait_for_line
from bot.database import open_database
from bot.demo_database import SCHEMA, fresh_database
from bot.demo_samples import SAMPLES, portrait
from bot.sandbox.feed import Way
from bot.schema import require_current, upgrade
from tests.conftest import new_postgresql
from worker import messages
from worker.serving import QueueError, connect

ROOT = Path(__file__).parent.parent.parent


def _start(home: Path, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SELFAI_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    home.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--page-port", "0", *options],
        env={**environment, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
    )


def _queue_is_gone(home: Path) -> bool:
    url = messages.queue_url({"SELFAI_HOME": str(home / "demo")})
    for _ in range(100):
        try:
            connect(url).close()
        except (QueueError, redis.RedisError):
            return True
        time.sleep(0.1)
    return False


def test_a_home_that_cannot_be_is_named(tmp_path: Path) -> None:
    """In one line: there is a file where the folder should be."""
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--once"],
        env={**os.environ, "SELFAI_HOME": str(tmp_path / "file"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "SELFAI_HOME" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_once_answers_every_sample_and_ends(tmp_path: Path) -> None:
    """Exit status 0; replies.json and the pictures stand in demo/; no process is left."""
    done = _start(tmp_path, "--once")
    said, complaints = done.communicate(timeout=380)

    assert done.returncode == 0, said + complaints
    replies = json.loads((tmp_path / "demo" / "replies.json").read_text())
    assert len(replies) == len(SAMPLES)
    assert {reply["way"] for reply in replies} == set(Way)
    for reply, sample in zip(replies, SAMPLES, strict=True):
        assert reply["way"] == sample.way
        assert (reply["picture"] is not None) == sample.wants_picture
        assert (reply["score"] is None) == (reply["plus_minus"] is None) == (sample.portrait == "coffee")
        if reply["picture"]:
            with Image.open(tmp_path / reply["picture"]) as picture:
                assert min(picture.size) >= 200
    assert _queue_is_gone(tmp_path)
    assert "\x1b" not in said


@pytest.mark.slow
def test_a_demo_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its processes end though it could not end them; meanwhile a second demo is refused."""
    with _start(tmp_path) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("Queue"):
                break
        with _start(tmp_path) as second:
            assert second.wait(60) == 1
            assert second.stderr is not None
            assert "a demo runs already" in second.stderr.read()
        demo.kill()
    assert _queue_is_gone(tmp_path)


def test_a_process_that_died_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A command that ends by itself is found, and its log says why."""
    children = Children({**os.environ, "SELFAI_HOME": str(tmp_path)}, tmp_path / "logs")
    child = children.start("sweep")

    child.process.wait(60)

    dead = children.dead()
    assert dead is child
    assert "selfai migrate" in child.last_lines()[-1]
    children.stop()


def test_processes_are_watched_and_ended(tmp_path: Path) -> None:
    """A line of a log can be waited for; stopping ends all in good order."""
    children = Children({**os.environ, "SELFAI_HOME": str(tmp_path)}, tmp_path / "logs")
    idle = [children.start("poll", "x"), children.start("poll", "instagram")]

    assert all(wait_for_line(child, "is off", 60) for child in idle)
    assert children.dead() is None
    children.stop()

    assert [child.process.returncode for child in idle] == [0, 0]


def test_the_demos_schema_is_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In PostgreSQL the demo starts with empty tables beside the bot's, each time anew."""
    with new_postgresql() as url:
        monkeypatch.setenv("DATABASE_URL", url)
        for _ in range(2):
            engine = open_database(fresh_database(tmp_path))
            upgrade(engine)
            require_current(engine)
            engine.dispose()
        real = open_database(url)
        with real.connect() as connection:
            found = connection.scalar(text("SELECT to_regclass('public.selfies')"))
            demos = connection.scalar(text(f"SELECT to_regclass('{SCHEMA}.selfies')"))
        real.dispose()
    assert (found, demos) == (None, f"{SCHEMA}.selfies")


def test_without_postgresql_the_demo_has_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bot's own SQLite file is not touched."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/real.sqlite")
    assert make_url(fresh_database(tmp_path)).database == f"{tmp_path}/demo.sqlite"


@pytest.mark.parametrize("name", sorted({sample.portrait for sample in SAMPLES}))
def test_every_sample_is_a_photo(name: str) -> None:
    """The packages that ship them still do."""
    with Image.open(io.BytesIO(portrait(name))) as photo:
        assert photo.format == "JPEG" and min(photo.size) >= 400
