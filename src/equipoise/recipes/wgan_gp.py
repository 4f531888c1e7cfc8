"""wgan-gp: a Wasserstein critic kept Lipschitz by a penalty on its gradient.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: "Improved Training of Wasserstein
GANs", NeurIPS 2017, eq. 3 and algorithm 1.

    L_D = mean D(x') - mean D(x) + lambda mean (|grad D(e x + (1 - e) x')| - 1)^2
    L_G = -mean D(x')

e is uniform, one for each pair; the norm is that of a whole sample's gradient. The
critic has no BatchNorm, which would make samples' gradients depend on each other. Adam
has the paper's betas, 0 and .9. The log has mean D(x) - mean D(x'), W1 of scaled
samples up to a factor that the penalty holds near 1 but does not fix.

`preset="paper"` is algorithm 1's for images (learning rate 1e-4, betas 0 and .9, lambda
10, five steps), with batches of 64, 128 normal latents and the DCGAN of the authors'
`gan_64x64.py`: 64 channels, 5 x 5 kernels, and layer normalisation in the critic where
DCGAN's D has BatchNorm. For points of two columns it is their `gan_toy.py`: batches of
256, beta1 .5, lambda .1, three layers of 512 units, ReLU in the critic too. What
differs: their initial weights are uniform with the same standard deviation, not normal,
and the networks of their best images are residual.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge
from equipoise.ranges import Around
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, POINT_LAYERS, Standard
from equipoise.recipes.method import CriticBatch, Losses, Method, Rates
from equipoise.recipes.output import Critic

if TYPE_CHECKING:
    from torch import Tensor, nn

    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class WGANGP(Standard):
    """Wasserstein critic with a gradient penalty."""

    name = "wgan-gp"
    summary = "Wasserstein critic with a gradient penalty: steady"
    paper = "Gulrajani et al. 2017, Improved Training of Wasserstein GANs"
    published_for = "images and points of two numbers"

    learning_rate: float = 1e-3
    """Adam's learning rate at the start (images: 2e-3; paper: 1e-4)."""
    learning_rate_end: float = 0.01
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant
    (images: 1, as in the paper: slower steps bring the critic nearer to its optimum, so
    that its estimate rises although samples do not get worse)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.9
    """Adam's second beta."""
    discriminator_steps: int = 5
    """Steps of the critic for every step of G (n_critic)."""
    penalty: Annotated[float, Ge(0), Around(10)] = 10.0
    """Weight lambda of the gradient penalty (points: 0.02; paper: 0.1 for toy data)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        return super().defaults(space) | (
            {"learning_rate": 2e-3, "learning_rate_end": 1.0}
            if space.is_image
            else {"penalty": 0.02}
        )

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        common = PLAIN | {
            "learning_rate": 1e-4,
            "beta2": 0.9,
            "discriminator_steps": 5,
            "latent": "normal",
        }
        if space.is_image:
            return common | {
                "batch_size": 64,
                "beta1": 0.0,
                "latent_dim": 128,
                "width": 64,
                "kernel_size": 5,
                "penalty": 10.0,
            }
        if space.is_points and space.size == 2:
            return common | {
                "batch_size": 256,
                "beta1": 0.5,
                "latent_dim": 2,
                "width": 512,
                "penalty": 0.1,
            }
        return None

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses, penalties

        networks = self.networks(space)
        if self.preset == "paper":
            networks = networks._replace(discriminator=self._published_critic(space))

        def penalty(batch: CriticBatch) -> dict[str, Tensor]:
            points = penalties.between(batch.real, batch.fake, batch.randomness)
            return {
                "gradient_penalty": penalties.norm_penalties(
                    batch.discriminate(points), points
                ).mean()
            }

        return self.method(
            networks,
            Losses(losses.wasserstein_critic, lambda _, fake: losses.wasserstein_generator(fake)),
            Critic(),
            penalty=penalty,
            penalty_at="elsewhere",
        )

    def _published_critic(self, space: NetworkSpace) -> nn.Module:
        """The critic of the authors' `gan_64x64.py`, with layer normalisation, or of
        their `gan_toy.py`."""
        from equipoise.networks.conditioning import Discriminator
        from equipoise.networks.dcgan import DCTrunk, init_weights
        from equipoise.networks.mlp import mlp

        if not space.is_image:
            sizes = [space.size, *[self.width] * POINT_LAYERS]
            return Discriminator(mlp(sizes, ["relu"] * POINT_LAYERS), self.width, space.classes)
        trunk = DCTrunk(
            space.shape, self.width, True, self.kernel_size, self.dense_units, over="sample"
        )
        return Discriminator(trunk, trunk.features, space.classes).apply(init_weights)

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        return replace(super().schedule(progress, samples_seen), penalty=self.penalty)
