"""`python -m benchmarks.throughput`: jobs per second against workers and jobs in the queue.

Jobs are whole: download from this machine, score, crop, render, hand over. The baseline of each
number of jobs is one worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import redis

from benchmarks.processes import running
from benchmarks.report import cores, run
from benchmarks.selfies import selfie
from worker.messages import REPLIES, SCORE_SELFIE, SELFIES, ScoreRequest, queue_url
from worker.serving import STARTING_SECONDS, connect, enqueue

PATIENCE = 1200.0
"""Seconds in which all jobs of a round must be done."""


def measure(quick: bool) -> dict[str, Any]:
    """Jobs per second for each number of workers and of jobs, and times one worker's."""
    size = (320, 240) if quick else (1280, 960)
    workers = (1,) if quick else tuple(sorted({1, 2, 3, cores()}))
    jobs = (2,) if quick else (1, 10, 50, 200)
    rates: dict[int, dict[int, float]] = {}
    with _host(selfie(*size)) as url:
        for count in workers:
            with running({}, count) as environment:
                queue = connect(queue_url(environment), STARTING_SECONDS)
                _rate(queue, url, count)
                rates[count] = {number: _rate(queue, url, number) for number in jobs}
    shares = {
        count: {number: rate / rates[1][number] for number, rate in told.items()}
        for count, told in rates.items()
    }
    return {
        "baseline": "one worker, for each number of jobs",
        "photo": "x".join(map(str, size)),
        "jobs per second": _named(rates),
        "times one worker": _named(shares),
    }


def _named(figures: dict[int, dict[int, float]]) -> dict[str, dict[str, float]]:
    return {
        f"workers: {count}": {f"jobs: {number}": round(value, 2) for number, value in told.items()}
        for count, told in figures.items()
    }


def _rate(queue: redis.Redis, url: str, jobs: int) -> float:
    """Jobs per second of a round, from the first one's queueing to the last one's result."""
    queue.delete(f"rq:queue:{REPLIES}")
    # Results of an earlier round still hold their ids.
    for key in queue.scan_iter("rq:job:reply-*"):
        queue.delete(key)
    started = time.monotonic()
    for number in range(jobs):
        request = ScoreRequest(number, 1, url)
        enqueue(queue, SELFIES, SCORE_SELFIE, request.to_json(), job_id=request.job_id)
    while queue.llen(f"rq:queue:{REPLIES}") < jobs:
        if time.monotonic() - started > PATIENCE:
            raise RuntimeError(f"{jobs} jobs were not done within {PATIENCE:.0f} s")
        time.sleep(0.005)
    return jobs / (time.monotonic() - started)


@contextmanager
def _host(content: bytes) -> Iterator[str]:
    """A web server with one picture, on loopback; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        """Answers every request with the picture."""

        def do_GET(self) -> None:
            """Send it."""
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/selfie.jpg"
        server.shutdown()


if __name__ == "__main__":
    run("throughput", __doc__, measure)
