"""The command line's worker half: score, crop, work. Torch loads only inside a command."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.messages import Box, Refusal

if TYPE_CHECKING:
    from PIL import Image

    from worker.framing import Aspect
    from worker.score import Judge, Scored
    from worker.settings import WorkerSettings

REASONS = {
    Refusal.NO_FACE: "no face found",
    Refusal.TINY_FACE: "the face is too small",
    Refusal.TURNED_AWAY: "the face is turned away",
    Refusal.BLURRED: "the face is blurred",
    Refusal.DRAWING: "a drawing, or nothing to see",
    Refusal.NOT_A_PICTURE: "not a picture",
    Refusal.BROKEN_PICTURE: "the picture is broken or cut short",
    Refusal.TOO_MANY_PIXELS: "too many pixels",
    Refusal.TOO_LARGE: "the file is too large",
}
"""Refusals in words for who runs the commands; what people get to read is the bot's wording."""

MANY = 5
"""Photos from which on progress is worth showing."""


@click.group()
def main() -> None:
    """Score and crop selfies, and serve the bot's score requests."""


@main.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of words.")
def score(photos: tuple[Path, ...], as_json: bool) -> None:
    """Score the largest face of each PHOTO from 0 to 9.

    Prints a line a photo: the score and its plus-minus, the face's box (left, top, right, bottom,
    in pixels of the upright photo) and how many faces there are; or why there is no score. Of two
    photos in three, people's mean rating is within one plus-minus of the score. With --json the keys
    are photo, score and plus_minus (not rounded), refusal, face, faces and seconds.

    Ends with 0 if every photo was answered, a refusal being an answer, and with 1 if a file could
    not be opened.

    \b
    Examples:
      selfai score me.jpg
      selfai score --json photos/*.jpg
    """
    judge = _load_judge(_settings())
    failed = False
    for photo in _with_progress(photos):
        data = _read(photo)
        if data is None:
            failed = True
            continue
        started = time.monotonic()
        answer = _score_record(photo, judge.score(data), time.monotonic() - started)
        click.echo(_json(answer) if as_json else _score_line(answer))
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "--aspect", default="1:1", show_default=True, metavar="W:H", help="Width to height, as in 4:5; or free."
)
@click.option("--all-faces", is_flag=True, help="Keep all faces, not only the largest.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the crop there, as JPEG.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
def crop(photo: Path, aspect: str, all_faces: bool, out: Path | None, as_json: bool) -> None:
    """Find the best crop of PHOTO.

    Prints the crop's box (left, top, right, bottom, in pixels of the upright photo), its score,
    the whole photo's score, and how many windows of how many sizes were compared in how many
    seconds. With --aspect free the crop has the best of nine shapes from 9:16 to 16:9. Where no
    window of that aspect would hold the face, the crop is the whole photo. Where the photo shows a
    picture within a picture (bars, a screenshot), only the inner one is searched. With --json the
    keys are photo, refusal, box, score and whole_score (not rounded), windows, sizes, step (pixels
    between neighbouring windows of the smallest and of the largest size), frame (the inner picture's
    box, or null) and seconds.

    Ends with 1 if there is no crop: no face to crop around, or no such file.

    \b
    Examples:
      selfai crop me.jpg --out crop.jpg
      selfai crop me.jpg --aspect free
      selfai crop group.jpg --aspect 16:9 --all-faces
    """
    shapes = _aspects(aspect)
    judge = _load_judge(_settings())
    data = _read(photo)
    if data is None:
        sys.exit(1)
    started = time.monotonic()
    scored = judge.score(data)
    answer = _crop_record(judge, photo, scored, shapes, all_faces)
    answer["seconds"] = round(time.monotonic() - started, 3)
    if out is not None and not isinstance(scored, Refusal):
        _write(out, scored.aligned.photo, answer["box"])
    click.echo(_json(answer) if as_json else _crop_line(answer))
    sys.exit(1 if isinstance(scored, Refusal) else 0)


@main.command()
def work() -> None:
    """Score the selfies on the queue until SIGTERM.

    The model loads once, and uses a GPU if there is one (SELFAI_DEVICE). The queue is at
    REDIS_URL, or the private socket that `selfai queue` serves.
    """
    settings = _settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    with _operator_errors():
        from worker import jobs

        jobs.work(settings, lambda judge: click.echo(f"worker ready on {judge.device}", err=True))


@main.command(hidden=True)
def check() -> None:
    """Load the model, score a drawn picture, and print {"ok": ..., "detail": ...}."""
    try:
        detail = _try_out(_settings())
    except click.ClickException as error:
        click.echo(json.dumps({"ok": False, "detail": error.message}))
        sys.exit(1)
    click.echo(json.dumps({"ok": True, "detail": detail}))


def _settings() -> WorkerSettings:
    from worker.settings import SettingsError, read_settings

    try:
        return read_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _load_judge(settings: WorkerSettings) -> Judge:
    with _operator_errors():
        from worker.score import Judge

        return Judge.load(settings.weights, settings.device, settings.threads)


@contextmanager
def _operator_errors() -> Iterator[None]:
    """What an operator can put right becomes one line without a traceback."""
    from model.predict import DeviceError, WeightsError
    from worker.serving import QueueError

    try:
        yield
    except WeightsError as error:
        raise click.ClickException(f"{error} (SELFAI_WEIGHTS names the folder)") from error
    except DeviceError as error:
        raise click.ClickException(f"SELFAI_DEVICE: {error}") from error
    except QueueError as error:
        raise click.ClickException(str(error)) from error


def _try_out(settings: WorkerSettings) -> str:
    judge = _load_judge(settings)
    judge.warm_up()
    started = time.monotonic()
    judge.warm_up()
    return f"scorer at {settings.weights} on {judge.device}, {time.monotonic() - started:.2f} s a picture"


def _aspects(text: str) -> tuple[Aspect, ...]:
    from worker.framing import parse_aspects

    try:
        return parse_aspects(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--aspect") from error


def _read(photo: Path) -> bytes | None:
    try:
        return photo.read_bytes()
    except OSError as error:
        click.echo(f"{click.format_filename(photo)}: {error.strerror or error}", err=True)
        return None


def _with_progress(photos: tuple[Path, ...]) -> Iterable[Path]:
    # Where the lines themselves go to the terminal they are progress enough.
    if len(photos) < MANY or not sys.stderr.isatty() or sys.stdout.isatty():
        return photos
    from rich.console import Console
    from rich.progress import track

    return track(photos, "Scoring", console=Console(stderr=True))


def _score_record(photo: Path, answer: Scored | Refusal, seconds: float) -> dict[str, Any]:
    names = ("score", "plus_minus", "refusal", "face")
    record: dict[str, Any] = {"photo": str(photo), **dict.fromkeys(names), "faces": 0}
    if isinstance(answer, Refusal):
        record["refusal"] = answer.value
    else:
        faces = answer.aligned.faces
        record |= {"score": answer.score, "plus_minus": answer.plus_minus}
        record |= {"face": faces[0].box, "faces": len(faces)}
    return record | {"seconds": round(seconds, 3)}


def _score_line(answer: dict[str, Any]) -> str:
    photo = click.format_filename(answer["photo"])
    if answer["refusal"] is not None:
        return f"{photo}: no score, {REASONS[Refusal(answer['refusal'])]}"
    faces = "1 face" if answer["faces"] == 1 else f"{answer['faces']} faces, the largest"
    score = f"{answer['score']:.1f} ± {answer['plus_minus']:.1f}"
    return f"{photo}: {score}  {faces} at {_in_words(answer['face'])}"


def _crop_record(
    judge: Judge, photo: Path, scored: Scored | Refusal, aspects: tuple[Aspect, ...], all_faces: bool
) -> dict[str, Any]:
    names = ("refusal", "box", "score", "whole_score", "windows", "sizes", "step", "frame")
    record: dict[str, Any] = {"photo": str(photo), **dict.fromkeys(names)}
    if isinstance(scored, Refusal):
        return record | {"refusal": scored.value}
    best = judge.crop(scored.aligned, aspects, all_faces)
    return record | asdict(best)


def _crop_line(answer: dict[str, Any]) -> str:
    photo = click.format_filename(answer["photo"])
    if answer["refusal"] is not None:
        return f"{photo}: no crop, {REASONS[Refusal(answer['refusal'])]}"
    return (
        f"{photo}: {_in_words(answer['box'])} scores {answer['score']:.1f}, "
        f"the whole photo {answer['whole_score']:.1f}; "
        f"{answer['windows']} windows of {answer['sizes']} sizes in {answer['seconds']:.2f} s"
    )


def _write(out: Path, photo: Image.Image, box: Box) -> None:
    from worker.render import cut

    try:
        out.write_bytes(cut(photo, box))
    except OSError as error:
        raise click.ClickException(f"--out {out}: {error.strerror or error}") from error


def _json(answer: dict[str, Any]) -> str:
    # In ASCII: a file's name may hold bytes that no encoding writes, and readers get them back so.
    return json.dumps(answer)


def _in_words(box: Box) -> str:
    left, top, right, bottom = (round(value) for value in box)
    return f"{left},{top} to {right},{bottom}"


if __name__ == "__main__":
    main(prog_name="python -m worker")
