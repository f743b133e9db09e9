"""Whoever writes to Redis does not thereby run code here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Queue, Retry
from rq.job import Job
from rq.serializers import JSONSerializer

from tests.worker.test_serving import QUEUE, fail, put
from worker.serving import Standing, serve, standing


@pytest.mark.parametrize("name", ["os.system", "tests.worker.forbidden.run", "note.append", ""])
def test_only_named_functions_run(redis_connection: redis.Redis, name: str, tmp_path: Path) -> None:
    """Whoever writes to Redis runs nothing else, and nothing is imported for them."""
    before = set(sys.modules)
    Queue(QUEUE, connection=redis_connection, serializer=JSONSerializer).enqueue_call(
        name or "x", args=(f"touch {tmp_path}/made",), job_id="job-1", retry=Retry(max=1)
    )
    if not name:
        redis_connection.hset("rq:job:job-1", "data", b"[null, null, [], {}]")
    serve(redis_connection, QUEUE, {"note": fail}, burst=True)
    assert standing(redis_connection, ["job-1"]) == [Standing.FAILED]
    assert not (tmp_path / "made").exists()
    assert not {module for module in set(sys.modules) - before if module.startswith("tests.worker.forbidden")}
    found = Job.fetch("job-1", connection=redis_connection, serializer=JSONSerializer).latest_result()
    assert found is not None
    assert "UnknownFunctionError" in (found.exc_string or "")


def test_callbacks_do_not_run(redis_connection: redis.Redis, tmp_path: Path) -> None:
    """A job may name more functions than one: those to be told of its end."""
    put(redis_connection)
    for field in ("success_callback_name", "failure_callback_name"):
        redis_connection.hset("rq:job:job-1", field, "os.system")
    before = set(tmp_path.iterdir())
    got: list[Any] = []
    serve(redis_connection, QUEUE, {"note": got.append}, burst=True)
    assert got == [None]
    assert set(tmp_path.iterdir()) == before
    assert standing(redis_connection, ["job-1"]) == [Standing.ABSENT]


class Opened:
    """Unpickling it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.file),)


def test_pickles_are_not_opened(redis_connection: redis.Redis, tmp_path: Path) -> None:
    """RQ's default format can run code; ours is JSON, and a pickled job fails unread."""
    Queue(QUEUE, connection=redis_connection).enqueue_call(
        "note", args=(Opened(tmp_path / "made"),), meta={"made": Opened(tmp_path / "made")}, job_id="job-1"
    )
    serve(redis_connection, QUEUE, {"note": fail}, burst=True)
    assert standing(redis_connection, ["job-1"]) == [Standing.FAILED]
    assert not (tmp_path / "made").exists()


def test_garbage_does_not_stop_the_worker(redis_connection: redis.Redis) -> None:
    """Jobs that are none are passed over."""
    got: list[Any] = []
    redis_connection.hset(
        "rq:job:job-0", mapping={"data": b"\xff", "status": "strange", "created_at": "never"}
    )
    redis_connection.rpush(f"rq:queue:{QUEUE}", "job-0", "not there")
    put(redis_connection, argument="good")
    serve(redis_connection, QUEUE, {"note": got.append}, burst=True)
    assert got == ["good"]
