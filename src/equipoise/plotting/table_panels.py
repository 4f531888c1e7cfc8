"""A panel for each column of a table: bars of categories by their names, histograms of
numbers and dates, and beside them bars of blanks and markers. Generated rows are
filled, real ones an outline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import clipped, printable
from equipoise.plotting.axes import (
    GENERATED,
    legend_below,
    missing_glyphs,
    round_ticks,
    short_number,
)
from equipoise.plotting.table_columns import DrawnColumn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

Array = NDArray[np.float64]
WIDTH, ROW_HEIGHT, MARGIN = 7.2, 1.5, 0.7  # inches: of a figure, a row of panels, a legend
PANELS_PER_ROW, MAX_PANELS = 3, 15
MAX_BARS = 8  # categories of a panel; further ones are one
OTHERS = "others"
MAX_BAR_NAME, MAX_TITLE = 12, 24  # letters
TITLE_SIZE, TITLE_WIDTH = 9, 140  # points
MIN_BINS, MAX_BINS, BINS_FACTOR = 10, 40, 2.5  # the last times the cube root of the rows
# Ticks are differences from a number that stands beside them where numbers are so many
# times their range.
OFFSET_RATIO = 1e5
# A number that so many rows have is a bar of its own, where others vary beside it:
# beside nine zeros of ten nothing else can be seen.
OWN_BAR_SHARE, MIN_OTHERS = 0.5, 20
# Positive numbers are on a logarithmic axis from this ratio of the greatest to the
# middle one.
LOG_RATIO = 30.0
OUTLINE: dict[str, Any] = {"fill": False, "edgecolor": "black", "linewidth": 1.0}
FILLED: dict[str, Any] = {"color": GENERATED, "alpha": 0.65}


def figure_size(panels: int) -> tuple[float, float]:
    """Width and height in inches of a figure of so many panels."""
    return WIDTH, ROW_HEIGHT * math.ceil(panels / PANELS_PER_ROW) + MARGIN


def table_panels(
    figure: Figure, columns: Sequence[DrawnColumn], generated: Array, real: Array | None
) -> None:
    """Draw a panel for each column, three in a row, and one legend below.

    Args:
        figure: An empty one of `figure_size`.
        columns: In this order.
        generated: A raw matrix, (N, R). Rows that are not finite are left out.
        real: Another, (M, R).
    """
    generated = generated[np.isfinite(generated).all(1)]
    rows = math.ceil(len(columns) / PANELS_PER_ROW)
    grid = figure.add_gridspec(rows, PANELS_PER_ROW)
    for place, column in enumerate(columns):
        _panel(figure, grid[divmod(place, PANELS_PER_ROW)], column, generated, real)
    if figure.axes:
        legend_below(figure, figure.axes[0])


def _panel(
    figure: Figure, place: SubplotSpec, column: DrawnColumn, generated: Array, real: Array | None
) -> None:
    sides = [generated] if real is None else [generated, real]
    labels = [f"{len(generated):,} generated", f"{len(sides[-1]):,} real"]
    numbers = [column.numbers(side) for side in sides]
    shares = [_shares(column.codes(side), len(column.states)) for side in sides]
    names = column.states
    if not column.column.has_number:
        axes = figure.add_subplot(place)
        names, shares = commonest(names, shares, ordered=getattr(column.column, "ordered", False))
        _bars(axes, names, shares, labels)
    else:
        own = own_bar(numbers[-1])
        if own is not None:
            alone = [values == own for values in numbers]
            shares = [
                np.concatenate([[is_own.sum() / len(side)], share])
                for is_own, share, side in zip(alone, shares, sides, strict=True)
            ]
            numbers = [values[~is_own] for values, is_own in zip(numbers, alone, strict=True)]
            names = [f"{own:,.6g}", *names]
        if names:
            parts = place.subgridspec(1, 2, width_ratios=[2.6, 1], wspace=0.02)
            axes = figure.add_subplot(parts[0])
            _standing_bars(figure.add_subplot(parts[1]), *commonest(names, shares, most=2))
        else:
            axes = figure.add_subplot(place)
        _histograms(axes, column, numbers, labels)
    axes.set_title(fitting(printable(column.name.strip())), fontsize=TITLE_SIZE)


def fitting(title: str) -> str:
    """A title, cut to the width of a panel."""
    from matplotlib.textpath import TextPath

    for letters in range(MAX_TITLE, 0, -2):
        short = clipped(title, letters)
        with missing_glyphs():
            path = TextPath((0, 0), short.replace("$", "S"), size=TITLE_SIZE)
        if path.get_extents().width <= TITLE_WIDTH:
            break
    return short


def _shares(codes: NDArray[np.int64], size: int) -> Array:
    """The share of each code from 0 to size - 1, (size,), among all cells, (N,)."""
    return np.bincount(codes[codes >= 0], minlength=size) / max(len(codes), 1)


def own_bar(numbers: Array) -> float | None:
    """A number that most cells have, beside others that vary; None where there is
    none."""
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) <= MIN_OTHERS or counts.max() < OWN_BAR_SHARE * counts.sum():
        return None
    return float(values[counts.argmax()])


def commonest(
    names: Sequence[str], shares: Sequence[Array], most: int = MAX_BARS, *, ordered: bool = False
) -> tuple[list[str], list[Array]]:
    """The commonest categories, by the last shares, and all others as one.

    Args:
        names: Of the categories, (K,).
        shares: Of generated rows, and perhaps of real ones, (K,) each.
        most: Categories that keep their names.
        ordered: Whether the order of the categories stays; else the commonest is first.

    Returns:
        Names and shares, of at most `most` + 1 categories.
    """
    order = np.argsort(-shares[-1], kind="stable")
    few = len(order) <= most + 1
    kept = order if few else order[:most]
    if ordered:
        kept = np.sort(kept)
    found = [names[at] for at in kept]
    parts = [share[kept] for share in shares]
    if few:
        return found, parts
    rest = [share[order[most:]].sum() for share in shares]
    together = [np.append(part, other) for part, other in zip(parts, rest, strict=True)]
    return [*found, f"{len(order) - most:,} {OTHERS}"], together


def _bars(axes: Axes, names: Sequence[str], shares: Sequence[Array], labels: Sequence[str]) -> None:
    """Horizontal bars, the first on top."""
    places = np.arange(len(names))
    for share, label, style in zip(shares, labels, (FILLED, OUTLINE), strict=False):
        axes.barh(places, share, height=0.8, label=label, **style)
    axes.set_yticks(places, [_short(name) for name in names])
    axes.set_ylim(max(len(names), 3) - 0.4, -0.6)
    axes.set_xlim(0, 1.05 * max(*(share.max() for share in shares), 1e-9))
    axes.xaxis.set_major_locator(round_ticks(3))
    axes.xaxis.set_major_formatter(lambda value, _: percent(value))
    _plain(axes)
    axes.tick_params(axis="y", length=0)


def _standing_bars(axes: Axes, names: Sequence[str], shares: Sequence[Array]) -> None:
    """Bars of the cells that are no numbers, with the share of real rows that they
    are."""
    places = np.arange(len(names))
    for share, style in zip(shares, (FILLED, OUTLINE), strict=False):
        axes.bar(places, share, width=0.8, **style)
    tallest = max(*(share.max() for share in shares), 1e-9)
    for place, *both in zip(places, *shares, strict=True):
        axes.text(place, max(both), percent(both[-1]), fontsize=6, ha="center", va="bottom")
    axes.set_xticks(places, [_short(name) for name in names], rotation=90 if len(names) > 1 else 0)
    axes.set_xlim(-0.8, max(len(names), 1) - 0.2)
    axes.set_ylim(0, 1.25 * tallest)
    axes.set_yticks([])
    _plain(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _histograms(
    axes: Axes, column: DrawnColumn, numbers: Sequence[Array], labels: Sequence[str]
) -> None:
    """Histograms of numbers, those of each side with an area of 1."""
    shown = np.concatenate(numbers[-1:] if len(numbers[-1]) else numbers)
    logarithmic = column.dates is None and is_skewed(shown)
    edges = bin_edges(shown, column.step, logarithmic)
    for values, label, filled in zip(numbers, labels, (True, False), strict=False):
        heights = np.histogram(values, edges)[0] / max(len(values), 1)
        style: dict[str, Any] = (
            {"fill": True, **FILLED} if filled else {"color": "black", "linewidth": 1.0}
        )
        axes.stairs(heights, edges, label=label, **style)
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0)
    axes.set_yticks([])
    _ticks(axes, column, logarithmic)
    _plain(axes)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(column.unit, fontsize=7, labelpad=1)


def is_skewed(numbers: Array) -> bool:
    """Whether numbers are all positive, and the greatest many times the middle one."""
    if not len(numbers) or numbers.min() <= 0:
        return False
    middle, greatest = np.quantile(numbers, [0.5, 0.999])
    return bool(greatest > LOG_RATIO * middle)


def bin_edges(numbers: Array, step: float | None, logarithmic: bool) -> Array:
    """The edges of a histogram's bins.

    Bins of numbers that have a step are whole steps wide, since others would hold now
    one of them and now two.

    Args:
        numbers: Of real rows, where there are some, (N,).
        step: What they are multiples of.
        logarithmic: Whether bins grow with the numbers.
    """
    most = int(np.clip(BINS_FACTOR * len(numbers) ** (1 / 3), MIN_BINS, MAX_BINS))
    if not len(numbers):
        return np.linspace(0.0, 1.0, most + 1)
    low, high = (float(end) for end in np.quantile(numbers, [0.001, 0.999]))
    if logarithmic:
        return np.geomspace(low, high, most + 1)
    if step is None or step <= 0 or (high - low) / step > 1e6:
        margin = 0.03 * (high - low) or 0.1 * max(abs(low), 1.0)
        return np.linspace(low - margin, high + margin, most + 1)
    width = step * max(math.ceil((high - low) / (step * most)), 1)
    bins = math.floor((high - low) / width) + 1
    return np.asarray(low - step / 2 + width * np.arange(bins + 1))


def _ticks(axes: Axes, column: DrawnColumn, logarithmic: bool) -> None:
    """A few ticks: dates as dates, numbers in short."""
    if column.dates is not None:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # Matplotlib's
        axes.xaxis.offsetText.set_fontsize(7)
        return
    if logarithmic:
        from matplotlib.ticker import LogLocator, NullFormatter

        axes.xaxis.set_major_locator(LogLocator(numticks=4))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(round_ticks(3))
        low, high = axes.get_xlim()
        if max(abs(low), abs(high)) > OFFSET_RATIO * (high - low):
            axes.xaxis.offsetText.set_fontsize(7)
            return
    axes.xaxis.set_major_formatter(lambda value, _: short_number(value))


def percent(share: float) -> str:
    """A share as a label: 12%, 0.4%."""
    return f"{share:.1%}" if 0 < share < 0.0095 else f"{share:.0%}"


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)


def _short(name: str) -> str:
    """A category's name that fits beside its bar."""
    return clipped(printable(name) or "''", MAX_BAR_NAME)
