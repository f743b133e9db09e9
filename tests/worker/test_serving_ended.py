"""Workers that are ended in the middle of a job, gently or not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import redis
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from tests.worker.test_serving import QUEUE, put, wait_for
from worker.serving import JOB_SECONDS, Standing, serve, standing

CHILD = """
import sys, time
from worker.serving import connect, serve

def work(seconds):
    connection.set("started", 1)
    time.sleep(seconds)
    connection.set("finished", 1)

connection = connect(sys.argv[1])
serve(connection, "tests", {"work": work})
"""


@pytest.fixture
def child(redis_url: str) -> Any:
    """Another process that serves, ended after the test."""
    process = subprocess.Popen([sys.executable, "-c", CHILD, redis_url])
    yield process
    process.kill()
    process.wait()


def test_sigterm_lets_the_job_finish(redis_connection: redis.Redis, child: subprocess.Popen[bytes]) -> None:
    """And then the process ends, cleanly."""
    put(redis_connection, "work", 0.5)
    wait_for(lambda: bool(redis_connection.get("started")))
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0
    assert redis_connection.get("finished")


def kill_in_the_middle(redis_connection: redis.Redis, child: subprocess.Popen[bytes]) -> None:
    """And let pass what time it takes until the run counts as over: its own record goes first."""
    wait_for(lambda: bool(redis_connection.get("started")))
    child.kill()
    child.wait()
    started = StartedJobRegistry(QUEUE, connection=redis_connection, serializer=JSONSerializer)
    ends: Any = redis_connection.zrange(started.key, 0, -1, withscores=True)
    assert ends[0][1] < time.time() + 2 * JOB_SECONDS + 10
    redis_connection.zadd(started.key, {ends[0][0]: 1})
    redis_connection.delete(f"rq:execution:{ends[0][0].decode()}")


def test_a_killed_workers_job_comes_back(
    redis_connection: redis.Redis, child: subprocess.Popen[bytes]
) -> None:
    """Another worker's maintenance finds it once its time is over; it runs once more and is done."""
    put(redis_connection, "work", 60)
    kill_in_the_middle(redis_connection, child)
    got: list[Any] = []
    serve(redis_connection, QUEUE, {"work": got.append}, burst=True)
    assert got == [60]
    assert standing(redis_connection, ["job-1"]) == [Standing.ABSENT]
    assert not redis_connection.exists("rq:job:job-1")


def test_a_job_that_killed_its_workers_can_be_enqueued_anew(
    redis_connection: redis.Redis, child: subprocess.Popen[bytes]
) -> None:
    """Once it counts as failed, whatever is left of the last worker's run."""
    put(redis_connection, "work", 60)
    wait_for(lambda: bool(redis_connection.get("started")))
    redis_connection.hset("rq:job:job-1", "retries_left", 0)
    kill_in_the_middle(redis_connection, child)
    serve(redis_connection, QUEUE, {}, burst=True)
    assert standing(redis_connection, ["job-1"]) == [Standing.FAILED]
    got: list[Any] = []
    assert put(redis_connection, argument="again")
    serve(redis_connection, QUEUE, {"note": got.append}, burst=True)
    assert got == ["again"]
