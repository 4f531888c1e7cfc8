"""Charts and tables of a page about a table: its columns, associations of both sides as
heat maps, and the columns and pairs that are furthest off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.table import Table
from equipoise.errors import clipped, printable
from equipoise.metrics.tables.worst import ColumnFigures, PairFigures
from equipoise.plotting.table_columns import drawn_columns, in_order
from equipoise.plotting.table_panels import MAX_PANELS, figure_size, table_panels
from equipoise.report.charts import Image, new_figure, svg_image
from equipoise.report.tables import MAX_NAME, TableComparison, pair_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
SHOWN = 5  # columns, and pairs of columns, in a table
MAX_TICK_NAME = 18  # letters
CELL, MIN_SIDE = 0.15, 1.6  # inches of a heat map
MIN_WIDTH = 7.2  # inches of both: a smaller figure would be enlarged


@dataclass(frozen=True)
class Figures:
    """A small table of the page."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def panels_chart(
    table: Table, generated: Array, real: Array, worst: Sequence[ColumnFigures]
) -> Image:
    """A panel for each of the columns, those furthest off first.

    Args:
        table: What the columns are.
        generated: Generated rows, (N, R).
        real: Real ones, (M, R).
        worst: The columns in order.
    """
    columns = in_order(drawn_columns(table), [figures.name for figures in worst])
    shown = columns[:MAX_PANELS]
    figure = new_figure(*figure_size(len(shown)))
    table_panels(figure, shown, generated, real)
    order = ", those furthest off first" if worst else ""
    more = "" if len(shown) == len(columns) else f", {len(shown)} of {len(columns)} columns"
    caption = (
        f"Generated, filled; real, in outline{order}{more}. Beside numbers stand the shares of "
        "cells that are blank or one value."
    )
    alt = f"Distributions of {len(shown)} columns: generated, filled, over real, in outline."
    return svg_image(figure, alt, caption, wide=True)


def heat_maps(found: TableComparison) -> Image | None:
    """The associations of real and generated rows; None for a single column."""
    count = len(found.names)
    if count < 2:
        return None
    side = max(CELL * count, MIN_SIDE)
    figure = new_figure(max(2 * side + 2.6, MIN_WIDTH), side + 2.0)
    panels = figure.subplots(1, 2, sharey=True)
    names = [clipped(printable(name.strip()), MAX_TICK_NAME) for name in found.names]
    sides = (found.real_associations, "real"), (found.associations, "generated")
    for axes, (values, title) in zip(panels, sides, strict=True):
        _heat_map(axes, values, names)
        axes.set_title(title, fontsize=10)
    figure.colorbar(panels[1].images[0], ax=list(panels), shrink=0.8, pad=0.01)
    gap = float(np.nanmax(np.abs(found.associations - found.real_associations), initial=0.0))
    caption = (
        "Associations of columns: Pearson's correlation of numbers, Cramér's V of categories, "
        "the correlation ratio of both. Both maps should look the same."
    )
    alt = (
        f"Associations of {count} columns, of real rows on the left and generated ones on the "
        f"right. They differ by {gap:.2f} at most."
    )
    return svg_image(figure, alt, caption, wide=True)


def _heat_map(axes: Axes, values: Array, names: Sequence[str]) -> None:
    axes.set_facecolor("#dddddd")  # where an association is not defined
    axes.imshow(np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelsize=7, length=0)


def figures_of(found: TableComparison) -> list[Figures]:
    """The columns and pairs furthest off, in words and figures."""
    rows = f"{found.rows:,} generated rows beside {found.rows:,} held-out ones"
    shown = found.columns[:SHOWN]
    blanks = any(figures.blank or figures.real_blank for figures in shown)
    columns = Figures(
        f"The columns furthest off: 1 - Kolmogorov-Smirnov or 1 - total variation of {rows}; "
        "1 is best, and other real rows get what stands under real.",
        ("column", "generated", "real", *(["blank cells"] if blanks else [])),
        [
            (
                clipped(figures.name, MAX_NAME),
                f"{figures.shape:.2f}",
                f"{figures.baseline:.2f}",
                *([_blanks(figures)] if blanks else []),
            )
            for figures in shown
        ],
    )
    pairs = Figures(
        "The pairs of columns furthest off: the similarity of what binds them; 1 is best.",
        ("pair of columns", "generated", "real", "association"),
        [
            (pair_name(pair), f"{pair.trend:.2f}", f"{pair.baseline:.2f}", _association(pair))
            for pair in found.pairs[:SHOWN]
        ],
    )
    return [figures for figures in (columns, pairs) if figures.rows]


def _blanks(figures: ColumnFigures) -> str:
    if not figures.blank and not figures.real_blank:
        return "none"
    return f"{figures.blank:.1%}, real {figures.real_blank:.1%}"


def _association(pair: PairFigures) -> str:
    if math.isnan(pair.association) or math.isnan(pair.real_association):
        return f"{pair.measure} not defined"
    return f"{pair.measure} {pair.association:.2f}, real {pair.real_association:.2f}"
