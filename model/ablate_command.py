"""`selfai ablate`: what pre-training and growth buy, at equal budgets, over several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from model.train_command import open_run, reported, trained

if TYPE_CHECKING:
    from rich.console import Console

    from model.ablate import Outcome
    from model.train import Run


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with ratings.csv and the photos it names.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the table."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=10, show_default=True,
              help="Of learning, for each arm and seed.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--arm", "arms", multiple=True, help="Only this arm; may be given several times.")
@click.option("--hold-out", type=int, default=0, show_default=True, help="Fold to judge by.")
@click.option(
    "--device", default="auto", envvar="SELFAI_DEVICE", show_default=True, help="cpu, cuda or auto."
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores if not said.")
@click.option("--raters", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Single ratings, as for `selfai train`.")  # fmt: skip
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder for the faces cut from the photos; keep it private.",
)
def ablate(
    *, data: Path, out: Path, seeds: int, arms: tuple[str, ...], hold_out: int, **options: Any
) -> None:
    """Compare training with and without the method's parts.

    Each arm gets the same time and is judged on the same held-out fold; the table (table.md,
    outcomes.json) tells the correlations reached, and how soon. What an ImageNet backbone would
    reach is not among the arms: its weights are not part of this project.

    Killed and started again with the same options, it goes on where it was.
    """
    from rich.console import Console

    from model import ablate

    console = Console()
    with reported(out):
        unknown = set(arms) - set(ablate.ARMS)
        if unknown:
            raise ValueError(f"--arm: no {unknown.pop()!r}; there are {', '.join(ablate.ARMS)}")
        run = open_run(data, options | {"name": "standard", "stages": None, "seed": 0}, console)
        outcomes: list[Outcome] = []
        for seed in range(seeds):
            for arm in arms or tuple(ablate.ARMS):
                outcomes.append(_outcome(run, arm, seed, hold_out, out, console))
                ablate.save(outcomes, out)
        click.echo(ablate.table(outcomes))


def _outcome(run: Run, arm: str, seed: int, fold: int, out: Path, console: Console) -> Outcome:  # noqa: PLR0917
    from dataclasses import replace

    from model.ablate import outcome, seeded

    own = replace(run, recipe=seeded(arm, seed))
    folder = out / f"{arm.replace(', ', ' ').replace(' ', '-')}-{seed}"
    fitted, _ = trained(own, fold, folder, console, f"{arm}, seed {seed}: ")
    return outcome(arm, seed, fitted)
