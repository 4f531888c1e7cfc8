"""Charts of data in one and two dimensions: both densities, D's output beside that of
the optimal D, and how samples depend on latents.

The recipe's `DiscriminatorOutput` has the optimal D as a function of both densities.
The generator's is estimated from samples; the data's is known for a distribution, and
in one dimension estimated otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.data.distributions import Distribution
from equipoise.metrics.neighbours import distances_of, kth_neighbour, tiles
from equipoise.plotting.axes import (
    BINS,
    GENERATED,
    REAL,
    aspect_of,
    axis_limits,
    axis_names,
    bin_edges,
    class_colors,
    compared_histograms,
    density_of,
    histogram,
    legend_above,
    legend_below,
    panel_height,
    scatter,
    scatter_by_value,
    scatter_limits,
)
from equipoise.recipes.output import MIN_DENSITY, DiscriminatorOutput
from equipoise.report.charts import DISCRIMINATOR, Image, new_figure, svg_image
from equipoise.sampling.evaluation_mode import evaluating
from equipoise.sampling.sampler import Sampler

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
LINE_POINTS, PLANE_POINTS = 400, 90  # along each side of a grid
MAX_KERNEL_SAMPLES, MAX_POINTS = 4_000, 3_000
# The kernel is as wide as the distance to the neighbour that one in so many samples is
# nearer than.
LINE_NEIGHBOUR, PLANE_NEIGHBOUR = 10, 40
CLASS_BINS = 60
MAX_LATENTS = 4


class Surface:
    """D's output at points in the user's units, on the scale that charts show."""

    def __init__(
        self, discriminator: nn.Module, sampler: Sampler, output: DiscriminatorOutput
    ) -> None:
        self.discriminator: nn.Module = discriminator
        self.sampler: Sampler = sampler
        self.output: DiscriminatorOutput = output

    @torch.no_grad()
    def __call__(self, x: Array) -> Array:
        scaled = self.sampler.transform.scaled(torch.from_numpy(x)).to(self.sampler.device)
        with evaluating(self.discriminator):
            return self.output.display(self._logits(scaled).double().cpu().numpy())

    def _logits(self, x: Tensor) -> Tensor:
        """D's logits, (N,), at scaled points, (N, D). Where points are whitened by
        component: the mean over the components, weighted by their posteriors."""
        clustering = self.sampler.transform.clustering
        if clustering is None:
            output: Tensor = self.discriminator(x, None)[0]
            return output
        first = torch.full((len(x),), 0, device=x.device)
        logits = [
            self.discriminator(clustering.whiten(x, first + k), first + k)[0]
            for k in range(clustering.count)
        ]
        return (torch.stack(logits, 1) * clustering.posteriors(x)).sum(1)

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        """The output of the optimal D.

        Args:
            p: The density of the data, (N,).
            p_g: The density of the generator's samples, (N,).

        Returns:
            Shape (N,), nan where both densities are below `MIN_DENSITY` times the
            highest. None for a method whose optimum is not known, and where p could
            not be estimated and is 0 everywhere.
        """
        empty = np.maximum(p, p_g) <= MIN_DENSITY * max(p.max(), p_g.max())
        if empty.all() or not p.any():
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            best = self.output.optimum(p, p_g)
        return None if best is None else np.where(empty, np.nan, best)


def line_charts(
    generated: Array,
    real: Array,
    distribution: Distribution | None,
    surface: Surface | None,
    name: str,
) -> list[Image]:
    """Charts of one column: both densities, and D with the optimal D.

    Args:
        generated: Shape (N,).
        real: Shape (M,).
        distribution: Of the data, where it is known.
        surface: D, where it can be drawn.
        name: Of the column.
    """
    low, high = axis_limits(np.concatenate([generated, real]))
    edges = bin_edges(low, high, BINS)
    figure = new_figure()
    axes = figure.subplots()
    compared_histograms(axes, generated, real, distribution, edges)
    axes.set(xlabel=name, ylabel="density")
    legend_above(axes)
    bins = [density_of(values, edges) for values in (generated, real)]
    overlap = float(np.minimum(*bins).sum() * (edges[1] - edges[0]))
    alt = f"Histogram of generated samples over the real density. They overlap by {overlap:.0%}."
    images = [svg_image(figure, alt)]
    if surface is not None:
        x = np.linspace(low, high, LINE_POINTS)
        p_g = estimated_density(generated[:, None], x[:, None])
        known = None if distribution is None else distribution.density(x)
        p = estimated_density(real[:, None], x[:, None]) if known is None else known
        images.append(_discriminator_line(x, surface, surface.optimum(p, p_g), name))
    return images


def _discriminator_line(x: Array, surface: Surface, best: Array | None, name: str) -> Image:
    """D at points x, (N,), beside the optimal D, (N,)."""
    figure, output = new_figure(), surface(x[:, None])
    axes = figure.subplots()
    axes.plot(x, output, color=DISCRIMINATOR, label="D")
    alt, caption = "D along the line.", ""
    if best is not None:
        shift = 0.0
        if surface.output.up_to_constant:
            shift = float(np.nanmean(best) - np.mean(output[~np.isnan(best)]))
        label = "the optimal D for these samples"
        axes.plot(x, best - shift, color="black", linestyle="--", linewidth=1.2, label=label)
        alt = "D along the line, beside the optimal D for these samples."
        caption = "If both distributions were equal, the optimal D would be constant (a flat line)."
    axes.set(xlabel=name, ylabel=surface.output.label)
    legend_above(axes)
    return svg_image(figure, alt, caption)


def plane_charts(
    generated: Array,
    real: Array,
    distribution: Distribution | None,
    surface: Surface | None,
    names: Sequence[str],
) -> list[Image]:
    """Charts of two columns: both samples, and D beside the optimal D.

    Args:
        generated: Shape (N, 2).
        real: Shape (M, 2).
        distribution: Of the data, where it is known.
        surface: D, where it can be drawn.
        names: Of the columns.
    """
    low, high = axis_limits(np.concatenate([generated, real]))
    figure = new_figure(7.2, 0.8 + panel_height(low, high, 3.1))
    panels = figure.subplots(1, 2, sharey=True)
    clouds = ((real, REAL, "real"), (generated, GENERATED, "generated"))
    for axes, (points, color, name) in zip(panels, clouds, strict=True):
        scatter(axes, points[:MAX_POINTS], color, name)
        scatter_limits(axes, low, high)
        axes.set_title(name, fontsize=10)
    _label_axes(panels, names)
    alt = "Real samples on the left and generated ones on the right, on the same axes."
    images = [svg_image(figure, alt, wide=True)]
    if surface is not None:
        x = np.meshgrid(*(np.linspace(low[i], high[i], PLANE_POINTS) for i in (0, 1)))
        grid = np.stack([part.ravel() for part in x], 1)
        p = None if distribution is None else distribution.density(grid)
        best = None if p is None else surface.optimum(p, estimated_density(generated, grid))
        images.append(_discriminator_plane(low, high, surface, surface(grid), best, names))
    return images


def _discriminator_plane(
    low: Array,
    high: Array,
    surface: Surface,
    output: Array,
    best: Array | None,
    names: Sequence[str],
) -> Image:
    """D's output on a grid over the plane, beside that of the optimal D."""
    shown = {"D": output}
    if best is not None:
        shown["the optimal D for these samples"] = best
    figure = new_figure(4.2 * len(shown), 1.2 + panel_height(low, high, 2.9))
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(panels, shown.items(), strict=True):
        highest = float(np.nanquantile(np.abs(values), 0.99)) or 1.0
        limits = surface.output.limits(highest)
        image = axes.imshow(
            values.reshape(PLANE_POINTS, PLANE_POINTS),
            origin="lower",
            extent=(low[0], high[0], low[1], high[1]),
            aspect=aspect_of(high - low),
            cmap="RdBu",
            vmin=limits[0],
            vmax=limits[1],
        )
        figure.colorbar(image, ax=axes, shrink=0.8)
        axes.set_title(name, fontsize=10)
    _label_axes(panels, names)
    beside = ", beside the optimal D" if best is not None else ""
    alt = f"{surface.output.label} over the plane{beside}."
    return svg_image(figure, alt, wide=best is not None)


