"""An evaluation in words: aligned tables for a terminal or a file, plain values for JSON."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from model.agreement import Estimate
from model.calibration import Coverage
from model.evaluate import Figures, Part, Scores

WIDTH = 110
"""Columns where the output is no terminal."""

LISTED = 20
"""Skipped photos that are listed in words; JSON lists all."""

NOTE = (
    "In brackets: 95 % intervals, by the bootstrap. Ratings are stretched from their own scale to 0..9. "
    "Errors, differences, calibration and plus-minus compare points with points: they mean little where "
    "people rated on a scale of another kind. Correlations do not depend on that, and the RMSE without "
    "the mean difference not on where their scale has its middle."
)

ROWS: Sequence[tuple[str, Callable[[Part], Estimate]]] = (
    ("Pearson", lambda part: part.agreement.pearson),
    ("  within group", lambda part: part.agreement.pearson_within_group),
    ("Spearman", lambda part: part.agreement.spearman),
    ("Pearson, loose windows", lambda part: part.loose.pearson),
    ("  within group", lambda part: part.loose.pearson_within_group),
    ("mean absolute error", lambda part: part.agreement.mae),
    ("RMSE", lambda part: part.agreement.rmse),
    ("score less rating", lambda part: part.agreement.bias),
    ("RMSE without it", lambda part: part.agreement.rmse_without_bias),
    ("rating per point of score", lambda part: part.calibration.slope),
    ("rating at score 0", lambda part: part.calibration.intercept),
    ("within one plus-minus", lambda part: part.coverage.share),
)


def as_json(figures: Figures) -> dict[str, Any]:
    """Plain values; null where a figure cannot be told."""
    plain: dict[str, Any] = _plain(asdict(figures))
    return plain


def show(figures: Figures, console: Console) -> None:
    """Print everything."""
    console.print(_summary(figures))
    for title, table in _tables(figures):
        console.print()
        console.print(title)
        console.print(Padding(table, (0, 0, 0, 2), expand=False))
    console.print()
    console.print(NOTE)
    if figures.skipped:
        console.print()
        console.print("\n".join(_skipped(figures)))


def terminal() -> Console:
    """Where figures go: standard output, with nothing in a data set's name taken for markup."""
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def save(scores: Scores, path: Path) -> None:
    """Write a line a photo as CSV; a skipped one has its reason and no scores. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(
            ["image", "dataset", "group", "human", "score", "plus_minus", "loose_window", "skipped"]
        )
        for rated, judged, loose in zip(scores.rated, scores.judged, scores.loose, strict=True):
            numbers = (rated.score, judged.score, judged.plus_minus, loose)
            rounded = (f"{number:.4f}" for number in numbers)
            lines.writerow([rated.image, rated.dataset, rated.group, *rounded, ""])
        for skipped in scores.skipped:
            lines.writerow([skipped.image, *[""] * 6, skipped.reason])


def _summary(figures: Figures) -> str:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in figures.reasons.items())
    lines = f"{figures.photos} photos: {figures.scored} scored, {figures.refused} without a face, " \
            f"{figures.lost} missing or unreadable"  # fmt: skip
    return f"{lines} ({reasons})" if reasons else lines


def _tables(figures: Figures) -> Iterator[tuple[str, Table]]:
    yield "Agreement with people", _agreement(figures)
    yield "Calibration: photos by score told, equally many a line", _calibration(figures)
    yield "Within one plus-minus, by third of the range of scores", _coverage(figures.coverage_by_third)
    yield "Groups", _groups(figures)
    if figures.largest_gaps:
        yield "Largest gap between two groups, in points", _gaps(figures)
    if figures.robustness:
        yield "Altered photos: how far scores move, in points", _robustness(figures)


def _agreement(figures: Figures) -> Table:
    parts = dict(figures.datasets)
    if len(parts) != 1:
        parts = {"all": figures.overall, **parts}
    table = _table("", *parts)
    table.add_row("photos", *(str(part.agreement.n) for part in parts.values()))
    for name, figure in ROWS:
        digits = 2 if "error" in name or "RMSE" in name or "score" in name else 3
        table.add_row(name, *(_cell(figure(part), digits) for part in parts.values()))
    table.add_row("plus-minus, mean", *(_number(part.coverage.plus_minus, 2) for part in parts.values()))
    return table


def _calibration(figures: Figures) -> Table:
    table = _table("photos", "mean score", "mean rating")
    for one in figures.overall.calibration.bins:
        table.add_row(str(one.n), _number(one.predicted, 2), _cell(one.human, 2))
    return table


def _coverage(thirds: Sequence[Coverage]) -> Table:
    table = _table("scores", "photos", "mean plus-minus", "share within")
    for third in thirds:
        scores = f"{third.lowest:.1f} to {third.highest:.1f}"
        table.add_row(scores, str(third.n), _number(third.plus_minus, 2), _cell(third.share, 3))
    return table


def _groups(figures: Figures) -> Table:
    table = _table("", "photos", "Pearson", "score less rating")
    for group in figures.groups:
        name = f"{group.dataset}, {group.group}" if group.group else group.dataset
        table.add_row(name, str(group.n), _cell(group.pearson, 2), _cell(group.bias, 2))
    return table


def _gaps(figures: Figures) -> Table:
    table = _table("data set", "scored high", "scored low", "gap")
    for gap in figures.largest_gaps:
        table.add_row(gap.dataset, gap.highest, gap.lowest, _cell(gap.points, 2))
    return table


def _robustness(figures: Figures) -> Table:
    table = _table("", "photos", "no face", "median", "95 % below", "mean shift")
    for one in figures.robustness:
        moved = (_number(one.median, 2), _number(one.percentile_95, 2), _number(one.mean, 2))
        table.add_row(one.alteration, str(one.n), str(one.no_face), *moved)
    return table


def _skipped(figures: Figures) -> Iterator[str]:
    yield "Skipped photos"
    for skipped in figures.skipped[:LISTED]:
        yield f"  {skipped.image}: {skipped.reason}"
    if len(figures.skipped) > LISTED:
        yield f"  and {len(figures.skipped) - LISTED} more; --json and --save list all"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _cell(estimate: Estimate, digits: int) -> str:
    value = _number(estimate.value, digits)
    if not math.isfinite(estimate.low):
        return value
    return f"{value} [{_number(estimate.low, digits)}, {_number(estimate.high, digits)}]"


def _number(value: float, digits: int) -> str:
    # Plus zero: no "-0.00".
    return f"{round(value, digits) + 0.0:.{digits}f}" if math.isfinite(value) else "-"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
