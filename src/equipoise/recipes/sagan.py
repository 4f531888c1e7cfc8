"""sagan: self-attention in both networks, so that distant parts of an image agree.

Zhang, Goodfellow, Metaxas, Odena: "Self-Attention Generative Adversarial Networks",
ICML 2019, eqs. 1 to 4.

    L_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(x'))
    L_G = -mean D(x')
    y_j = gamma v(sum_i beta_ji h(x_i)) + x_j,   beta_ji = softmax_i (f(x_i) . g(x_j))

Spectral normalisation in both networks, two time-scales (D's learning rate is four
times G's, one step each), Adam with betas 0 and .9. With labels G has conditional
BatchNorm and D a projection. The networks are `networks.sagan`'s: residual, with
attention on the grid of a quarter of the image's sides, as the paper's 32 x 32 at 128
pixels, or of half of them below 64 pixels.

What differs: networks are sized for a CPU (`width` is 32, the paper's 64), and the
learning rates, 2.5e-4 and 1e-3, are those of few epochs; the paper's are 1e-4 and 4e-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import Standard
from equipoise.recipes.method import Losses, Method, Networks
from equipoise.recipes.output import Score

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class SAGAN(Standard):
    """Self-attention and spectral normalisation in both networks."""

    name = "sagan"
    summary = "self-attention and spectral normalisation in both networks"
    paper = "Zhang et al. 2019, Self-Attention Generative Adversarial Networks"
    images_only = True

    learning_rate: float = 2.5e-4
    """G's learning rate at the start."""
    discriminator_rate: float = 4.0
    """D's learning rate divided by G's (two time-scales: Heusel et al. 2017)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.9
    """Adam's second beta."""

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses
        from equipoise.networks.conditioning import Discriminator
        from equipoise.networks.latents import Prior
        from equipoise.networks.sagan import AttentionGenerator, AttentionTrunk
        from equipoise.networks.spectral import spectrally_normalised

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        generator = AttentionGenerator(prior.width, space.shape, self.width, classes)
        trunk = AttentionTrunk(space.shape, self.width)
        discriminator = Discriminator(trunk, trunk.features, classes)
        return self.method(
            Networks(spectrally_normalised(generator), spectrally_normalised(discriminator), prior),
            Losses(losses.hinge_discriminator, lambda _, fake: losses.wasserstein_generator(fake)),
            Score(),
        )
