"""Charts for the line and the plane: both densities, D's surface beside the optimal
one, and where latents go.

What the optimal D is the recipe's `DiscriminatorOutput` knows. p_g is estimated from
samples, p is the distribution's.
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
from equipoise.plotting.plots import (
    GENERATED,
    REAL,
    aspect,
    axis_names,
    bar_weights,
    height_of,
    legend_below,
    reach,
)
from equipoise.recipes.output import MIN_DENSITY, DiscriminatorOutput
from equipoise.report.charts import Image, finished, legend_above, new_figure
from equipoise.sampling.sampler import Sampler

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
LINE_POINTS, PLANE_POINTS = 400, 90  # of a grid, a side
KERNEL_SAMPLES, SHOWN = 4_000, 3_000
LINE_SHARE, PLANE_SHARE = (
    10,
    40,
)  # one in so many samples is nearer than the neighbour whose distance is the kernel's width
LATENTS = 4  # shown at most


class Surface:
    """D's output at points in the user's units, as its meaning displays it."""

    def __init__(
        self, discriminator: nn.Module, sampler: Sampler, output: DiscriminatorOutput
    ) -> None:
        self.discriminator, self.sampler, self.output = discriminator.eval(), sampler, output

    @torch.no_grad()
    def __call__(self, x: Array) -> Array:
        scaled = self.sampler.transform.scaled(torch.from_numpy(x)).to(self.sampler.device)
        return self.output.display(self._logits(scaled).double().cpu().numpy())

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        """(N,), of scaled points; where they are whitened by component, the mean over a
        point's components by their posterior."""
        clustering = self.sampler.transform.clustering
        if clustering is None:
            found: torch.Tensor = self.discriminator(x, None)[0]
            return found
        of_each = torch.full((len(x),), 0, device=x.device)
        logits = [
            self.discriminator(clustering.whiten(x, of_each + k), of_each + k)[0]
            for k in range(clustering.count)
        ]
        return (torch.stack(logits, 1) * clustering.posteriors(x)).sum(1)

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        """The optimal D where both densities, (N,), are known; nan where both are below
        `MIN_DENSITY` times the highest. None for a method whose optimum is not known,
        and where p could not be estimated and is 0 everywhere."""
        nowhere = np.maximum(p, p_g) <= MIN_DENSITY * max(p.max(), p_g.max())
        if nowhere.all() or not p.any():
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            best = self.output.optimum(p, p_g)
        return None if best is None else np.where(nowhere, np.nan, best)


def on_the_line(
    made: Array,
    real: Array,
    distribution: Distribution | None,
    surface: Surface | None,
    name: str,
) -> list[Image]:
    """Densities, and D with its optimum below them,
    of numbers (N,), the column of this name."""
    x = np.linspace(*reach(np.concatenate([made, real])), LINE_POINTS)
    p_g = estimated_density(made[:, None], x[:, None])
    known = distribution.density(x) if distribution is not None else None
    p = known if known is not None else estimated_density(real[:, None], x[:, None])
    figure = new_figure(6.4, 3.2)
    axes = figure.subplots()
    edges = np.linspace(x[0], x[-1], 81).tolist()
    axes.hist(
        made,
        edges,
        weights=bar_weights(made, edges),
        color=GENERATED,
        alpha=0.55,
        label="generated",
    )
    if known is None:
        axes.hist(
            real,
            edges,
            weights=bar_weights(real, edges),
            histtype="step",
            color="black",
            label="real",
        )
    else:
        axes.plot(x, known, color="black", linewidth=1.5, label="the distribution")
    axes.set(xlabel=name, ylabel="density")
    legend_above(axes)
    heights = [np.histogram(values, edges)[0] / len(values) for values in (made, real)]
    shared = float(np.minimum(*heights).sum())
    images = [
        finished(
            figure,
            "Histogram of generated samples over the real density: their bars share "
            f"{shared:.0%} of their area.",
        )
    ]
    if surface is None:
        return images
    figure = new_figure(6.4, 2.9)
    axes = figure.subplots()
    axes.plot(x, surface(x[:, None]), color="#2f6690", label="D")
    best = surface.optimum(p, p_g)
    if best is not None:
        shift = (
            float(np.nanmean(best) - np.mean(surface(x[:, None])[~np.isnan(best)]))
            if surface.output.up_to_constant
            else 0.0
        )
        axes.plot(
            x,
            best - shift,
            color="black",
            linestyle="--",
            linewidth=1.2,
            label="the optimal D for these samples",
        )
    axes.set(xlabel=name, ylabel=surface.output.label)
    legend_above(axes)
    caption = "If both distributions were equal, the optimal D would be constant (a flat line)."
    beside = ", beside the optimal D for the samples as they are" if best is not None else ""
    return [
        *images,
        finished(figure, f"D along the line{beside}.", caption if best is not None else ""),
    ]


