"""The jobs that `worker.serving` serves: RQ's, but for what RQ trusts Redis with too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import redis
from rq.exceptions import NoSuchJobError
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job

KEPT_FIELDS = frozenset(
    b"data created_at origin description enqueued_at started_at ended_at last_heartbeat worker_name "
    b"timeout result_ttl failure_ttl ttl status number_of_retries retries_left retry_intervals".split()
)
"""All that we read of a job. Callbacks and webhooks would run what Redis says."""


class UnknownFunctionError(Exception):
    """A job names a function that is not served here. Nothing was imported."""


class LastingJob(Job):
    """A job that bears the death of a worker that was at it.

    RQ keeps the dead worker's run in the job's list for a minute after the run itself is gone.
    A job that is done meanwhile would then fail in RQ's own tidying up, be done again, and stay
    in Redis as failed, photo address or picture in it.
    """

    @property
    def execution_registry(self) -> ExecutionRegistry:
        """The runs of this job."""
        return _Runs(self.id, connection=self.connection)


class _Runs(ExecutionRegistry):
    def get_executions(self, start: int = 0, end: int = -1) -> list[Execution]:
        """Those that there are; the others are taken off the list."""
        runs = []
        for name in self.get_execution_ids(start, end):
            try:
                runs.append(Execution.fetch(name, self.job_id, self.connection))
            except ValueError:
                self.connection.zrem(self.key, name)
        return runs


def job_class(functions: Mapping[str, Callable[[Any], None]]) -> type[Job]:
    """The class of the jobs that a worker takes: they run one of `functions` and nothing else."""

    class ServedJob(LastingJob):
        """A job that runs one of `functions` and nothing else."""

        @property
        def func(self) -> Callable[[Any], None]:
            """The function to run; never imports. Raises UnknownFunctionError."""
            try:
                return functions[self.func_name or ""]
            except KeyError:
                raise UnknownFunctionError(f"{self.func_name!r} is not served here") from None

        @classmethod
        def fetch(cls, id: str, connection: redis.Redis | None = None, serializer: Any = None) -> Job:  # noqa: A002
            """Read a job; one that cannot be read counts as gone, instead of stopping the worker."""
            try:
                return super().fetch(id, connection, serializer)
            except (KeyError, TypeError, ValueError) as error:
                raise NoSuchJobError(f"job {id} cannot be read: {error}") from error

        def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
            """Take what Redis holds of the job, without anything else that it would have us run."""
            super().restore({name: value for name, value in raw_data.items() if name in KEPT_FIELDS})

    return ServedJob
