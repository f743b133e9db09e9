"""`selfai train`: from a folder of rated photos to a scorer of one's own."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from model.data import RatedFaces
    from model.fit import Fitted
    from model.train import Outputs, Run

INCOMPLETE = 3
"""Exit status where some photos were missing or unreadable, and the rest was learned from."""

LAST_STEPS = 5.0
"""Seconds of a budget that stay for the scale, the card and the figures."""

LISTED = 20
"""Skipped photos that are named one by one; the file has them all."""


SHARED = (
    click.option(
        "--data",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        required=True,
        help="Folder with ratings.csv and the photos it names.",
    ),
    click.option(
        "--device", default="auto", envvar="SELFAI_DEVICE", show_default=True, help="cpu, cuda or auto."
    ),
    click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores if not said."),
    click.option(
        "--raters",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Single ratings (image, rater, score) behind the means; "
        "if not said, the data folder's *single_ratings.csv.",
    ),
    click.option(
        "--cache",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("runs"),
        show_default=True,
        help="Folder for the faces cut from the photos; keep it private.",
    ),
)
"""Options of all commands that learn."""

Command = TypeVar("Command", bound=Callable[..., Any])


def learning(command: Command) -> Command:
    """Give a command the options that all have which learn."""
    for option in reversed(SHARED):
        command = option(command)
    return command


@click.command()
@learning
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the scorer, its card, curves, and the run itself, which goes on from there.",
)
@click.option(
    "--recipe",
    "name",
    type=click.Choice(["standard", "laptop", "2017"]),
    default="standard",
    show_default=True,
    help="The shipped scorer's; a short one; or the old method, all of it.",
)
@click.option("--stages", help="Only these stages of the recipe, e.g. pretrain,finetune.")
@click.option(
    "--hold-out", default="0", show_default=True, help="Fold to judge by, not learned from; or none."
)
@click.option(
    "--cross-validate",
    is_flag=True,
    help="Hold out each fold in turn, then learn from all; the scale rests on all folds.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Budget, finding faces included; shared out among the folds.",
)
@click.option("--seed", type=int, default=0, show_default=True)
def train(*, data: Path, out: Path, hold_out: str, cross_validate: bool, **options: Any) -> None:
    """Train a scorer on rated photos.

    Reads ratings.csv in the data folder (columns as for `selfai evaluate`), finds the faces, trains
    by the recipe's stages, and writes to the out folder: scorer.safetensors and scorer.json (use
    them with SELFAI_WEIGHTS), curves.csv and curves.png as it goes, held_out.csv (what it says of
    unseen faces), calibration.png and skipped.csv.

    Killed at any moment and started again with the same options, it goes on from the last minute
    and ends the same.

    Ends with 0; with 3 if some photos were missing or unreadable (they are listed, and the rest
    is learned from); with 1 if nothing could be trained.

    \b
    Examples:
      selfai train --data faces --out runs/mine --recipe laptop
      selfai train --data faces --out runs/best --cross-validate
    """
    from rich.console import Console

    console = Console()
    with reported(out):
        fold = _fold(hold_out)
        run = open_run(data, options, console)
        out.mkdir(parents=True, exist_ok=True)
        check_fold(run, fold)
        lost = _list_skipped(run.faces, out, console)
        if cross_validate:
            fitted, outputs, fold = _cross_validated(run, out, console)
        else:
            fitted, outputs = trained(run, fold, out, console)
        _tell_refusals(fitted, console)
        _ship(run, fitted, outputs, fold, out)
        click.echo(f"The scorer is in {out}: use it with SELFAI_WEIGHTS={out}")
    sys.exit(INCOMPLETE if lost else 0)


def _fold(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdigit():
        raise click.BadParameter(f"{text!r} is neither a fold's number nor none", param_hint="--hold-out")
    return int(text)


def check_fold(run: Run, fold: int | None) -> None:
    """Raises ValueError unless some faces are of that fold."""
    there = sorted({row.fold for row in run.faces.rated})
    if fold is not None and fold not in there:
        raise ValueError(f"--hold-out {fold}: the folds with faces are {', '.join(map(str, there))}")


def open_run(data: Path, options: dict[str, Any], console: Console) -> Run:
    """The run that the command's options ask for; faces are found if they have not been yet."""
    import torch

    from model.predict import pick_device
    from model.raters import read_single_ratings
    from model.recipe import RECIPES, only
    from model.train import Run

    recipe = replace(RECIPES[options["name"]], seed=options["seed"])
    if options["stages"]:
        recipe = only(recipe, [name.strip() for name in options["stages"].split(",")])
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    device = pick_device(options["device"])
    file = options["raters"] or next(iter(sorted(data.glob("*single_ratings.csv"))), None)
    singles = read_single_ratings(file) if file else None
    started = time.monotonic()
    faces = _faces(data, options["cache"], console)
    seconds = math.inf
    if options["minutes"]:
        seconds = max(60 * options["minutes"] - (time.monotonic() - started) - LAST_STEPS, 1.0)
    return Run(faces, recipe, singles, device, seconds)