def on_the_plane(
    made: Array,
    real: Array,
    distribution: Distribution | None,
    surface: Surface | None,
    names: Sequence[str],
) -> list[Image]:
    """Both clouds, and D's surface beside the optimal
    one, of points (N, 2), the columns of these names."""
    low, high = reach(np.concatenate([made, real]))
    figure = new_figure(7.2, 0.8 + height_of(np.stack([low, high]), 3.1))
    panels = figure.subplots(1, 2, sharey=True)
    clouds = ((real, REAL, "real"), (made, GENERATED, "generated"))
    for axes, (points, color, name) in zip(panels, clouds, strict=True):
        axes.scatter(
            points[:SHOWN, 0],
            points[:SHOWN, 1],
            s=3,
            color=color,
            alpha=0.5,
            linewidths=0,
            rasterized=True,
        )
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect=aspect(high - low))
        axes.set_title(name, fontsize=10)
    _name(panels, names)
    images = [
        finished(
            figure,
            "Real samples on the left, generated ones on the right, on the same axes.",
            wide=True,
        )
    ]
    if surface is None:
        return images
    sides = [np.linspace(low[i], high[i], PLANE_POINTS) for i in (0, 1)]
    grid = np.stack([part.ravel() for part in np.meshgrid(*sides)], 1)
    known = distribution.density(grid) if distribution is not None else None
    best = surface.optimum(known, estimated_density(made, grid)) if known is not None else None
    shown = {"D": surface(grid)} | (
        {} if best is None else {"the optimal D for these samples": best}
    )
    figure = new_figure(4.2 * len(shown), 0.8 + height_of(np.stack([low, high]), 2.9))
    panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    for axes, (name, values) in zip(panels, shown.items(), strict=True):
        highest = float(np.nanquantile(np.abs(values), 0.99)) or 1.0
        limits = surface.output.limits(highest)
        image = axes.imshow(
            values.reshape(PLANE_POINTS, PLANE_POINTS),
            origin="lower",
            extent=(low[0], high[0], low[1], high[1]),
            aspect=aspect(high - low),
            cmap="RdBu",
            vmin=limits[0],
            vmax=limits[1],
        )
        figure.colorbar(image, ax=axes, shrink=0.8)
        axes.set_title(name, fontsize=10)
    _name(panels, names)
    beside = ", beside the optimal D" if best is not None else ""
    alt = f"{surface.output.label} over the plane{beside}."
    return [*images, finished(figure, alt, wide=best is not None)]


def _name(panels: Iterable[Axes], names: Sequence[str]) -> None:
    """Name the axes of panels in a row: below each, and before the first."""
    for i, axes in enumerate(panels):
        axes.set_xlabel(names[0])
        if i == 0:
            axes.set_ylabel(names[1])


