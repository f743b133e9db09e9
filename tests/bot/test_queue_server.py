from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from bot import queue_server
from bot.errors import OperatorError
from worker import messages
from worker.serving import QueueError, connect

ROOT = Path(__file__).parent.parent.parent
SECONDS = 30.0


@contextmanager
def _serving(home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`selfai queue` in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *options, "queue"],
        env={**os.environ, "SELFAI_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _reach(home: Path) -> redis.Redis:
    """The queue that serves this home, once it is up."""
    url = messages.queue_url({"SELFAI_HOME": str(home)})
    give_up = time.monotonic() + SECONDS
    while True:
        try:
            return connect(url)
        except QueueError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def _goes_away(connection: redis.Redis) -> bool:
    for _ in range(int(SECONDS / 0.1)):
        try:
            connection.ping()
        except redis.RedisError:
            return True
        time.sleep(0.1)
    return False


def test_it_serves_a_private_socket_and_keeps_what_it_holds(tmp_path: Path) -> None:
    """Nobody else may reach the socket; what was queued is there again after a restart."""
    with _serving(tmp_path) as process:
        with _reach(tmp_path) as connection:
            connection.set("kept", "yes")
        socket = messages.queue_socket({"SELFAI_HOME": str(tmp_path)})
        assert socket.stat().st_mode & 0o077 == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0

    with _serving(tmp_path), _reach(tmp_path) as connection:
        assert connection.get("kept") == b"yes"


def test_its_file_forgets_what_is_done(tmp_path: Path) -> None:
    """Before it holds many pictures that Redis has deleted."""
    with _serving(tmp_path):
        connection = _reach(tmp_path)
        for number in range(30):
            connection.set("picture", f"portrait {number} " + "x" * 50_000)
            connection.delete("picture")
        give_up = time.monotonic() + SECONDS
        while b"portrait 0 " in _on_disk(tmp_path):
            assert time.monotonic() < give_up, "the file still holds all"
            time.sleep(0.1)


def _on_disk(home: Path) -> bytes:
    content = b""
    for file in list((home / "queue").rglob("*.aof")):
        # The server takes old files away meanwhile.
        with suppress(FileNotFoundError):
            content += file.read_bytes()
    return content


def test_a_long_home_gets_a_short_socket(tmp_path: Path) -> None:
    """A socket's path has a limit; beyond it, bot and worker agree on a short one."""
    home = tmp_path / ("long" * 30)
    home.mkdir()
    with _serving(home), _reach(home) as connection:
        assert connection.ping()


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    """Two servers on one home would lose jobs: the second says so and ends with 1."""
    with _serving(tmp_path):
        _reach(tmp_path).close()
        with _serving(tmp_path) as second:
            assert second.wait(SECONDS) == 1
            assert second.stderr is not None
            said = second.stderr.read()
    assert "runs already" in said
    assert "Traceback" not in said


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """A parent that is killed without a chance to tidy up leaves no server behind."""
    program = (
        "import subprocess, sys, os, time\n"
        f"os.environ['SELFAI_HOME'] = {str(tmp_path)!r}\n"
        "subprocess.Popen([sys.executable, '-m', 'bot', '--end-with', str(os.getpid()), 'queue'])\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL)
    with _reach(tmp_path) as connection:
        parent.kill()
        parent.wait()
        assert _goes_away(connection)


def test_with_redis_url_it_only_waits(tmp_path: Path) -> None:
    """Another queue is set: the process says so and idles, for a process manager's sake."""
    environment = {**os.environ, "SELFAI_HOME": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1"}
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "queue"], env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stderr is not None
        assert "REDIS_URL is set" in process.stderr.readline()
        process.terminate()
        assert process.wait(SECONDS) == 0


def test_the_machines_own_server_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A valkey-server or redis-server on the PATH is taken before the one that comes along."""
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert queue_server.find_server() == program
    program.unlink()
    assert queue_server.find_server().name == "valkey-server"


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands where the folder should be: the message names SELFAI_HOME."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="SELFAI_HOME"):
        queue_server.become_queue(tmp_path / "file" / "home", tmp_path / "queue.sock")
