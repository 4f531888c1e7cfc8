"""What the two players do at this moment: the samples, D over the data's space beside
the best D, and the pull that D has on samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.report.surfaces import Surface
from equipoise.runtime.process import torch_settings
from equipoise.sampling.evaluation_mode import evaluating
from equipoise.sampling.sampler import EVALUATION_SEED
from equipoise.studio.learn.scene import MIN_MASS, Scene
from equipoise.studio.learn.simulation import Simulation

Array = NDArray[np.float64]
NUDGE = 0.05  # by which samples are moved to find the pull in the data's units


@dataclass(frozen=True)
class Moment:
    """The players between two steps."""

    samples: Array
    """Of the averaged generator, always for the same latents, (N, dimension)."""
    density: Array
    """Of the samples, in the cells of the scene."""
    surface: Array | None
    """D in the cells, on the scale of its recipe; None for a D of whole batches."""
    optimum: Array | None
    """The best D for these samples, nan where there are none; None where the theory
    gives none."""
    pulls: Array
    """For the first samples where G's loss pulls them, in the data's units: as long as
    the gradient, (M, dimension)."""
    pull: float
    """The mean length of that gradient, as networks see the data."""

    @property
    def gap(self) -> float | None:
        """The mean difference of D and the best D where there are samples of either
        kind; None without a best D."""
        if self.surface is None or self.optimum is None:
            return None
        known = ~np.isnan(self.optimum)
        return float(np.abs(self.surface - self.optimum)[known].mean()) if known.any() else None


class Players:
    """Looks at the players of one simulation.

    Args:
        simulation: The training.
        scene: Of its data.
    """

    def __init__(self, simulation: Simulation, scene: Scene) -> None:
        self.simulation, self.scene = simulation, scene
        sampler = simulation.sampler
        self.z, self.y = sampler.latents(scene.samples, EVALUATION_SEED)
        recipe = simulation.recipe
        self.is_drawable = (
            recipe.packing == 1 and getattr(recipe, "discriminator_sees", "sample") == "sample"
        )
        self._real = self._encoded(scene.real[: recipe.batch_size])

    def _encoded(self, real: Array) -> tuple[Tensor, Tensor | None]:
        """Real samples as networks see them, and their classes."""
        transform = self.simulation.sampler.transform
        x = transform.encode_once(torch.from_numpy(real))
        return transform.encode_batch(x, None, torch.Generator().manual_seed(0))

    @torch_settings(threads=1)
    def look(self) -> Moment:
        """What there is to see now."""
        scene, state = self.scene, self.simulation.state
        samples = self.simulation.sampler.decode_latents(self.z, self.y)
        density = scene.density_of(samples)
        surface = optimum = None
        if self.is_drawable:
            # A D that is very sure has logits whose exponential is infinite.
            with np.errstate(over="ignore"):
                of_d = Surface(state.discriminator, self.simulation.sampler, state.method.output)
                surface = of_d(scene.points)
                optimum = self._optimum(of_d, density)
            surface, optimum = self._aligned(surface, optimum, density)
        pulls, pull = self._pulls()
        return Moment(samples, density, surface, optimum, pulls, pull)

    def _optimum(self, surface: Surface, density: Array) -> Array | None:
        """The best D, where there are enough samples to know it."""
        best = surface.optimum(self.scene.blurred, density)
        if best is None:
            return None
        mass = np.maximum(self.scene.blurred, density)
        return np.where(mass <= MIN_MASS * mass.max(), np.nan, best)

    def _aligned(
        self, surface: Array, optimum: Array | None, density: Array
    ) -> tuple[Array, Array | None]:
        """Both about their mean on real and generated samples, of a D that is only
        known up to a constant."""
        if not self.simulation.state.method.output.up_to_constant:
            return surface, optimum
        weights = self.scene.blurred + density
        moved = surface - (surface * weights).sum() / weights.sum()
        if optimum is None:
            return moved, None
        known = ~np.isnan(optimum)
        middle = (optimum[known] * weights[known]).sum() / max(weights[known].sum(), 1e-300)
        return moved, optimum - middle

    @torch.enable_grad()
    def _pulls(self) -> tuple[Array, float]:
        """The descent direction of G's loss at the first samples."""
        state, method = self.simulation.state, self.simulation.state.method
        n, pack = len(self._real[0]), method.packing
        z, y = self.z[:n], None if self.y is None else self.y[:n]
        with torch.no_grad():
            x = state.ema(z, y)
        x = x.detach().requires_grad_()
        with evaluating(state.discriminator):
            real, _ = state.discriminator(pack.join(self._real[0]), pack.join_classes(y))
            fake, _ = state.discriminator(pack.join(x), pack.join_classes(y))
        loss = method.generator_loss(real.detach(), fake)
        (gradient,) = torch.autograd.grad(loss, x)
        down = -gradient * n
        longest = float(down.norm(dim=1).max()) or 1.0
        decode = self.simulation.sampler.transform.decode
        with torch.no_grad():
            moved = decode(x + down * (NUDGE / longest), y) - decode(x, y)
        return (moved * (longest / NUDGE)).numpy(), float(down.norm(dim=1).mean())