def of_classes(
    sampler: Sampler,
    real: tuple[Tensor, Tensor] | None,
    labels: Sequence[str],
    seed: int,
    which: str,
) -> Image:
    """Samples of one or two columns, each class in its colour.

    `real` ones, (N, D) with their classes, (N,), are drawn beside them.
    """
    from matplotlib import colormaps

    fraction = SHOWN // len(labels)
    made = [sampler.values(fraction, seed, k) for k in range(len(labels))]
    clouds = {"generated": made}
    if real is not None:
        x, y = (part.numpy() for part in real)
        clouds = {
            "real": [x[y == k][:fraction].astype(float) for k in range(len(labels))],
            **clouds,
        }
    names, planar = axis_names(sampler.schema), sampler.schema.size == 2
    colors = colormaps["tab10" if len(labels) <= 10 else "tab20"]
    low, high = reach(np.concatenate([part for parts in clouds.values() for part in parts]))
    tall = height_of(np.stack([low, high]), 3.1) if planar else 2.4
    figure = new_figure(7.2 if real is not None else 4.4, 1.2 + tall)
    panels = np.atleast_1d(figure.subplots(1, len(clouds), sharex=True, sharey=True))
    edges = np.linspace(low[0], high[0], 61).tolist()
    for axes, (name, parts) in zip(panels, clouds.items(), strict=True):
        for k, (label, part) in enumerate(zip(labels, parts, strict=True)):
            color = colors(k)
            if planar:
                axes.scatter(
                    *part.T, s=3, color=color, alpha=0.5, linewidths=0, label=label, rasterized=True
                )
            elif len(part):
                axes.hist(
                    part[:, 0],
                    edges,
                    weights=bar_weights(part[:, 0], edges),
                    histtype="step",
                    color=color,
                    label=label,
                )
        axes.set_title(name, fontsize=10)
    panels[0].set(xlim=(low[0], high[0]))
    if planar:
        panels[0].set(ylim=(low[1], high[1]))
        for axes in panels:
            axes.set_aspect(aspect(high - low))
    _name(panels, [names[0], names[1] if planar else "density"])
    legend_below(figure, panels[-1])
    beside = "real and generated" if real is not None else "generated"
    return finished(figure, f"Samples of {which}, {beside}, each class in its colour.", wide=True)


def latent_map(sampler: Sampler, seed: int) -> Image:
    """Where latents go: on the line each latent number against the sample, on the plane
    samples coloured by two latent numbers."""
    z, y = sampler.latents(SHOWN, seed)
    made, latents = sampler.decode_latents(z, y), z.numpy()
    numbers = min(max(sampler.prior.dim, 1), LATENTS if made.shape[1] == 1 else 2)
    names = axis_names(sampler.schema)
    size = (2.4 * numbers + 0.6, 2.9) if made.shape[1] == 1 else (7.6, 0.8 + height_of(made, 2.7))
    figure = new_figure(*size)
    panels = np.atleast_1d(figure.subplots(1, numbers, sharey=True))
    for i, axes in enumerate(panels):
        if made.shape[1] == 1:
            axes.scatter(
                latents[:, i],
                made[:, 0],
                s=2,
                color=GENERATED,
                alpha=0.4,
                linewidths=0,
                rasterized=True,
            )
            axes.set_xlabel(f"latent z{i}")
        else:
            dots = axes.scatter(
                made[:, 0],
                made[:, 1],
                s=3,
                c=latents[:, i],
                cmap="viridis",
                linewidths=0,
                rasterized=True,
            )
            axes.set_aspect(aspect(np.ptp(made, axis=0)))
            figure.colorbar(dots, ax=axes, label=f"latent z{i}", shrink=0.8)
    if made.shape[1] == 1:
        panels[0].set_ylabel(names[0])
    else:
        _name(panels, names)
    caption = "What the generator does with each of its latent numbers."
    return finished(figure, "How samples depend on latent numbers.", caption, wide=numbers > 1)


def estimated_density(samples: Array, at: Array) -> Array:
    """The density of samples, (N, D) with D 1 or 2, at points (M, D): a Gaussian kernel
    as wide as the median distance to a near neighbour, so that narrow modes far apart
    stay narrow. Zero where the samples do not vary."""
    some = torch.from_numpy(samples[:KERNEL_SAMPLES])
    middle = some.mean(0)
    unit = (
        float((some - middle).abs().max()) or 1.0
    )  # squares of very large or very small numbers are beyond a float
    some = ((some - middle) / unit).float()  # enough for a chart
    neighbour = max(len(some) // (LINE_SHARE if some.shape[1] == 1 else PLANE_SHARE), 1)
    width = float(kth_neighbour(some, neighbour).median())
    if width == 0:
        return np.zeros(len(at))
    places, narrow = ((torch.from_numpy(at) - middle) / unit).float(), -1 / (2 * width**2)
    means = torch.empty(len(places), dtype=torch.float64)
    for here in tiles(len(places), len(some)):
        means[here] = (
            distances_of(places[here], some).square_().mul_(narrow).exp_().mean(1).double()
        )
    density: Array = (means / (math.sqrt(2 * math.pi) * width * unit) ** some.shape[1]).numpy()
    return density
