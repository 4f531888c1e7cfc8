"""sagan: self-attention in both networks, so that distant parts of an image agree.

Zhang, Goodfellow, Metaxas, Odena: "Self-Attention Generative Adversarial Networks",
ICML 2019, eqs. 1 to 4.

    L_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(x'))
    L_G = -mean D(x')
    y_j = gamma v(sum_i beta_ji h(x_i)) + x_j,   beta_ji = softmax_i (f(x_i) . g(x_j))

Spectral normalisation in both networks, two time-scales (D's learning rate is four
times G's in the paper, one step each), Adam with betas 0 and .9. With labels G has
conditional BatchNorm and D a projection. The networks are `networks.sagan`'s: residual,
with attention on the grid of a quarter of the image's sides, as the paper's 32 x 32 at
128 pixels, or of half of them below 64 pixels.

By default networks are sized for a CPU, and learning rates are those of few epochs. On
grey images both are 2e-3, and G has a dense layer between the latents and its coarsest
grid. On MNIST each of these helps (benchmarks/EXPERIMENTS.md, "Dense layers in other
networks"). `preset="paper"` is section 4's for ImageNet at 128 pixels: learning rates
1e-4 and 4e-4, batches of 256, 128 normal latents, and the channels of the authors'
`generator.py` and `discriminator.py`, from 64 on, in D's blocks as many inside as at
their end, by default half of them. The paper learns classes, which `conditional`
switches on. beta2 is the paper's; their code leaves it at .999.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import GREY_RATE, PLAIN, Standard, is_grey
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
    dcgan_networks = False
    images_only = True
    published_for = "images"

    learning_rate: float = 2.5e-4
    """G's learning rate at the start (grey images: 2e-3)."""
    discriminator_rate: float = 4.0
    """D's learning rate divided by G's (two time-scales: Heusel et al. 2017; grey
    images: 1.0)."""
    beta1: float = 0.0
    """Adam's first beta: momentum."""
    beta2: float = 0.9
    """Adam's second beta."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        grey = {"learning_rate": GREY_RATE, "discriminator_rate": 1.0, "width": 16}
        return super().defaults(space) | (grey if is_grey(space) else {})

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        return PLAIN | {
            "batch_size": 256,
            "learning_rate": 1e-4,
            "discriminator_rate": 4.0,
            "beta1": 0.0,
            "beta2": 0.9,
            "latent": "normal",
            "latent_dim": 128,
            "width": 64,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses
        from equipoise.networks.conditioning import Discriminator
        from equipoise.networks.dcgan import MAX_WIDENING
        from equipoise.networks.latents import Prior
        from equipoise.networks.sagan import AttentionGenerator, AttentionTrunk
        from equipoise.networks.spectral import spectrally_normalised

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        paper = self.preset == "paper"
        generator = AttentionGenerator(
            prior.width,
            space.shape,
            2 * self.width if paper else self.width,
            classes,
            MAX_WIDENING * self.width if paper else None,
            self.dense_units,
        )
        trunk = AttentionTrunk(space.shape, self.width, wide=paper)
        discriminator = Discriminator(trunk, trunk.features, classes)
        return self.method(
            Networks(spectrally_normalised(generator), spectrally_normalised(discriminator), prior),
            Losses(losses.hinge_discriminator, lambda _, fake: losses.wasserstein_generator(fake)),
            Score(),
        )
