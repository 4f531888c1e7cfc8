"""Charts for the line and the plane: both densities, D's surface beside the optimal one, and where latents go.

At the optimum of the original game D(x) = p(x) / (p(x) + p_g(x)) (Goodfellow et al. 2014, proposition 1), that of a relativistic loss is
log p(x) / p_g(x) up to a constant. p_g is estimated from samples, p is the law's.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from equipoise.data.laws import Law
from equipoise.metrics.neighbours import distances_of, kth_neighbour, tiles
from equipoise.page.charts import Image, finished, new_figure
from equipoise.plots import GENERATED, REAL, aspect, each, reach
from equipoise.recipes.method import Logits
from equipoise.training.sampler import Sampler

Array = NDArray[np.float64]
LINE_POINTS, PLANE_POINTS = 400, 90  # of a grid, a side
KERNEL_SAMPLES, SHOWN = 4_000, 3_000
LINE_SHARE, PLANE_SHARE = 10, 40  # one in so many samples is nearer than the neighbour whose distance is the kernel's width
LEAST_DENSITY = 1e-4  # of the highest: where both laws have less, an optimum means nothing
LATENTS = 4  # shown at most


class Surface:
    """What D says at points in the user's units, as its logits mean it."""

    def __init__(self, discriminator: nn.Module, sampler: Sampler, meaning: Logits) -> None:
        self.discriminator, self.sampler, self.meaning = discriminator.eval(), sampler, meaning

    @torch.no_grad()
    def __call__(self, x: Array) -> Array:
        scaled = self.sampler.scaling.encode(torch.from_numpy(x)).to(self.sampler.device)
        logits: Array = self._logits(scaled).double().cpu().numpy()
        return 1 / (1 + np.exp(-logits)) if self.meaning == "probability" else logits - logits.mean()

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        """(N,), of scaled points; where D sees them relative to modes, the mean over the modes that a point may belong to."""
        modes = self.sampler.modes
        if modes is None:
            found: torch.Tensor = self.discriminator(x, None)[0]
            return found
        of_each = torch.full((len(x),), 0, device=x.device)
        logits = [self.discriminator(modes.within(x, of_each + k), of_each + k)[0] for k in range(modes.count)]
        return (torch.stack(logits, 1) * modes.posteriors(x)).sum(1)

    @property
    def label(self) -> str:
        return "D(x), probability of being real" if self.meaning == "probability" else "D(x), up to a constant"

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        """The optimal D where both densities are known; nan where neither law has any mass to speak of; None for a method whose optimum is
        another, and where p could not be estimated and is 0 everywhere."""
        nowhere = np.maximum(p, p_g) <= LEAST_DENSITY * max(p.max(), p_g.max())
        if nowhere.all() or not p.any():
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.meaning == "probability":
                best = p / (p + p_g)
            elif self.meaning == "relativistic":
                tiny = LEAST_DENSITY * p.max()
                best = np.log(np.maximum(p, tiny) / np.maximum(p_g, tiny))
            else:
                return None
        return np.where(nowhere, np.nan, best)


def on_the_line(made: Array, real: Array, law: Law | None, surface: Surface | None) -> list[Image]:
    """Densities, and D with its optimum below them, of numbers (N,)."""
    x = np.linspace(*reach(np.concatenate([made, real])), LINE_POINTS)
    p_g = estimated_density(made[:, None], x[:, None])
    known = law.density(x) if law is not None else None
    p = known if known is not None else estimated_density(real[:, None], x[:, None])
    figure = new_figure(6.4, 3.2)
    axes = figure.subplots()
    edges = np.linspace(x[0], x[-1], 81).tolist()
    axes.hist(made, edges, weights=each(made, edges), color=GENERATED, alpha=0.55, label="generated")
    if known is None:
        axes.hist(real, edges, weights=each(real, edges), histtype="step", color="black", label="real")
    else:
        axes.plot(x, known, color="black", linewidth=1.5, label="the law")
    axes.set_ylabel("density")
    axes.legend(frameon=False, fontsize=9)
    heights = [np.histogram(values, edges)[0] / len(values) for values in (made, real)]
    shared = float(np.minimum(*heights).sum())
    images = [finished(figure, f"Histogram of generated samples over the real density: their bars share {shared:.0%} of their area.")]
    if surface is None:
        return images
    figure = new_figure(6.4, 2.9)
    axes = figure.subplots()
    axes.plot(x, surface(x[:, None]), color="#2f6690", label="D")
    best = surface.optimum(p, p_g)
    if best is not None:
        shift = 0.0 if surface.meaning == "probability" else float(np.nanmean(best) - np.mean(surface(x[:, None])[~np.isnan(best)]))
        axes.plot(x, best - shift, color="black", linestyle="--", linewidth=1.2, label="the optimal D for these samples")
    axes.set_ylabel(surface.label)
    axes.legend(frameon=False, fontsize=9)
    caption = "Where the two laws are equal the optimum is level: 1/2 everywhere, or a constant."
    beside = ", beside the optimal D for the samples as they are" if best is not None else ""
    return [*images, finished(figure, f"D along the line{beside}.", caption if best is not None else "")]


