"""The command line's learning half: evaluate. Torch loads only inside a command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from model.ablate_command import ablate
from model.train_command import train

if TYPE_CHECKING:
    from model.evaluate import Scores
    from model.predict import Scorer
    from model.ratings import Rated

WEIGHTS = Path(__file__).parent / "weights"
"""The scorer that comes with Selfai."""

INCOMPLETE = 3
"""Exit status where some photos were missing or unreadable, and the rest was done."""


@click.group()
def main() -> None:
    """Train, evaluate and compare scorers."""


main.add_command(ablate)
main.add_command(train)


@main.command()
@click.argument("ratings", type=click.Path(path_type=Path), metavar="RATINGS.csv")
@click.option(
    "--images", type=click.Path(path_type=Path), help="Folder of the photos, if not the ratings file's."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write a line a photo, as CSV.")
@click.option(
    "--fold", "folds", multiple=True, type=int, help="Rows of this fold only; may be given several times."
)
@click.option("--scale", type=(float, float), metavar="LOW HIGH", help="Ends of the scale of column score.")
@click.option(
    "--robustness", is_flag=True, help="Also score altered copies of each photo; ten times as long."
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    default=WEIGHTS,
    envvar="SELFAI_WEIGHTS",
    help="Folder of the scorer, if not the one that comes with Selfai.",
)
@click.option(
    "--device", default="auto", envvar="SELFAI_DEVICE", show_default=True, help="cpu, cuda or auto."
)
def evaluate(
    *,
    ratings: Path,
    images: Path | None,
    as_json: bool,
    save: Path | None,
    folds: tuple[int, ...],
    scale: tuple[float, float] | None,
    robustness: bool,
    weights: Path,
    device: str,
) -> None:
    """Compare the scorer with people's ratings of photos.

    RATINGS.csv has a row a photo: column image, a path below the photos' folder; the mean rating as
    score with its scale's ends in low and high (or --scale, or 0 to 9), or stretched to 0..9 as
    score_0_9; if you like dataset, group and fold.

    Prints how well scores and ratings agree, with 95 % intervals: correlations, also within group,
    errors, calibration, how often the rating lies within the plus-minus, and gaps between groups.
    What the figures mean stands in the README.

    Ends with 0 if every photo was scored or has no face, with 3 if some were missing or unreadable
    (they are listed, and the rest is compared), and with 1 where nothing could be compared.

    \b
    Examples:
      selfai evaluate ratings.csv --images photos
      selfai evaluate ratings.csv --fold 0 --json
    """
    with _data_errors():
        rows = _rows(ratings, scale, folds)
        folder = _folder(images if images is not None else ratings.parent)
        scores = _score(rows, folder, _load(weights, device), robustness)
    lost = _tell(scores, as_json)
    if save is not None:
        _save(scores, save)
    sys.exit(INCOMPLETE if lost else 0)


def _rows(ratings: Path, scale: tuple[float, float] | None, folds: tuple[int, ...]) -> list[Rated]:
    from model.ratings import DataError, read_ratings

    rows = read_ratings(ratings, scale)
    there = sorted({row.fold for row in rows})
    chosen = [row for row in rows if not folds or row.fold in folds]
    if not chosen:
        raise DataError(f"--fold: {ratings} has the folds {', '.join(map(str, there))}")
    return chosen


def _folder(path: Path) -> Path:
    from model.ratings import DataError

    if not path.is_dir():
        raise DataError(f"--images: {path} is no folder")
    return path


def _load(weights: Path, device: str) -> Scorer:
    from model.predict import DeviceError, Scorer, WeightsError

    try:
        return Scorer.load(weights, device)
    except WeightsError as error:
        raise click.ClickException(f"--weights: {error}") from error
    except DeviceError as error:
        raise click.ClickException(f"--device: {error}") from error


def _score(rows: list[Rated], folder: Path, scorer: Scorer, robustness: bool) -> Scores:
    from model.data import DataError, nothing_found
    from model.evaluate import score_photos
    from model.faces import FaceFinder

    finder = FaceFinder(str(scorer.device))
    with _progress("Scoring", len(rows)) as progress:
        scores = score_photos(rows, folder, scorer, finder, robustness=robustness, progress=progress)
    if all(skipped.lost for skipped in scores.skipped) and not scores.rated:
        raise DataError(nothing_found(scores.skipped, folder))
    return scores


def _tell(scores: Scores, as_json: bool) -> bool:
    """Print the figures; whether any photo was missing or unreadable."""
    from model import report
    from model.evaluate import figures

    told = figures(scores)
    if as_json:
        click.echo(json.dumps(report.as_json(told), indent=2, allow_nan=False))
    else:
        report.show(told, report.terminal())
    return told.lost > 0


def _save(scores: Scores, path: Path) -> None:
    from model import report

    try:
        report.save(scores, path)
    except OSError as error:
        raise click.ClickException(f"--save {path}: {error.strerror or error}") from error


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error that is told how many are done; shown on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _data_errors() -> Iterator[None]:
    """What is wrong with ratings and photos becomes one line without a traceback."""
    from model.ratings import DataError

    try:
        yield
    except DataError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m model")
