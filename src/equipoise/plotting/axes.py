"""What every image of samples is made of: a histogram, a scatter plot, panels of
columns, and their limits, ticks and legends, on Matplotlib axes.

Figures are made without pyplot: they leave no global state behind. Matplotlib is
imported when the first of them is drawn.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.distributions import Distribution
from equipoise.data.schema import Schema
from equipoise.errors import clipped, printable

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator
    from matplotlib.typing import ColorType

Array = NDArray[np.float64]

# Blue and vermilion of Okabe and Ito (2008), which readers with any colour vision can
# tell apart. A known density is black.
REAL, GENERATED = "#0072b2", "#d55e00"
CLASS_COLORS = (REAL, GENERATED, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#f0e442", "#000000")
MAX_CLASS_COLORS = 20
MAX_ASPECT = 10  # longer to shorter side of axes in proportion; beyond it one is a line
MAX_COLUMNS, PANELS_PER_ROW = 9, 3
FEW_POINTS = 500  # of a scatter plot
BINS, COLUMN_BINS, DENSITY_POINTS = 80, 40, 400
# Letters of a text, of the name of an axis and of a panel.
MAX_TEXT_LENGTH, MAX_NAME_LENGTH, MAX_PANEL_NAME_LENGTH = 120, 40, 16
LEGEND_LETTERS_PER_INCH = 10
MIN_FRACTION_NOTED = 0.005  # of samples outside the axes


def axis_names(schema: Schema) -> list[str]:
    """The label of each column's axis: its name in the data, where it has one."""
    if schema.columns is not None:
        return [clipped(str(name), MAX_NAME_LENGTH) for name in schema.columns]
    return ["value"] if schema.size == 1 else [f"column {i}" for i in range(schema.size)]


def columns_note(schema: Schema) -> str:
    """What a title says where not all columns are drawn; empty where all are."""
    if schema.size <= MAX_COLUMNS:
        return ""
    return f"; the first {MAX_COLUMNS} of {schema.size} columns"


