"""`python -m benchmarks.latency`: from a mention on the sandbox's X to the reply standing there.

All of Selfai's processes run as in real operation, polling as fast as they may. Baselines: idle,
the minute that the bot of 2015 promised; under load, the idle median.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.processes import running
from benchmarks.report import percentile, run
from benchmarks.selfies import selfie
from bot.sandbox.feed import Entry, Feed, Photo, Way
from bot.sandbox.server import Sandbox

PROMISE = 60.0
"""Seconds: "check back in a minute"."""

SIZES = {"1280 pixels": (1280, 960), "12 megapixels": (4032, 3024)}

POLL_SECONDS = "0.2"
PATIENCE = 300.0
"""Seconds for one answer."""

LOOK_SECONDS = 0.01
PAUSE = 1.0
"""Seconds between two mentions under load."""


def measure(quick: bool) -> dict[str, Any]:
    """Median and 95th percentile in seconds, idle and under load, for both sizes of photo."""
    sizes = {"320 pixels": (320, 240)} if quick else SIZES
    count = 2 if quick else 40
    report: dict[str, Any] = {"baseline, idle": "a minute", "baseline, under load": "the idle median"}
    with Sandbox(limit_factor=10_000) as sandbox:
        polling = {"X_POLL_SECONDS": POLL_SECONDS, "SWEEP_SECONDS": "30"}
        with running({**sandbox.environment(), **polling}, 1, "poll x", "respond", "sweep"):
            for name, size in sizes.items():
                photo = Photo(selfie(*size), "image/jpeg")
                _one_by_one(sandbox.feed, photo, 1)
                idle = _one_by_one(sandbox.feed, photo, count)
                loaded = _at_a_pace(sandbox.feed, photo, count, 0.1 if quick else PAUSE)
                report[name] = {
                    "idle": _summary(idle, PROMISE),
                    "under load": _summary(loaded, statistics.median(idle)),
                }
    return report


def _summary(latencies: list[float], baseline: float) -> dict[str, float]:
    median = statistics.median(latencies)
    return {
        "mentions": len(latencies),
        "median (s)": round(median, 3),
        "95th percentile (s)": round(percentile(latencies, 0.95), 3),
        "baseline over median": round(baseline / median, 2),
    }


def _one_by_one(feed: Feed, photo: Photo, count: int) -> list[float]:
    """Each mention comes once the one before is answered."""
    return [_at_a_pace(feed, photo, 1, 0.0)[0] for _ in range(count)]


def _at_a_pace(feed: Feed, photo: Photo, count: int, pause: float) -> list[float]:
    """Mentions come every `pause` seconds, answered or not."""
    waiting: dict[int, tuple[Entry, float]] = {}
    latencies = []
    started = time.monotonic()
    sent = 0
    while sent < count or waiting:
        now = time.monotonic()
        if sent < count and now >= started + sent * pause:
            entry = feed.post(Way.TWEET, "How do I look?", photo)
            waiting[entry.id] = entry, now
            sent += 1
        for entry, since in list(waiting.values()):
            if feed.replies(entry):
                latencies.append(time.monotonic() - since)
                del waiting[entry.id]
            elif now - since > PATIENCE:
                raise RuntimeError(f"no answer within {PATIENCE:.0f} s")
        time.sleep(LOOK_SECONDS)
    return latencies


if __name__ == "__main__":
    run("latency", __doc__, measure)
