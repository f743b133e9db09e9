"""`python -m benchmarks.pipeline`: a photo's way through the worker against the obvious composition.

Bytes to score on one thread, stage by stage; the whole way with crop search and rendering on all
cores; and how the cost grows with the photo's size and the number of faces. The whole way is
compared with the baseline, `benchmarks.obvious`, scoring some random windows as crops, and with the
same searching for none.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from functools import cache
from multiprocessing.pool import Pool
from typing import Any

import torch

from benchmarks.obvious import Obvious
from benchmarks.report import cores, run, seconds
from benchmarks.selfies import selfie
from model.faces import FaceFinder, views
from model.photo import Unreadable, read_photo
from worker.align import align
from worker.messages import Refusal
from worker.render import render
from worker.score import Judge, Scored
from worker.settings import PACKAGED_WEIGHTS

SIZES = {"1280 pixels": (1280, 960), "12 megapixels": (4032, 3024)}
WINDOWS = 100
"""Random crops that the baseline scores, one by one, as the bot of 2015 did."""

SIDES = (640, 1280, 2016, 4032, 8064)
FACES = (1, 2, 4, 8, 16)


def measure(quick: bool) -> dict[str, Any]:
    """The report; seconds, photos per second, and times the baseline."""
    torch.set_num_threads(1)
    judge, obvious = Judge.load(PACKAGED_WEIGHTS, "cpu", 1), Obvious()
    sizes = {"320 pixels": (320, 240)} if quick else SIZES
    rounds = 1 if quick else 7
    return {
        "baseline": "benchmarks.obvious: MTCNN at full size, Pillow, one forward pass per crop",
        "bytes to score, one thread": {
            name: _compared(judge, obvious, selfie(*size), rounds) for name, size in sizes.items()
        },
        "whole way, all cores": {name: _in_processes(selfie(*size), quick) for name, size in sizes.items()},
        "bytes to score (s) by longest side": {
            side: round(_score_seconds(judge, selfie(side, side * 3 // 4), rounds), 4)
            for side in ((320,) if quick else SIDES)
        },
        "bytes to score (s) by faces, 1920 pixels": {
            faces: round(_score_seconds(judge, selfie(1920, 1440, faces), rounds), 4)
            for faces in ((1,) if quick else FACES)
        },
    }


def _compared(judge: Judge, obvious: Obvious, data: bytes, rounds: int) -> dict[str, float]:
    ours = _score_seconds(judge, data, rounds)
    theirs = seconds(lambda: obvious.score(data), max(1, rounds // 2))
    stages = {f"{name} (s)": round(took, 4) for name, took in _stages(judge, data, rounds).items()}
    return {"worker (s)": round(ours, 4), "baseline (s)": round(theirs, 4), **stages} | {
        "times as fast": round(theirs / ours, 1)
    }


def _score_seconds(judge: Judge, data: bytes, rounds: int) -> float:
    if isinstance(judge.score(data), Refusal):
        raise SystemExit("the benchmark's photo was refused")
    return seconds(lambda: judge.score(data), rounds)


def _stages(judge: Judge, data: bytes, rounds: int) -> dict[str, float]:
    photo, finder = read_photo(data), FaceFinder()
    aligned = align(data, judge.finder)
    if isinstance(photo, Unreadable) or isinstance(aligned, Refusal):
        raise SystemExit("the benchmark's photo was refused")
    decode = seconds(lambda: read_photo(data), rounds)
    detect = seconds(lambda: finder.find(photo), rounds)
    whole = seconds(lambda: align(data, judge.finder), rounds)
    return {
        "decode": decode,
        "detect": detect,
        "align and check": max(0.0, whole - decode - detect),
        "views and forward": seconds(
            lambda: judge.scorer.judge([views(aligned.photo, aligned.face)]), rounds
        ),
    }


def _in_processes(data: bytes, quick: bool) -> dict[str, float]:
    """Photos per second with as many processes of one thread as there are cores."""
    photos = 1 if quick else 20
    with multiprocessing.get_context("spawn").Pool(cores()) as pool:
        ours = _rate(pool, _answer_photos, data, photos)
        theirs = _rate(pool, _answer_obviously, data, max(1, photos // 5))
        searching = _rate(pool, _search_obviously, data, max(1, photos // 5))
    return {
        "worker (photos/s)": round(ours, 2),
        f"baseline with {WINDOWS} random windows (photos/s)": round(searching, 2),
        "times as many": round(ours / searching, 1),
        "baseline that searches no crop (photos/s)": round(theirs, 2),
        "times as many as that": round(ours / theirs, 1),
    }


def _rate(pool: Pool, work: Callable[[bytes, int], None], data: bytes, photos: int) -> float:
    count = cores()
    pool.starmap(work, [(data, 1)] * count, chunksize=1)  # loads the models
    started = time.perf_counter()
    pool.starmap(work, [(data, photos)] * count, chunksize=1)
    return count * photos / (time.perf_counter() - started)


def _answer_photos(data: bytes, times: int) -> None:
    judge = _judge()
    for _ in range(times):
        scored = judge.score(data)
        if isinstance(scored, Scored):
            crop = judge.crop(scored.aligned)
            render(scored.aligned.photo, crop.box, scored.score, scored.plus_minus)


def _answer_obviously(data: bytes, times: int) -> None:
    obvious = _obvious()
    for _ in range(times):
        obvious.answer(data)


def _search_obviously(data: bytes, times: int) -> None:
    obvious = _obvious()
    for _ in range(times):
        obvious.answer(data, WINDOWS)


@cache
def _judge() -> Judge:
    return Judge.load(PACKAGED_WEIGHTS, "cpu", 1)


@cache
def _obvious() -> Obvious:
    torch.set_num_threads(1)
    return Obvious()


if __name__ == "__main__":
    run("pipeline", __doc__, measure)