def _faces(data: Path, cache: Path, console: Console) -> RatedFaces:
    from rich.progress import Progress

    from model.face_store import stored_faces
    from model.ratings import read_ratings

    rows = read_ratings(data / "ratings.csv")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Finding faces", total=len(rows))

        def found(done: int) -> None:
            if done == 1 and not console.is_terminal:  # minutes without a word would worry
                click.echo(f"Finding the faces of {len(rows)} photos")
            bar.update(task, completed=done)

        return stored_faces(rows, data, cache, found)


def _list_skipped(faces: RatedFaces, out: Path, console: Console) -> bool:
    """Name the photos that are not learned from; whether a file is to blame for any."""
    import csv

    if faces.skipped:
        console.print(f"{len(faces.skipped)} photos are not learned from:")
    for photo in faces.skipped[:LISTED]:
        console.print(f"  {photo.image}: {photo.reason}", highlight=False, markup=False)
    if len(faces.skipped) > LISTED:
        console.print(f"  and {len(faces.skipped) - LISTED} more, all listed in {out / 'skipped.csv'}")
    with (out / "skipped.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(photo.image, photo.reason) for photo in faces.skipped]
        csv.writer(file).writerows([("image", "reason"), *rows])
    return any(photo.lost for photo in faces.skipped)


def trained(
    run: Run, fold: int | None, folder: Path, console: Console, title: str = ""
) -> tuple[Fitted, Outputs]:
    """Train on all folds but one, with a display on the console."""
    from model.display import Display
    from model.train import Validation, split, train

    learned, held_out = split(run.faces, fold)
    click.echo(f"{title}{len(learned.rated)} faces to learn from, {len(held_out.rated)} held out")
    with Display(console, folder, Validation(held_out, run.device), title) as display:
        return train(run, fold, folder, display)


def _cross_validated(run: Run, out: Path, console: Console) -> tuple[Fitted, Outputs, None]:
    """Each fold judged by a network that has not learned from it, then a network that has from all."""
    from model.train import HELD_OUT, joined, save_outputs

    folds = sorted({row.fold for row in run.faces.rated})
    if len(folds) < 2:
        raise ValueError("--cross-validate: the ratings have one fold only")
    run = replace(run, seconds=run.seconds / (len(folds) + 1))
    parts = [trained(run, fold, out / f"fold-{fold}", console, f"fold {fold}: ")[1] for fold in folds]
    fitted, _ = trained(run, None, out, console, "all: ")
    outputs = joined(parts)
    save_outputs(outputs, out / HELD_OUT)
    return fitted, outputs, None


def _tell_refusals(fitted: Fitted, console: Console) -> None:
    for stage in fitted.stages:
        if not stage.kept:
            console.print(f"{stage.stretch.name}: growth refused; the smaller network stays")


def _ship(run: Run, fitted: Fitted, outputs: Outputs, fold: int | None, out: Path) -> None:
    from model.shipping import ship

    card = ship(out, run, fitted, outputs, fold)
    for name, figure in card["unseen"].items():
        told, within = figure["pearson"], figure["pearson_within_group"]
        click.echo(
            f"{name}: {figure['n']} unseen faces, Pearson {_shown(told)}, within group {_shown(within)}"
        )


def _shown(estimate: dict[str, float | None]) -> str:
    """A figure with its interval; a dash where there is none."""
    value, *ends = (
        "-" if number is None else f"{number:.3f}"
        for number in (estimate[key] for key in ("value", "low", "high"))
    )
    return f"{value} ({' to '.join(ends)})"


@contextmanager
def reported(out: Path) -> Iterator[None]:
    """What a researcher can put right becomes one line without a traceback."""
    from model.predict import DeviceError
    from model.run import RunError

    try:
        yield
    except (DeviceError, RunError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or out}: {error.strerror or error}") from error
