"""The picture of `benchmarks.settings`: the distance of each setting, a line for each
recipe."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.settings_spread import Spread, ordered
from equipoise.metrics.frechet import DIGIT_FRECHET
from equipoise.plotting.axes import GENERATED, REAL, legend_below
from equipoise.report.charts import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, LINE_HEIGHT, DPI = 8.0, 0.34, 150
BOX, MARGIN = 0.6, 1.25  # height of a box in lines; a factor beyond the outermost points


def chart(spreads: Sequence[Spread], real: float, title: str) -> bytes:
    """A PNG: a box of the quartiles, its median, a dot for each random setting, and the
    default.

    Args:
        spreads: One a recipe.
        real: The distance of real samples.
        title: Above it.
    """
    figure = new_figure(WIDTH, 1.5 + LINE_HEIGHT * len(spreads))
    axes = figure.subplots()
    lines = ordered(spreads)
    low, edge = _ends(lines, real)
    for place, spread in enumerate(lines):
        _draw_line(axes, place, spread, edge)
    axes.axvline(real, color="black", linestyle="--", linewidth=1, label="real digits")
    axes.set_xscale("log")
    axes.set_xlim(low, edge * MARGIN)
    axes.set_yticks(range(len(lines)), [spread.recipe for spread in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlabel(f"{DIGIT_FRECHET.label}, lower is better; a cross: diverged")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(title, fontsize=10, loc="left")
    legend_below(figure, axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def _ends(lines: Sequence[Spread], real: float) -> tuple[float, float]:
    """The least value of the axis, and where those stand that diverged: beyond all
    others."""
    values = [
        outcome.frechet
        for spread in lines
        for outcome in (spread.default, *spread.random)
        if math.isfinite(outcome.frechet)
    ]
    return min([*values, real]) / MARGIN, max([*values, real]) * MARGIN**2


def _draw_line(axes: Axes, place: int, spread: Spread, edge: float) -> None:
    """One recipe's box and dots. What diverged is a cross at `edge`."""
    first = not place
    low, middle, high = (min(value, edge) for value in spread.frechet)
    label = "their middle half" if first else None
    axes.barh(place, high - low, BOX, left=low, color=REAL, alpha=0.25, linewidth=0, label=label)
    label = "their median" if first else None
    ends = [place - BOX / 2, place + BOX / 2]
    axes.plot([middle, middle], ends, color=REAL, linewidth=2, label=label)
    finite = [o.frechet for o in spread.random if math.isfinite(o.frechet)]
    diverged = len(spread.random) - len(finite)
    label = "a random setting" if first else None
    axes.scatter(finite, [place] * len(finite), s=12, color=REAL, zorder=3, label=label)
    steps = [place + BOX * ((i + 1) / (diverged + 1) - 0.5) for i in range(diverged)]
    axes.scatter([edge] * diverged, steps, s=16, marker="x", color=REAL, linewidths=1, zorder=3)
    default = spread.default.frechet
    is_finite = math.isfinite(default)
    axes.scatter(
        [default if is_finite else edge],
        [place],
        s=42 if is_finite else 30,
        marker="D" if is_finite else "x",
        color=GENERATED,
        zorder=4,
        label="the default" if first else None,
    )