def _label_axes(panels: Iterable[Axes], names: Sequence[str]) -> None:
    """Label the axes of panels in a row: below each, and left of the first."""
    for i, axes in enumerate(panels):
        axes.set_xlabel(names[0])
        if i == 0:
            axes.set_ylabel(names[1])


def class_chart(
    sampler: Sampler,
    real: tuple[Tensor, Tensor] | None,
    labels: Sequence[str],
    seed: int,
    description: str,
) -> Image:
    """Samples of one or two columns, each class in a colour of its own.

    Args:
        sampler: A generator that learned labels.
        real: Real samples, (N, D), and their classes, (N,), drawn beside the generated.
        labels: Of the first classes, which are drawn.
        seed: Of the generated samples.
        description: Of the classes, for the text that describes the image.
    """
    n = MAX_POINTS // len(labels)
    classes = {"generated": [sampler.values(n, seed, k) for k in range(len(labels))]}
    if real is not None:
        x, y = (part.numpy() for part in real)
        of_real = [x[y == k][:n].astype(float) for k in range(len(labels))]
        classes = {"real": of_real, **classes}
    names, planar = axis_names(sampler.schema), sampler.schema.size == 2
    colors = class_colors(len(labels))
    low, high = axis_limits(np.concatenate([x for each in classes.values() for x in each]))
    height = 1.2 + (panel_height(low, high, 3.1) if planar else 2.4)
    figure = new_figure(7.2 if real is not None else 4.4, height)
    panels = figure.subplots(1, len(classes), sharex=True, sharey=True, squeeze=False)[0]
    edges = bin_edges(low[0], high[0], CLASS_BINS)
    for axes, (name, samples) in zip(panels, classes.items(), strict=True):
        for k, (label, values) in enumerate(zip(labels, samples, strict=True)):
            if planar:
                scatter(axes, values, colors[k], label)
            elif len(values):
                histogram(axes, values[:, 0], edges, colors[k], label, filled=False)
        axes.set_title(name, fontsize=10)
        if planar:
            scatter_limits(axes, low, high)
    panels[0].set_xlim(low[0], high[0])
    _label_axes(panels, [names[0], names[1] if planar else "density"])
    legend_below(figure, panels[-1])
    shown = "real and generated" if real is not None else "generated"
    alt = f"Samples of {description}, {shown}, each class in its colour."
    return svg_image(figure, alt, wide=real is not None)


