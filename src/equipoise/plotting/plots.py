"""Images of samples: a histogram over the true density on the line, a scatter on the
plane, a grid for images."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.distributions import Distribution
from equipoise.data.schema import Schema
from equipoise.errors import clipped, printable
from equipoise.sampling.sampler import Sampler
from equipoise.utils.atomic_io import write_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

Array = NDArray[np.float64]
REAL, GENERATED = "#7a8794", "#d1495b"
DEFAULT_POINTS, DEFAULT_IMAGES = 10_000, 64
# Of the longer side to the shorter: columns of other units are further apart, and one
# panel would be a line.
MAX_PROPORTION = 10
MAX_POINTS, MAX_COLUMNS, MAX_IMAGES = 5_000, 9, 400
TRAVERSALS, STEPS, TRAVERSED = (
    8,
    10,
    2.0,
)  # rows of a code's image; columns and reach of a continuous one, which training saw on [-1, 1]
MAX_VALUES = (
    40  # of a code that are images beside one another: all rows of them fit into MOST_PICTURES
)
MAX_LETTERS = 120  # of a text in a figure
MIN_SIDE = 500  # pixels along a grid of images: smaller ones are enlarged by a whole factor


def draw(
    path: Path,
    values: Array,
    schema: Schema,
    limits: tuple[float, float] | None,
    distribution: Distribution | None,
    real: Array | None,
    title: str,
) -> None:
    """Write a PNG of `values`, (n, *shape) in the user's units, as their kind asks for,
    beside the distribution or the `real` samples if they are known."""
    if schema.is_image:
        write_atomic(path, image_grid(values, limits))
        return
    from matplotlib.figure import Figure

    columns = 1 if schema.size <= 2 else min(schema.size, MAX_COLUMNS)
    rows = math.ceil(columns / 3)
    size = (6.4, 4.8) if schema.size == 1 else (9, 2.6 * rows + 0.4)
    if schema.size == 2:
        size = (6, 1.2 + height_of(values, 5.2))
    figure = Figure(figsize=size, layout="constrained")
    names = axis_names(schema)
    if schema.size == 1:
        axes = figure.subplots()
        _histogram(
            axes, values.reshape(-1), distribution, None if real is None else real.reshape(-1)
        )
        axes.set(xlabel=names[0], ylabel="density")
        legend_below(figure, axes)
    elif schema.size == 2:
        axes = figure.subplots()
        _scatter(axes, values, real, distribution)
        axes.set(xlabel=names[0], ylabel=names[1])
        legend_below(figure, axes)
    else:
        for column, axes in enumerate(np.atleast_1d(figure.subplots(rows, 3)).flat):
            axes.set_visible(column < columns)
            if column < columns:
                _histogram(axes, values[:, column], None, None if real is None else real[:, column])
                axes.set_title(names[column], fontsize=9)
                axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
                axes.xaxis.set_major_locator(few_ticks(5))
                if column % 3 == 0:
                    axes.set_ylabel("density")
        legend_below(figure, figure.axes[0])
    figure.suptitle(title + part(schema), fontsize=11)
    _write(figure, path)


def axis_names(schema: Schema) -> list[str]:
    """What the axis of each column is called: by its own name, where it has one."""
    if schema.columns is not None:
        return [str(name) for name in schema.columns]
    return ["value"] if schema.size == 1 else [f"column {i}" for i in range(schema.size)]


def part(schema: Schema) -> str:
    """What a title of points adds where not all of their columns are drawn."""
    return (
        f"; the first {MAX_COLUMNS} of {schema.size} columns" if schema.size > MAX_COLUMNS else ""
    )


def image_grid(
    values: Array, limits: tuple[float, float] | None, across: int | None = None
) -> bytes:
    """A PNG with the images, (n, C, H, W), `across` in a row, or in a grid as near
    to square as can be. Transparency, and cells without an image, are white."""
    from PIL import Image

    shown = eight_bit(values[:MAX_IMAGES], limits)
    n, height, width, channels = shown.shape
    across = across or math.ceil(math.sqrt(n))
    down = math.ceil(n / across)
    sheet = np.full((down * across, height, width, channels), 255, np.uint8)
    sheet[:n] = shown
    sheet = sheet.reshape(down, across, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(down * height, across * width, channels)
    image = Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet)
    factor = max(math.ceil(MIN_SIDE / max(image.size)), 1)
    buffer = io.BytesIO()
    image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


def eight_bit(values: Array, limits: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Images (n, C, H, W) with values in `limits`
    as (n, H, W, C), of one channel or of three.

    Transparency is laid on white.
    """
    low, high = limits or (0.0, 255.0)
    shown = (values - low) / max(high - low, 1e-12)
    if shown.shape[1] in (2, 4):
        opaque = shown[:, -1:].clip(0, 1)
        shown = shown[:, :-1] * opaque + 1 - opaque
    return (shown * 255).round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _histogram(
    axes: Axes, values: Array, distribution: Distribution | None, real: Array | None
) -> None:
    low, high = reach(values if real is None else np.concatenate([values, real]))
    edges = np.linspace(low, high, 81).tolist()
    axes.hist(
        values,
        edges,
        weights=bar_weights(values, edges),
        color=GENERATED,
        alpha=0.65,
        label=f"{len(values):,} generated",
    )
    density = (
        distribution.density(middle := (np.array(edges[1:]) + edges[:-1]) / 2)
        if distribution is not None
        else None
    )
    if density is not None:
        axes.plot(middle, density, color="black", linewidth=1.5, label="the distribution's density")
    elif real is not None:
        axes.hist(
            real,
            edges,
            weights=bar_weights(real, edges),
            histtype="step",
            color="black",
            linewidth=1.2,
            label=f"{len(real):,} real",
        )


