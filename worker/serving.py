"""Jobs on Redis: reach the queue, put a job on it, ask how it stands, and serve jobs in this process.

RQ does the work. Bot and worker both use this; it knows nothing of selfies.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry as ConnectionRetry
from rq import Queue, Retry, SimpleWorker
from rq.exceptions import DuplicateJobError, StopRequested
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty, UnixSignalDeathPenalty

from worker.served import LastingJob, job_class

log = logging.getLogger(__name__)

JOB_SECONDS = 60
"""Time limit of a job. A responder's lease on a selfie must be longer."""

TRIES_AGAIN = 2
"""How often RQ runs a job once more after it failed or its worker died."""

FAILED_JOB_SECONDS = 24 * 3600
"""How long a failed job (photo address or picture in it) is kept for a person to look at."""

MAINTENANCE_SECONDS = 30
"""Between two looks for jobs whose worker died."""

STARTING_SECONDS = 20.0
"""How long the embedded queue may take to start; whoever needs it is started beside it."""

RESTART_SECONDS = 2.0
"""Pause before serving goes on after an error outside a job."""

Functions = Mapping[str, Callable[[Any], None]]
"""Job names and what they run; each takes the job's one JSON argument."""


class QueueError(Exception):
    """The queue cannot be reached; the message names REDIS_URL and says what to do."""


class Standing(StrEnum):
    """How a job stands."""

    PENDING = "pending"
    """Waiting or running."""
    FAILED = "failed"
    ABSENT = "absent"
    """Done, lost, or never enqueued."""


def connect(url: str, patience: float = 0.0) -> redis.Redis:
    """Reach the queue at `url` (redis://, rediss:// or unix://). Raises QueueError.

    One that is just being started is waited for, up to `patience` seconds.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            return _connect(url)
        except (redis.RedisError, OSError, ValueError) as error:
            if time.monotonic() >= give_up:
                raise QueueError(
                    f"cannot reach the queue at {_without_password(url)} ({error}): "
                    "start it with `selfai queue`, or set REDIS_URL"
                ) from error
        time.sleep(0.2)


def _connect(url: str) -> redis.Redis:
    connection: redis.Redis = redis.Redis.from_url(
        url,
        socket_timeout=15,
        socket_connect_timeout=5,
        health_check_interval=30,
        retry=ConnectionRetry(ExponentialWithJitterBackoff(cap=1, base=0.05), 3),
    )
    connection.ping()
    return connection


def enqueue(connection: redis.Redis, queue_name: str, function: str, argument: Any, *, job_id: str) -> bool:
    """Put a job on a queue; False if it waits or runs already. A failed one is put anew.

    `function` is a name that the other side serves; `argument` is anything JSON.
    Raises redis.RedisError.
    """
    if standing(connection, [job_id]) == [Standing.FAILED]:
        _fetch(connection, [job_id])[0].delete()  # type: ignore[union-attr]
    queue = Queue(queue_name, connection=connection, serializer=JSONSerializer)
    try:
        queue.enqueue_call(
            function,
            args=(argument,),
            timeout=JOB_SECONDS,
            # A finished job leaves nothing behind: it would keep a person's picture in Redis.
            result_ttl=0,
            failure_ttl=FAILED_JOB_SECONDS,
            # RQ's own description repeats the argument.
            description=function,
            job_id=job_id,
            retry=Retry(max=TRIES_AGAIN),
            unique=True,
        )
    except DuplicateJobError:
        return False
    return True


def standing(connection: redis.Redis, job_ids: Sequence[str]) -> list[Standing]:
    """How each of these jobs stands. Raises redis.RedisError."""
    return [_standing(job) for job in _fetch(connection, job_ids)]


def _fetch(connection: redis.Redis, job_ids: Sequence[str]) -> list[Job | None]:
    return LastingJob.fetch_many(job_ids, connection=connection, serializer=JSONSerializer)


def _standing(job: Job | None) -> Standing:
    status = None if job is None else job.get_status(refresh=False)
    if status in (None, JobStatus.FINISHED):
        return Standing.ABSENT
    if status in (JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED):
        return Standing.FAILED
    return Standing.PENDING


def serve(
    connection: redis.Redis,
    queue_name: str,
    functions: Functions,
    *,
    burst: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Run this queue's jobs here, one after the other, until `stop`, SIGTERM or SIGINT.

    The job that runs then is finished first. With `burst`, returns once the queue is empty.
    Works in any thread (signals are heeded in the main thread only) and outlasts Redis'
    absences.
    """
    stop = stop or threading.Event()
    with _stopped_by_signals(stop):
        while not stop.is_set():
            _serve_once(connection, queue_name, functions, burst, stop)
            if burst:
                return
            stop.wait(RESTART_SECONDS)


def _serve_once(
    connection: redis.Redis, queue_name: str, functions: Functions, burst: bool, stop: threading.Event
) -> None:
    """Serve until stopped, or until RQ gives up over an error outside a job."""
    try:
        worker = _InProcessWorker(connection, queue_name, functions, stop)
        worker.work(burst=burst, logging_level="WARNING")
    except redis.RedisError as error:
        if burst:
            raise
        log.error("The queue is away (%s); check REDIS_URL. Trying again.", error)


class _InProcessWorker(SimpleWorker):
    """RQ's worker that runs jobs in its own process, so that a model is loaded once."""

    max_connection_wait_time = 5.0

    def __init__(
        self, connection: redis.Redis, queue_name: str, functions: Functions, stop: threading.Event
    ) -> None:
        # SIGALRM reaches the main thread only.
        in_main = threading.current_thread() is threading.main_thread()
        self.death_penalty_class = UnixSignalDeathPenalty if in_main else TimerDeathPenalty
        self._stop = stop
        self._waiting = False
        super().__init__(
            [queue_name],
            connection=connection,
            job_class=job_class(functions),
            serializer=JSONSerializer,
            maintenance_interval=MAINTENANCE_SECONDS,
            # Also how long RQ lets a command to Redis hang, less some seconds.
            worker_ttl=45,
            log_job_description=False,
        )

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a job, looking up every second whether to stop."""
        while not self._stop.is_set():
            self._waiting = True
            try:
                found = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time=1)
            finally:
                self._waiting = False
            if found is not None or timeout is None:
                return found
        raise StopRequested

    def heartbeat(self, *arguments: Any, **options: Any) -> None:
        """As RQ's; RQ begins with it each time it tries to reach a queue that is away, without end."""
        if self._waiting and self._stop.is_set():
            raise StopRequested
        super().heartbeat(*arguments, **options)

    def _install_signal_handlers(self) -> None:
        """`serve` has its own."""

    def subscribe(self) -> None:
        """Nobody sends commands to our workers: no listening thread."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def procline(self, message: str) -> None:
        """The process keeps its name."""


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT set `stop` (in the main thread; elsewhere nothing changes)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heed(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, heed) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":***@")
