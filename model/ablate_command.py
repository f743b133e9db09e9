"""`selfai ablate`: what pre-training and growth buy, at equal budgets, over several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from model.train_command import check_fold, learning, open_run, reported, trained

if TYPE_CHECKING:
    from rich.console import Console

    from model.ablate import Outcome
    from model.train import Run


@click.command()
@learning
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the table."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=10, show_default=True,
              help="Of learning, for each arm and seed.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--arm", "arms", multiple=True, help="Only this arm; may be given several times.")
@click.option("--backbone", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="State dict of torchvision's ResNet-18, if not to be downloaded.")  # fmt: skip
@click.option("--hold-out", type=int, default=0, show_default=True, help="Fold to judge by.")
def ablate(
    *,
    data: Path,
    out: Path,
    seeds: int,
    arms: tuple[str, ...],
    hold_out: int,
    backbone: Path | None,
    **options: Any,
) -> None:
    """Compare training with and without the method's parts.

    Each arm gets the same time and is judged on the same held-out fold; the table (table.md,
    outcomes.json) tells the correlations reached, and how soon. One arm fine-tunes torchvision's
    ResNet-18 from its ImageNet weights, which are downloaded, or read from --backbone; where they
    cannot be had it is left out.

    Killed and started again with the same options, it goes on where it was.
    """
    from rich.console import Console

    from model import ablate
    from model.backbone import BackboneError

    console = Console()
    with reported(out):
        every = [*ablate.ARMS, ablate.BACKBONE]
        unknown = set(arms) - set(every)
        if unknown:
            raise ValueError(f"--arm: no {unknown.pop()!r}; there are {'; '.join(every)}")
        run = open_run(data, options | {"name": "standard", "stages": None, "seed": 0}, console)
        check_fold(run, hold_out)
        outcomes: list[Outcome] = []
        for seed in range(seeds):
            for arm in arms or every:
                try:
                    outcomes.append(_outcome(run, arm, seed, hold_out, out, backbone, console))
                except BackboneError as error:
                    console.print(f"{arm} left out: {error}", highlight=False, soft_wrap=True)
                ablate.save(outcomes, out)
        click.echo(ablate.table(outcomes))


def _outcome(  # noqa: PLR0917
    run: Run, arm: str, seed: int, fold: int, out: Path, backbone: Path | None, console: Console
) -> Outcome:
    from dataclasses import replace

    from model.ablate import BACKBONE, fit_backbone, outcome, seeded
    from model.display import Display
    from model.train import Validation, split

    title = f"{arm}, seed {seed}: "
    folder = out / f"{arm.replace(', ', ' ').replace(' ', '-')}-{seed}"
    if arm != BACKBONE:
        own = replace(run, recipe=seeded(arm, seed))
        return outcome(arm, seed, trained(own, fold, folder, console, title)[0].stages)
    validation = Validation(split(run.faces, fold)[1], run.device)
    with Display(console, folder, validation, title) as display:
        return outcome(arm, seed, fit_backbone(run, seed, fold, folder, display, backbone))