def _scatter(
    axes: Axes, values: Array, real: Array | None, distribution: Distribution | None
) -> None:
    clouds = [] if real is None else [(real[:MAX_POINTS], REAL, "real")]
    clouds.append((values[:MAX_POINTS], GENERATED, "generated"))
    # The fewer points on top, to be seen.
    for points, color, name in sorted(clouds, key=lambda cloud: -len(cloud[0])):
        _dots(axes, points, color, name)
    modes = distribution.modes() if distribution is not None else None
    if modes is not None:
        centres = modes[0]
        axes.scatter(
            centres[:, 0],
            centres[:, 1],
            s=30,
            facecolors="none",
            edgecolors="black",
            linewidths=0.8,
            label="the distribution's modes",
        )
    axes.set_aspect(
        aspect(np.ptp(values if real is None else np.concatenate([values, real]), axis=0)), "box"
    )


def legend_below(figure: Figure, axes: Axes) -> None:
    """A legend of what one of the axes shows,
    below all of them, its dots large enough."""
    from matplotlib.collections import PathCollection

    handles, labels = axes.get_legend_handles_labels()
    legend = figure.legend(
        handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=9
    )
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set(alpha=1, sizes=[16])


def height_of(points: Array, width: float) -> float:
    """How high a panel for points, (N, 2), is that is so wide, in the same units."""
    sides = np.ptp(points, axis=0)
    if aspect(sides) != "equal":
        return 0.85 * width
    return float(np.clip(sides[1] / sides[0], 0.35, 1.2)) * width


def few_ticks(most: int) -> Locator:
    """At most so many ticks, at round numbers."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 5, 10])


def thousands(value: float) -> str:
    """A round number, short."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if size <= abs(value) < 1e9:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def aspect(sides: Array) -> Literal["equal", "auto"]:
    """How axes of these lengths, (2,), are drawn: in proportion where both are of about
    a size, else each as long as its panel."""
    return "equal" if 0 < sides.max() < MAX_PROPORTION * sides.min() else "auto"


