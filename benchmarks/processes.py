"""Selfai's own processes around a sandbox, for the benchmarks that measure the whole way."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.children import Children, wait_for_line

LOADING_SECONDS = 300.0
"""How long the workers may take to load their model."""


@contextmanager
def running(environment: Mapping[str, str], workers: int, *others: str) -> Iterator[Mapping[str, str]]:
    """A queue, so many workers with their models loaded, and `others` ("poll x"), in a home of their own.

    Gives their environment. Raises RuntimeError, with a log's last lines, if one does not start.
    """
    with tempfile.TemporaryDirectory(prefix="selfai-") as folder:
        told = {**_bare_environment(), **environment, "SELFAI_HOME": folder}
        told["DATABASE_URL"] = f"sqlite:///{folder}/selfai.sqlite"
        # Each worker's log is named after its command, so each has a folder.
        groups = [Children(told, Path(folder) / f"logs-{number}") for number in range(workers + 1)]
        try:
            groups[0].start("queue")
            for command in ("migrate", *others):
                child = groups[0].start(*command.split())
                if command == "migrate":
                    child.process.wait(LOADING_SECONDS)
            started = [group.start("work") for group in groups[1:]]
            for worker in started:
                if not wait_for_line(worker, "worker ready", LOADING_SECONDS):
                    raise RuntimeError("\n".join(worker.last_lines()) or "a worker said nothing")
            yield told
        finally:
            for group in reversed(groups):
                group.stop()


def _bare_environment() -> dict[str, str]:
    ours = ("SELFAI_", "X_", "INSTAGRAM_", "REDIS_", "DATABASE_", "SWEEP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