def latent_chart(sampler: Sampler, seed: int) -> Image:
    """How samples of one or two columns depend on the first entries of the latent.

    One column: the sample against each entry. Two: the samples coloured by each entry.
    """
    z, y = sampler.latents(MAX_POINTS, seed)
    samples, latents = sampler.decode_latents(z, y), z.numpy()
    planar, names = samples.shape[1] > 1, axis_names(sampler.schema)
    entries = min(max(sampler.prior.dim, 1), 2 if planar else MAX_LATENTS)
    low, high = axis_limits(samples)
    size = (7.6, 1.0 + panel_height(low, high, 2.7)) if planar else (2.4 * entries + 0.6, 2.9)
    figure = new_figure(*size)
    panels = figure.subplots(1, entries, sharey=True, squeeze=False)[0]
    for i, axes in enumerate(panels):
        if planar:
            dots = scatter_by_value(axes, samples, latents[:, i])
            scatter_limits(axes, low, high)
            figure.colorbar(dots, ax=axes, label=f"latent z{i}", shrink=0.8)
        else:
            scatter(axes, np.stack([latents[:, i], samples[:, 0]], 1), GENERATED, "")
            axes.set_xlabel(f"latent z{i}")
    if planar:
        _label_axes(panels, names)
    else:
        panels[0].set_ylabel(names[0])
    caption = "How the generator uses the entries of its latent."
    alt = "Samples against the entries of the latent."
    return svg_image(figure, alt, caption, wide=entries > 1)


def estimated_density(samples: Array, points: Array) -> Array:
    """A kernel density estimate.

    The Gaussian kernel is as wide as the median distance to a near neighbour, so that
    narrow modes far apart stay narrow.

    Args:
        samples: Shape (N, D) with D = 1 or 2.
        points: Where the density is estimated, (M, D).

    Returns:
        Shape (M,). Zero where the samples do not vary.
    """
    x = torch.from_numpy(samples[:MAX_KERNEL_SAMPLES])
    mean = x.mean(0)
    # Squares of very large or very small numbers are beyond a float.
    unit = float((x - mean).abs().max()) or 1.0
    x = ((x - mean) / unit).float()
    k = max(len(x) // (LINE_NEIGHBOUR if x.shape[1] == 1 else PLANE_NEIGHBOUR), 1)
    width = float(kth_neighbour(x, k).median())
    if width == 0:
        return np.zeros(len(points))
    at, exponent = ((torch.from_numpy(points) - mean) / unit).float(), -1 / (2 * width**2)
    means = torch.empty(len(at), dtype=torch.float64)
    for tile in tiles(len(at), len(x)):
        kernels = distances_of(at[tile], x).square_().mul_(exponent).exp_()
        means[tile] = kernels.mean(1).double()
    density: Array = (means / (math.sqrt(2 * math.pi) * width * unit) ** x.shape[1]).numpy()
    return density