def reach(shown: Array) -> tuple[Array, Array]:
    """The lowest and highest values, (D,) each, of axes for samples (N, D): nearly all
    of them, and a margin.

    Of a column that hardly varies the margin is one that edges of bars can still be
    told apart in.
    """
    low, high = np.quantile(shown, [0.001, 0.999], axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    margin = np.where(
        high > low, np.maximum(0.15 * (high - low), 1e-6 * largest), 0.1 * np.maximum(largest, 1.0)
    )
    return np.asarray(low - margin), np.asarray(high + margin)


def outside(values: Array, low: Array, high: Array) -> str:
    """How many of the samples, (N, D), axes of this reach do not show, in words; empty
    where they are too few to tell."""
    share = float(((values < low) | (values > high)).any(1).mean())
    return f", {share:.0%} of them outside" if share >= 0.005 else ""


def bars(values: Array, edges: Array) -> Array:
    """The density of values, (N,), those outside of the edges counted in N."""
    return np.asarray(np.histogram(values, edges)[0] / (len(values) * (edges[1] - edges[0])))


def bar_weights(values: Array, edges: Sequence[float]) -> Array:
    """How much each of the values, (N,), adds to the density of its bar, as `bars` has
    it: where none lies within the edges, nothing is divided by nothing."""
    return np.full(len(values), 1 / (len(values) * (edges[1] - edges[0])))


def _dots(axes: Axes, points: Array, color: str, name: str) -> None:
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=3,
        color=color,
        alpha=0.45,
        linewidths=0,
        label=f"{len(points):,} {name}",
    )


def as_they_are(figure: Figure) -> None:
    """Let names from files stand in a figure as they are: not set as mathematics, in
    one line, and not at any length."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set(text=clipped(printable(text.get_text()), MAX_LETTERS), parse_math=False)


def _write(figure: Figure, path: Path) -> None:
    as_they_are(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    write_atomic(path, buffer.getvalue())


def draw_code(path: Path, sampler: Sampler, name: str, seed: int) -> None:
    """Write a PNG that shows what the latent code of this name does.

    Images: its values from left to right, the first 40 of a code that has more, a row
    for each of a few latents that are otherwise fixed. Points: samples, coloured by its
    value.
    """
    at = sampler.prior.codes[name]
    entries = at.stop - at.start
    values = (
        np.arange(entries) if name.startswith("c") else np.linspace(-TRAVERSED, TRAVERSED, STEPS)
    )
    if sampler.schema.is_image:
        kinds = min(len(values), MAX_VALUES)
        z, y = sampler.latents(TRAVERSALS, seed)
        rows = sampler.prior.with_codes(
            z.repeat_interleave(kinds, 0), {name: np.tile(values[:kinds], TRAVERSALS)}
        )
        made = sampler.decode_latents(rows, None if y is None else y.repeat_interleave(kinds))
        write_atomic(path, image_grid(made, sampler.transform.limits, across=kinds))
        return
    from matplotlib.figure import Figure

    z, y = sampler.latents(MAX_POINTS, seed)
    made = sampler.decode_latents(z, y)
    entry = z[:, at].argmax(1).numpy() if name.startswith("c") else z[:, at.start].numpy()
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    height, names = made[:, 1] if sampler.schema.size > 1 else entry, axis_names(sampler.schema)
    dots = axes.scatter(
        made[:, 0],
        height,
        s=4,
        c=entry,
        cmap="tab10" if name.startswith("c") and entries <= 10 else "viridis",
        linewidths=0,
    )
    axes.set(xlabel=names[0], ylabel=names[1] if len(names) > 1 else f"code {name}")
    figure.colorbar(dots, ax=axes, label=f"code {name}")
    figure.suptitle(
        f"{len(made):,} samples by their code {name}, {sampler.samples_seen:,} samples seen",
        fontsize=11,
    )
    _write(figure, path)
