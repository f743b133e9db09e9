"""What a researcher sees while training runs: a bar for the stretch, a line for each epoch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from model.network import FaceNetwork
from model.recipe import Stretch
from model.run import WITHIN, Point
from model.train import save_curves

log = logging.getLogger(__name__)


class Display:
    """Shows progress on a console and keeps the curves in a folder; a `model.training.Watch`."""

    def __init__(
        self,
        console: Console,
        folder: Path,
        validation: Callable[[FaceNetwork], dict[str, float]],
        title: str = "",
    ) -> None:
        self._folder, self.validate, self._title = folder, validation, title
        self._curves: dict[str, Sequence[Point]] = {}
        self._task: TaskID | None = None
        self._name = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}% loss {task.fields[loss]:.3f}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, stretch: Stretch, step: int, steps: int, loss: float) -> None:
        """Move the bar."""
        if stretch.name != self._name or self._task is None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._name = stretch.name
            self._task = self._bar.add_task(f"{self._title}{stretch.name}", total=steps, loss=loss)
        self._bar.update(self._task, completed=step, loss=loss)

    def epoch(self, stretch: Stretch, curve: Sequence[Point]) -> None:
        """Print how things stand, and write the curves."""
        self._curves[stretch.name] = list(curve)
        try:
            save_curves(self._folder, self._curves)
        except OSError as error:  # a full disk: they are written again after the next epoch
            log.error("Could not save the curves to %s (%s)", self._folder, error)
        self._bar.console.print(f"{self._title}{line(stretch, curve[-1])}", highlight=False, soft_wrap=True)


def line(stretch: Stretch, point: Point) -> str:
    """An epoch in one line: the correlations by data set, within groups in brackets."""
    agreed = "  ".join(
        f"{name} {value:.3f} ({point.agreement.get(name + WITHIN, float('nan')):.3f})"
        for name, value in point.agreement.items()
        if not name.endswith(WITHIN)
    )
    place = f"{stretch.name} {point.epoch}/{stretch.epochs}"
    return f"{place:>16}  loss {point.loss:.3f}  {agreed}  {point.seconds / 60:.1f} min"
