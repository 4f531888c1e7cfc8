"""Pictures of samples: a histogram over the true density on the line, a scatter on the plane, a grid for pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.laws import Law
from equipoise.data.schema import Schema
from equipoise.errors import clipped, printable
from equipoise.training.files import write_whole
from equipoise.training.sampler import Sampler

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
REAL, GENERATED = "#7a8794", "#d1495b"
DEFAULT_POINTS, DEFAULT_PICTURES = 10_000, 64
MOST_PROPORTION = 10  # of the longer side to the shorter: columns of other units are further apart, and one panel would be a line
MOST_POINTS, MOST_COLUMNS, MOST_PICTURES = 5_000, 9, 400
TRAVERSALS, STEPS, TRAVERSED = 8, 10, 2.0  # rows of a code's picture; columns and reach of a continuous one, which training saw on [-1, 1]
MOST_VALUES = 40  # of a code that are pictures beside one another: all rows of them fit into MOST_PICTURES
MOST_LETTERS = 120  # of a text in a figure
LEAST_SIDE = 500  # pixels along a grid of pictures: smaller ones are enlarged by a whole factor


def draw(
    path: Path, values: Array, schema: Schema, limits: tuple[float, float] | None, law: Law | None, real: Array | None, title: str
) -> None:
    """Write a PNG of `values`, (n, *shape) in the user's units, as their kind asks for, beside the law or the `real` samples if they are
    known."""
    if schema.is_picture:
        write_whole(path, picture_grid(values, limits))
        return
    from matplotlib.figure import Figure

    columns = 1 if schema.size <= 2 else min(schema.size, MOST_COLUMNS)
    rows = math.ceil(columns / 3)
    figure = Figure(figsize={1: (6.4, 4.8), 2: (6, 6.2)}.get(schema.size) or (9, 2.8 * rows), layout="constrained")
    names = schema.columns or [f"column {i}" for i in range(schema.size)]
    if schema.size == 1:
        _histogram(figure.subplots(), values.reshape(-1), law, None if real is None else real.reshape(-1))
    elif schema.size == 2:
        _scatter(figure.subplots(), values, real, law)
    else:
        for column, axes in enumerate(np.atleast_1d(figure.subplots(rows, 3)).flat):
            axes.set_visible(column < columns)
            if column < columns:
                _histogram(axes, values[:, column], None, None if real is None else real[:, column], legend=column == 0)
                axes.set_title(str(names[column]), fontsize=9)
    figure.suptitle(title + part(schema), fontsize=11)
    _write(figure, path)


def part(schema: Schema) -> str:
    """What a title of points adds where not all of their columns are drawn."""
    return f"; the first {MOST_COLUMNS} of {schema.size} columns" if schema.size > MOST_COLUMNS else ""


def picture_grid(values: Array, limits: tuple[float, float] | None, across: int | None = None) -> bytes:
    """A PNG with the pictures, (n, C, H, W), `across` in a row, or in a grid as near to square as can be. Transparency is laid on white."""
    from PIL import Image

    low, high = limits or (0.0, 255.0)
    shown = ((values[:MOST_PICTURES] - low) / max(high - low, 1e-12) * 255).round().clip(0, 255).astype(np.uint8)
    n, channels, height, width = shown.shape
    across = across or math.ceil(math.sqrt(n))
    down = math.ceil(n / across)
    sheet = np.zeros((down * across, channels, height, width), np.uint8)
    sheet[:n] = shown
    sheet = sheet.reshape(down, across, channels, height, width).transpose(0, 3, 1, 4, 2).reshape(down * height, across * width, channels)
    image = Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet)
    if channels in (2, 4):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    factor = max(math.ceil(LEAST_SIDE / max(image.size)), 1)
    buffer = io.BytesIO()
    image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def _histogram(axes: Axes, values: Array, law: Law | None, real: Array | None, legend: bool = True) -> None:
    low, high = reach(values if real is None else np.concatenate([values, real]))
    edges = np.linspace(low, high, 81).tolist()
    axes.hist(values, edges, weights=each(values, edges), color=GENERATED, alpha=0.65, label=f"{len(values):,} generated")
    density = law.density(middle := (np.array(edges[1:]) + edges[:-1]) / 2) if law is not None else None
    if density is not None:
        axes.plot(middle, density, color="black", linewidth=1.5, label="the law's density")
    elif real is not None:
        axes.hist(real, edges, weights=each(real, edges), histtype="step", color="black", linewidth=1.2, label=f"{len(real):,} real")
    axes.set_ylabel("density")
    if legend:
        axes.legend(frameon=False, fontsize=9)


def _scatter(axes: Axes, values: Array, real: Array | None, law: Law | None) -> None:
    if real is not None:
        _dots(axes, real[:MOST_POINTS], REAL, "real")
    modes = law.modes() if law is not None else None
    if modes is not None:
        centres = modes[0]
        axes.scatter(centres[:, 0], centres[:, 1], s=30, facecolors="none", edgecolors="black", linewidths=0.8, label="the law's modes")
    _dots(axes, values[:MOST_POINTS], GENERATED, "generated")
    axes.set_aspect(aspect(np.ptp(values if real is None else np.concatenate([values, real]), axis=0)), "box")
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.06))


def aspect(sides: Array) -> Literal["equal", "auto"]:
    """How axes of these lengths, (2,), are drawn: in proportion where both are of about a size, else each as long as its panel."""
    return "equal" if 0 < sides.max() < MOST_PROPORTION * sides.min() else "auto"


def reach(shown: Array) -> tuple[Array, Array]:
    """The lowest and highest values, (D,) each, of axes for samples (N, D): nearly all of them, and a margin.

    Of a column that hardly varies the margin is one that edges of bars can still be told apart in.
    """
    low, high = np.quantile(shown, [0.001, 0.999], axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    margin = np.where(high > low, np.maximum(0.15 * (high - low), 1e-6 * largest), 0.1 * np.maximum(largest, 1.0))
    return np.asarray(low - margin), np.asarray(high + margin)


def outside(values: Array, low: Array, high: Array) -> str:
    """How many of the samples, (N, D), axes of this reach do not show, in words; empty where they are too few to tell."""
    share = float(((values < low) | (values > high)).any(1).mean())
    return f", {share:.0%} of them outside" if share >= 0.005 else ""


def bars(values: Array, edges: Array) -> Array:
    """The density of values, (N,), those outside of the edges counted in N."""
    return np.asarray(np.histogram(values, edges)[0] / (len(values) * (edges[1] - edges[0])))


def each(values: Array, edges: Sequence[float]) -> Array:
    """How much each of the values, (N,), adds to the density of its bar, as `bars` has
    it: where none lies within the edges, nothing is divided by nothing."""
    return np.full(len(values), 1 / (len(values) * (edges[1] - edges[0])))


def _dots(axes: Axes, points: Array, color: str, name: str) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=3, color=color, alpha=0.45, linewidths=0, label=f"{len(points):,} {name}")


def as_they_are(figure: Figure) -> None:
    """Let names from files stand in a figure as they are: not set as mathematics, in one line, and not at any length."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set(text=clipped(printable(text.get_text()), MOST_LETTERS), parse_math=False)


