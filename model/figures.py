"""Pictures of a training run: learning curves and calibration. Numbers stand beside them in CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model.run import WITHIN, Point
from model.scale import HIGHEST, LOWEST, Scale

INK, FAINT = "#333333", "#bbbbbb"
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#7d5ba6", "#b8860b", "#0f8b8d")
BINS = 12

MARKED = 30
"""Points of a line up to which each is marked."""


def curves(path: Path, stretches: Mapping[str, Sequence[Point]]) -> None:
    """Loss and agreement over the time spent learning; upright lines stand between the stretches."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    begun = 0.0
    for number, (name, curve) in enumerate(stretches.items()):
        minutes = [(begun + point.seconds) / 60 for point in curve]
        top.plot(minutes, [point.loss for point in curve], color=COLOURS[number % len(COLOURS)], label=name)
        _agreement(bottom, minutes, curve)
        if begun:
            for axes in (top, bottom):
                axes.axvline(begun / 60, color=FAINT, linewidth=0.8)
        begun += curve[-1].seconds if curve else 0.0
    _dress(top, "", "training loss")
    _dress(bottom, "minutes of learning", "correlation with people, held-out faces")
    figure.savefig(path, dpi=110)


def _agreement(axes: Axes, minutes: Sequence[float], curve: Sequence[Point]) -> None:
    """A line for each correlation through the epochs that it was measured after; dashed within groups."""
    told = sorted({name for point in curve for name in point.agreement})
    there = set(axes.get_legend_handles_labels()[1])
    for place, name in enumerate(told):
        known = [number for number, point in enumerate(curve) if name in point.agreement]
        axes.plot(
            [minutes[number] for number in known],
            [curve[number].agreement[name] for number in known],
            "--" if name.endswith(WITHIN) else "-",
            marker="." if len(known) < MARKED else None,
            color=COLOURS[(place // 2) % len(COLOURS)],
            label=None if name in there else name,
        )


def calibration(path: Path, scale: Scale, outputs: NDArray[np.float64], ratings: NDArray[np.float64]) -> None:
    """People's mean rating against the score told, for faces that the network has not learned from."""
    told = scale.told(outputs)
    edges = np.quantile(told, np.linspace(0, 1, BINS + 1))
    places = np.clip(np.searchsorted(edges, told, side="right") - 1, 0, BINS - 1)
    full = [number for number in range(BINS) if (places == number).any()]
    means = [[values[places == number].mean() for number in full] for values in (told, ratings)]
    figure = Figure(figsize=(5.5, 5.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], color=FAINT, linewidth=1)
    axes.scatter(told, ratings, s=3, alpha=0.15, color=COLOURS[0], linewidths=0)
    axes.plot(*means, "o-", color=COLOURS[1], label="means of equal shares of the faces")
    axes.set(xlim=(LOWEST, HIGHEST), ylim=(LOWEST, HIGHEST), aspect="equal")
    _dress(axes, "score told", "people's mean rating")
    figure.savefig(path, dpi=110)


def _dress(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel(up, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8)
