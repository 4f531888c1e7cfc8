"""Images of samples: a histogram over the true density in one dimension, a scatter plot
in two, a histogram for each column in more, a grid for images, lines for windows of
series."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.data.distributions import Distribution
from equipoise.data.schema import Schema
from equipoise.data.series.windows import Series
from equipoise.data.tables.table import Table
from equipoise.errors import clipped, printable
from equipoise.plotting.axes import (
    GENERATED,
    MAX_COLUMNS,
    MAX_TEXT_LENGTH,
    PANELS_PER_ROW,
    REAL,
    axis_limits,
    axis_names,
    bin_edges,
    column_panels,
    columns_note,
    compared_histograms,
    legend_below,
    literal_text,
    missing_glyphs,
    noted,
    outside_note,
    panel_height,
    scatter,
    scatter_by_value,
    scatter_limits,
)
from equipoise.plotting.grids import image_grid
from equipoise.plotting.series import channels_note, window_panels, windows_size
from equipoise.plotting.table_columns import drawn_columns
from equipoise.plotting.table_panels import MAX_PANELS, figure_size, table_panels
from equipoise.sampling.sampler import Sampler
from equipoise.utils.atomic_io import write_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
DEFAULT_POINTS, DEFAULT_IMAGES = 10_000, 64  # samples drawn unless a number is asked for
MAX_POINTS = 5_000  # of a scatter plot
WIDTH = 4.8  # inches of a figure
DPI, SMALL_DPI = 150, 100
LETTERS_PER_INCH, MAX_TITLE_LINES = 12, 2

# The image of a code has a row for each of a few latents. Its columns are the values of
# the code: of a continuous one steps from -2 to 2 (training saw -1 to 1), of a
# categorical one the first 40, so that all rows fit into an image grid.
CODE_ROWS, CODE_STEPS, CODE_REACH = 8, 10, 2.0
MAX_CODE_VALUES = 40


def draw(
    path: Path,
    values: Array,
    schema: Schema,
    limits: tuple[float, float] | None,
    distribution: Distribution | None,
    real: Array | None,
    title: str,
    *,
    in_training: bool = False,
) -> None:
    """Write a PNG of samples.

    Args:
        path: Of the file; its folder is made.
        values: Samples of shape (N, *shape), in the user's units.
        schema: Of the data.
        limits: The values of black and white, for images.
        distribution: Draws its true density or its modes.
        real: Real samples, (M, *shape), drawn beside the generated ones.
        title: Stands above.
        in_training: One of several of the same training, to be compared: it is small,
            and its axes are those of the real samples, where there are any.
    """
    if schema.is_image:
        write_atomic(path, image_grid(values, limits, alpha=schema.alpha))
        return
    write_atomic(path, plot(values, schema, distribution, real, title, in_training=in_training))


def plot(
    values: Array,
    schema: Schema,
    distribution: Distribution | None,
    real: Array | None,
    title: str,
    *,
    in_training: bool = False,
    axes: Array | None = None,
    top: float | None = None,
) -> bytes:
    """A PNG of samples that are no images. Arguments as for `draw`.

    Args:
        axes: Samples whose axes these are; None for those of `draw`.
        top: The end of the axis of densities in one dimension; None for what is there.
    """
    if schema.series is not None:
        figure = _series_figure(values, schema.series, real, title)
    elif schema.table is not None:
        figure = _table_figure(values, schema.table, real, title, in_training)
    else:
        shown = values if real is None else real if in_training else np.concatenate([values, real])
        ends = axis_limits(shown if axes is None else axes)
        figure = _figure(values, schema, distribution, real, ends, title)
        if top is not None and schema.size == 1:
            figure.axes[0].set_ylim(0, top)
    return _png(figure, SMALL_DPI if in_training else DPI)


def is_plane(schema: Schema) -> bool:
    """Whether samples are points of one or two columns, which are drawn as they are."""
    whole = schema.table is None and schema.series is None
    return whole and not schema.is_image and schema.size <= 2


def write_points(path: Path, values: Array) -> None:
    """Write points, (N, D), as float32."""
    content = io.BytesIO()
    np.save(content, values.astype(np.float32), allow_pickle=False)
    write_atomic(path, content.getvalue())


def draw_code(path: Path, sampler: Sampler, name: str, seed: int) -> None:
    """Write a PNG of what a latent code does.

    Of images, its values from left to right, a row for each of a few latents that are
    otherwise fixed. Of points, samples coloured by its value.

    Args:
        path: Of the file; its folder is made.
        sampler: The generator.
        name: Of the code: c0, c1, ... are categorical, u0, u1, ... continuous.
        seed: Of the latents.
    """
    if sampler.schema.is_image:
        write_atomic(path, _code_grid(sampler, name, seed))
    else:
        write_atomic(path, _png(_code_scatter(sampler, name, seed), DPI))


def _figure(
    values: Array,
    schema: Schema,
    distribution: Distribution | None,
    real: Array | None,
    limits: tuple[Array, Array],
    title: str,
) -> Figure:
    from matplotlib.figure import Figure

    low, high = limits
    names = axis_names(schema)
    if schema.size > 2:
        rows = -(-min(schema.size, MAX_COLUMNS) // PANELS_PER_ROW)
        figure = Figure((WIDTH, 1.3 * rows + 0.8), layout="constrained")
        column_panels(figure, values, real, names, low, high)
    elif schema.size == 2:
        figure = Figure((WIDTH, panel_height(low, high, WIDTH - 1) + 1.2), layout="constrained")
        axes = figure.subplots()
        _compared_scatter(axes, values, real, distribution, low, high)
        axes.set(xlabel=names[0], ylabel=names[1])
        legend_below(figure, axes)
    else:
        figure = Figure((WIDTH, 0.75 * WIDTH), layout="constrained")
        axes = figure.subplots()
        note = outside_note(values, low, high)
        flat = None if real is None else real[:, 0]
        edges = bin_edges(low[0], high[0])
        compared_histograms(axes, values[:, 0], flat, distribution, edges, note)
        axes.set(xlabel=names[0], ylabel="density")
        legend_below(figure, axes)
    literal_text(figure)
    _set_title(figure, title + columns_note(schema))
    return figure


def _table_figure(
    values: Array, table: Table, real: Array | None, title: str, in_training: bool
) -> Figure:
    from matplotlib.figure import Figure

    columns = drawn_columns(table)
    shown = columns[: MAX_COLUMNS if in_training else MAX_PANELS]
    figure = Figure(figure_size(len(shown)), layout="constrained")
    table_panels(figure, shown, values, real)
    literal_text(figure)
    more = len(columns) - len(shown)
    note = f"; the first {len(shown)} of {len(columns)} columns" if more else ""
    _set_title(figure, title + note)
    return figure


def _series_figure(values: Array, series: Series, real: Array | None, title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(windows_size(series), layout="constrained")
    window_panels(figure, series, values, real)
    literal_text(figure)
    _set_title(figure, title + channels_note(series))
    return figure


def _compared_scatter(
    axes: Axes,
    values: Array,
    real: Array | None,
    distribution: Distribution | None,
    low: Array,
    high: Array,
) -> None:
    """Generated and real points on one axes, and circles about the modes of the
    distribution."""
    note = outside_note(values, low, high)
    clouds = [] if real is None else [(real[:MAX_POINTS], REAL, "real", "")]
    clouds.append((values[:MAX_POINTS], GENERATED, "generated", note))
    # The fewer points on top, where they can be seen.
    for points, color, name, its_note in sorted(clouds, key=lambda cloud: -len(cloud[0])):
        scatter(axes, points, color, noted(f"{len(points):,} {name}", its_note))
    modes = distribution.modes() if distribution is not None else None
    if modes is not None:
        x, y = modes[0].T
        axes.scatter(
            x, y, s=30, facecolors="none", edgecolors="black", linewidths=0.8, label="modes"
        )
    scatter_limits(axes, low, high)


def _code_grid(sampler: Sampler, name: str, seed: int) -> bytes:
    count = sampler.prior.codes[name].stop - sampler.prior.codes[name].start
    values = np.linspace(-CODE_REACH, CODE_REACH, CODE_STEPS)
    if name.startswith("c"):
        values = np.arange(min(count, MAX_CODE_VALUES))
    z, y = sampler.latents(CODE_ROWS, seed)
    repeated = z.repeat_interleave(len(values), 0)
    latents = sampler.prior.with_codes(repeated, {name: np.tile(values, CODE_ROWS)})
    labels = None if y is None else y.repeat_interleave(len(values))
    images = sampler.decode_latents(latents, labels)
    alpha = sampler.schema.alpha
    return image_grid(images, sampler.transform.limits, len(values), alpha=alpha)


def _code_scatter(sampler: Sampler, name: str, seed: int) -> Figure:
    from matplotlib.figure import Figure

    entries = sampler.prior.codes[name]
    z, y = sampler.latents(MAX_POINTS, seed)
    points, names = sampler.decode_latents(z, y), axis_names(sampler.schema)
    code, classes = z[:, entries.start].numpy(), None
    if name.startswith("c"):
        code, classes = z[:, entries].argmax(1).numpy(), entries.stop - entries.start
    height = points[:, 1] if len(names) > 1 else code
    figure = Figure((WIDTH, 0.9 * WIDTH), layout="constrained")
    axes = figure.subplots()
    dots = scatter_by_value(axes, np.stack([points[:, 0], height], 1), code, classes)
    axes.set(xlabel=names[0], ylabel=names[1] if len(names) > 1 else f"code {name}")
    figure.colorbar(dots, ax=axes, label=f"code {name}")
    literal_text(figure)
    seen = f"{sampler.samples_seen:,} samples seen"
    _set_title(figure, f"{len(points):,} samples by their code {name}, {seen}")
    return figure


def _set_title(figure: Figure, title: str) -> None:
    """A title above all axes, in as many lines as the width of the figure asks for."""
    width = int(figure.get_figwidth() * LETTERS_PER_INCH)
    lines = textwrap.wrap(
        clipped(printable(title), MAX_TEXT_LENGTH),
        width,
        max_lines=MAX_TITLE_LINES,
        placeholder=" ...",
    )
    figure.suptitle("\n".join(lines), fontsize=10, parse_math=False)


def _png(figure: Figure, dpi: int) -> bytes:
    buffer = io.BytesIO()
    with missing_glyphs():
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