def on_the_plane(made: Array, real: Array, law: Law | None, surface: Surface | None) -> list[Image]:
    """Both clouds, and D's surface beside the optimal one, of points (N, 2)."""
    low, high = reach(np.concatenate([made, real]))
    figure = new_figure(8, 3.8)
    for axes, points, color, name in zip(figure.subplots(1, 2), (real, made), (REAL, GENERATED), ("real", "generated"), strict=True):
        axes.scatter(points[:SHOWN, 0], points[:SHOWN, 1], s=3, color=color, alpha=0.5, linewidths=0, rasterized=True)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect=aspect(high - low))
        axes.set_title(name, fontsize=10)
    images = [finished(figure, "Real samples on the left, generated ones on the right, on the same axes.")]
    if surface is None:
        return images
    sides = [np.linspace(low[i], high[i], PLANE_POINTS) for i in (0, 1)]
    grid = np.stack([part.ravel() for part in np.meshgrid(*sides)], 1)
    known = law.density(grid) if law is not None else None
    best = surface.optimum(known, estimated_density(made, grid)) if known is not None else None
    shown = {"D": surface(grid)} | ({} if best is None else {"the optimal D for these samples": best})
    figure = new_figure(4.4 * len(shown), 3.6)
    for axes, (name, values) in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown.items(), strict=True):
        highest = float(np.nanquantile(np.abs(values), 0.99)) or 1.0
        limits = (0, 1) if surface.meaning == "probability" else (-highest, highest)
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
    return [*images, finished(figure, f"{surface.label} over the plane{', beside the optimal D' if best is not None else ''}.")]


def latent_map(sampler: Sampler, seed: int) -> Image:
    """Where latents go: on the line each latent number against the sample, on the plane samples coloured by two latent numbers."""
    z, y = sampler.latents(SHOWN, seed)
    made, latents = sampler.of_latents(z, y), z.numpy()
    numbers = min(max(sampler.prior.dim, 1), LATENTS if made.shape[1] == 1 else 2)
    figure = new_figure(2.4 * numbers + 0.6 if made.shape[1] == 1 else 8, 2.9 if made.shape[1] == 1 else 3.6)
    panels = np.atleast_1d(figure.subplots(1, numbers, sharey=True))
    for i, axes in enumerate(panels):
        if made.shape[1] == 1:
            axes.scatter(latents[:, i], made[:, 0], s=2, color=GENERATED, alpha=0.4, linewidths=0, rasterized=True)
            axes.set_xlabel(f"latent z{i}")
        else:
            dots = axes.scatter(made[:, 0], made[:, 1], s=3, c=latents[:, i], cmap="viridis", linewidths=0, rasterized=True)
            axes.set_aspect(aspect(np.ptp(made, axis=0)))
            figure.colorbar(dots, ax=axes, label=f"latent z{i}", shrink=0.8)
    if made.shape[1] == 1:
        panels[0].set_ylabel("sample")
    return finished(figure, "How samples depend on latent numbers.", "What the generator does with each of its latent numbers.")


def estimated_density(samples: Array, at: Array) -> Array:
    """The density of samples, (N, D) with D 1 or 2, at points (M, D): a Gaussian kernel as wide as the median distance to a near neighbour,
    so that narrow modes far apart stay narrow. Zero where the samples do not vary."""
    some = torch.from_numpy(samples[:KERNEL_SAMPLES])
    middle = some.mean(0)
    unit = float((some - middle).abs().max()) or 1.0  # squares of very large or very small numbers are beyond a float
    some = ((some - middle) / unit).float()  # enough for a chart
    neighbour = max(len(some) // (LINE_SHARE if some.shape[1] == 1 else PLANE_SHARE), 1)
    width = float(kth_neighbour(some, neighbour).median())
    if width == 0:
        return np.zeros(len(at))
    places, narrow = ((torch.from_numpy(at) - middle) / unit).float(), -1 / (2 * width**2)
    means = torch.empty(len(places), dtype=torch.float64)
    for here in tiles(len(places), len(some)):
        means[here] = distances_of(places[here], some).square_().mul_(narrow).exp_().mean(1).double()
    density: Array = (means / (math.sqrt(2 * math.pi) * width * unit) ** some.shape[1]).numpy()
    return density