def axis_limits(samples: Array) -> tuple[Array, Array]:
    """The ends of axes for samples.

    Args:
        samples: Shape (N, D), or (N,).

    Returns:
        Lowest and highest values, (D,) each: the 0.1% and 99.9% quantiles and a margin.
        The margin of a column that hardly varies is wide enough that the edges of its
        bins still differ.
    """
    low, high = np.quantile(samples, [0.001, 0.999], axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    margin = np.where(
        high > low, np.maximum(0.15 * (high - low), 1e-6 * largest), 0.1 * np.maximum(largest, 1.0)
    )
    return np.asarray(low - margin), np.asarray(high + margin)


def outside_note(values: Array, low: Array, high: Array) -> str:
    """What fraction of samples lies outside the axes, in words.

    Args:
        values: Shape (N, D).
        low, high: The ends of the axes, (D,).

    Returns:
        "12% outside"; empty below half a percent.
    """
    fraction = float(((values < low) | (values > high)).any(1).mean())
    return f"{fraction:.0%} outside" if fraction > MIN_FRACTION_NOTED else ""


def noted(label: str, note: str) -> str:
    """A label, followed by a note where there is one."""
    return f"{label}, {note}" if note else label


def aspect_of(sides: Array) -> Literal["equal", "auto"]:
    """The aspect of axes with sides of these lengths, (2,): "equal" where both have
    about the same length, else "auto"."""
    return "equal" if 0 < sides.max() < MAX_ASPECT * sides.min() else "auto"


def panel_height(low: Array, high: Array, width: float) -> float:
    """The height of a panel with these limits, (2,) each, in the unit of its width."""
    sides = high - low
    if aspect_of(sides) != "equal":
        return 0.85 * width
    return float(np.clip(sides[1] / sides[0], 0.35, 1.2)) * width


def bin_edges(low: Array, high: Array, bins: int = BINS) -> Array:
    """The edges, (bins + 1,), of a histogram from `low` to `high`."""
    return np.linspace(float(low), float(high), bins + 1)


def density_of(values: Array, edges: Array) -> Array:
    """The density of values in each bin.

    Values outside the edges count among all N: a histogram of half the values has half
    the area.

    Args:
        values: Shape (N,).
        edges: Shape (bins + 1,), evenly spaced.

    Returns:
        Shape (bins,).
    """
    return np.asarray(np.histogram(values, edges)[0] / (len(values) * (edges[1] - edges[0])))


def histogram(
    axes: Axes, values: Array, edges: Array, color: ColorType, label: str, filled: bool
) -> None:
    """A histogram of values, (N,), as a density: filled, or its outline."""
    if filled:
        axes.stairs(
            density_of(values, edges), edges, fill=True, color=color, alpha=0.65, label=label
        )
    else:
        axes.stairs(density_of(values, edges), edges, color=color, linewidth=1.2, label=label)


def compared_histograms(
    axes: Axes,
    generated: Array,
    real: Array | None,
    distribution: Distribution | None,
    edges: Array,
    note: str = "",
) -> None:
    """Generated values, (N,), filled, under the true density, or where that is not
    known under the outline of real values, (M,).

    Args:
        note: Follows the label of the generated values.
    """
    label = noted(f"{len(generated):,} generated", note)
    histogram(axes, generated, edges, GENERATED, label, filled=True)
    x = np.linspace(edges[0], edges[-1], DENSITY_POINTS)
    density = None if distribution is None else distribution.density(x)
    if density is not None:
        axes.plot(x, density, color="black", linewidth=1.5, label="true density")
    elif real is not None:
        histogram(axes, real, edges, "black", f"{len(real):,} real", filled=False)
    axes.set_xlim(edges[0], edges[-1])


def scatter(axes: Axes, points: Array, color: ColorType, label: str) -> None:
    """A scatter plot of points, (N, 2), in one colour. A few points are larger, to be
    seen among many of another colour."""
    x, y = points.T
    few = len(points) < FEW_POINTS
    size, alpha = (14, 0.8) if few else (4, 0.45)
    axes.scatter(x, y, s=size, color=color, alpha=alpha, linewidths=0, label=label, rasterized=True)


def scatter_by_value(
    axes: Axes, points: Array, values: Array, classes: int | None = None
) -> PathCollection:
    """A scatter plot of points, (N, 2), coloured by values, (N,), or by one of so many
    classes.

    Returns:
        The dots, for a colour bar.
    """
    from matplotlib.colors import ListedColormap

    x, y = points.T
    low: float | None = None
    high: float | None = None
    colormap: str | Colormap = "viridis"
    if classes is not None:
        low, high = -0.5, classes - 0.5  # the number of a class is in the middle of its colour
        if classes <= MAX_CLASS_COLORS:
            colormap = ListedColormap(class_colors(classes))
    return axes.scatter(
        x, y, s=4, c=values, cmap=colormap, vmin=low, vmax=high, linewidths=0, rasterized=True
    )


def class_colors(count: int) -> Sequence[ColorType]:
    """A colour for each class: up to eight are distinct to readers with any colour
    vision."""
    from matplotlib import colormaps

    if count <= len(CLASS_COLORS):
        return CLASS_COLORS[:count]
    colormap = colormaps["tab10" if count <= 10 else "tab20"]
    return [colormap(k % MAX_CLASS_COLORS) for k in range(count)]


def scatter_limits(axes: Axes, low: Array, high: Array) -> None:
    """Set the limits, (2,) each, of a scatter plot, in proportion where they can be."""
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_aspect(aspect_of(high - low), "box")


def column_panels(
    figure: Figure,
    generated: Array,
    real: Array | None,
    names: Sequence[str],
    low: Array,
    high: Array,
) -> None:
    """A histogram for each of the first columns, three in a row, and one legend below.
    A panel says what fraction of the generated values lies outside.

    Args:
        figure: An empty one.
        generated: Shape (N, D).
        real: Shape (M, D).
        names: Of the columns, (D,).
        low, high: The ends of the axes, (D,).
    """
    shown = min(generated.shape[1], MAX_COLUMNS)
    rows = math.ceil(shown / PANELS_PER_ROW)
    for i, axes in enumerate(figure.subplots(rows, PANELS_PER_ROW, squeeze=False).flat):
        if i >= shown:
            axes.remove()
            continue
        column = None if real is None else real[:, i]
        edges = bin_edges(low[i], high[i], COLUMN_BINS)
        compared_histograms(axes, generated[:, i], column, None, edges)
        axes.set_title(clipped(names[i], MAX_PANEL_NAME_LENGTH), fontsize=9)
        axes.set_yticks([])  # densities, whose units say nothing
        axes.xaxis.set_major_locator(round_ticks(3))
        axes.ticklabel_format(axis="x", scilimits=(-3, 4))
        axes.tick_params(labelsize=8)
        axes.xaxis.offsetText.set_fontsize(8)
        # On the left, since an offset of the numbers stands on the right.
        note = outside_note(generated[:, i : i + 1], low[i], high[i])
        axes.set_xlabel(note, fontsize=8, loc="left")
    legend_below(figure, figure.axes[0])


def round_ticks(most: int) -> Locator:
    """At most so many ticks, at round numbers."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 5, 10])


def short_number(value: float) -> str:
    """A round number with k or M for thousands or millions."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if size <= abs(value) < 1e9:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def legend_below(figure: Figure, axes: Axes) -> None:
    """A legend of one of the axes below all of them, with dots that can be seen."""
    from matplotlib.collections import PathCollection

    handles, labels = axes.get_legend_handles_labels()
    wide = sum(map(len, labels)) > LEGEND_LETTERS_PER_INCH * figure.get_figwidth()
    legend = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2 if wide else 6,
        frameon=False,
        fontsize=9,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set(alpha=1, sizes=[20])


def legend_above(axes: Axes, handles: Sequence[Artist] = (), labels: Sequence[str] = ()) -> None:
    """A legend above the axes, where it covers nothing: of these, one a line, or of
    all that has a label."""
    given = bool(handles)
    if not given:
        handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=1 if given else 2,
        borderaxespad=0.2,
        frameon=False,
        fontsize=9,
    )


@contextmanager
def missing_glyphs() -> Iterator[None]:
    """Where letters that no installed font has become boxes, without a warning for each
    of them: a user's names and cells are what they are."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def literal_text(figure: Figure) -> None:
    """Show names from files as they are: in one line, clipped, and without reading them
    as mathematics."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set(text=clipped(printable(text.get_text()), MAX_TEXT_LENGTH), parse_math=False)
