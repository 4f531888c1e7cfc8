"""wgan-gp: a Wasserstein critic kept Lipschitz by a penalty on its gradient.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: "Improved Training of Wasserstein
GANs", NeurIPS 2017, eq. 3 and algorithm 1.

    L_D = mean D(x') - mean D(x) + lambda mean (|grad D(e x + (1 - e) x')| - 1)^2
    L_G = -mean D(x')

e is uniform, one for each pair; the norm is that of a whole sample's gradient. The
critic has no BatchNorm, which would make samples' gradients depend on each other. Adam
has the paper's betas, 0 and .9. On images two steps of the critic for one of G, with a
higher learning rate, get further in a CPU's minutes than the paper's five
(benchmarks/EXPERIMENTS.md). The log has mean D(x) - mean D(x'), W1 of scaled samples up
to a factor that the penalty holds near 1 but does not fix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge
from equipoise.ranges import Around
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import Standard
from equipoise.recipes.method import CriticBatch, Losses, Method, Rates
from equipoise.recipes.output import Critic

if TYPE_CHECKING:
    from torch import Tensor

    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class WGANGP(Standard):
    """Wasserstein critic with a gradient penalty."""

    name = "wgan-gp"
    summary = "Wasserstein critic with a gradient penalty: steady"
    paper = "Gulrajani et al. 2017, Improved Training of Wasserstein GANs"

    learning_rate: float = 1e-3
    """Adam's learning rate at the start (images: 2e-3; paper: 1e-4)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.9
    """Adam's second beta."""
    discriminator_steps: int = 5
    """Steps of the critic for every step of G (n_critic) (images: 2; paper: 5)."""
    penalty: Annotated[float, Ge(0), Around(10)] = 10.0
    """Weight lambda of the gradient penalty (points: 0.02; paper: 0.1 for toy data)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        return super().defaults(space) | (
            {"learning_rate": 2e-3, "discriminator_steps": 2}
            if space.is_image
            else {"penalty": 0.02}
        )

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses, penalties

        def penalty(batch: CriticBatch) -> dict[str, Tensor]:
            points = penalties.between(batch.real, batch.fake, batch.randomness)
            return {
                "gradient_penalty": penalties.norm_penalties(
                    batch.discriminate(points), points
                ).mean()
            }

        return self.method(
            self.networks(space),
            Losses(losses.wasserstein_critic, lambda _, fake: losses.wasserstein_generator(fake)),
            Critic(),
            penalty=penalty,
            penalty_at="elsewhere",
        )

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        return replace(super().schedule(progress, samples_seen), penalty=self.penalty)