def _write(figure: Figure, path: Path) -> None:
    as_they_are(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    write_whole(path, buffer.getvalue())


def draw_code(path: Path, sampler: Sampler, name: str, seed: int) -> None:
    """Write a PNG that shows what the latent code of this name does.

    Pictures: its values from left to right, the first 40 of a code that has more, a row for each of a few latents that are otherwise
    fixed. Points: samples, coloured by its value.
    """
    at = sampler.prior.codes[name]
    entries = at.stop - at.start
    values = np.arange(entries) if name.startswith("c") else np.linspace(-TRAVERSED, TRAVERSED, STEPS)
    if sampler.schema.is_picture:
        kinds = min(len(values), MOST_VALUES)
        z, y = sampler.latents(TRAVERSALS, seed)
        rows = sampler.prior.with_codes(z.repeat_interleave(kinds, 0), {name: np.tile(values[:kinds], TRAVERSALS)})
        made = sampler.of_latents(rows, None if y is None else y.repeat_interleave(kinds))
        limits = None if sampler.scaling.low is None or sampler.scaling.high is None else (sampler.scaling.low, sampler.scaling.high)
        write_whole(path, picture_grid(made, limits, across=kinds))
        return
    from matplotlib.figure import Figure

    z, y = sampler.latents(MOST_POINTS, seed)
    made = sampler.of_latents(z, y)
    entry = z[:, at].argmax(1).numpy() if name.startswith("c") else z[:, at.start].numpy()
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    height = made[:, 1] if sampler.schema.size > 1 else entry
    dots = axes.scatter(
        made[:, 0], height, s=4, c=entry, cmap="tab10" if name.startswith("c") and entries <= 10 else "viridis", linewidths=0
    )
    figure.colorbar(dots, ax=axes, label=f"code {name}")
    figure.suptitle(f"{len(made):,} samples by their code {name}, {sampler.samples_seen:,} samples seen", fontsize=11)
    _write(figure, path)
