"""pacgan: D sees several samples at once, and so notices a lack of variety.

Lin, Khetan, Fanti, Oh: "PacGAN: The power of two samples in generative adversarial
networks", NeurIPS 2018, section 2.

    L_D = -mean log D(x_1, ..., x_m) - mean log(1 - D(x'_1, ..., x'_m))
    L_G = -mean log D(x'_1, ..., x'_m)

Any GAN can be packed (`networks.packing`), and any recipe here by its field `packing`.
This is the paper's own: the original loss, and D with m = 2, which the paper calls
PacGAN2 (its tables go up to 4). The product of m distributions is told from that of m
others more easily where modes are missing (section 3), so G is pushed away from mode
collapse.

For images the networks and Adam's settings are those of `dcgan`, as the paper's
experiments on stacked MNIST have DCGAN's. For points they are the MLPs and the settings
that the other recipes of their time have (`recipes.dcgan_family`), so that packing is
all that differs.

`preset="paper"` for points of two columns is the authors' `2DGrid_GAN&PacGAN`: G of
four layers of 400 ReLUs with BatchNorm on two normal latents, D of three layers of 200
maxout units of 5 pieces, weights from N(0, .02), Adam with a learning rate of 1e-4 and
beta1 .8, batches of 100 packs. For images it is their `VEEGAN_experiment` on stacked
MNIST: DCGAN with 64 channels and 5 x 5 kernels, 100 uniform latents, a learning rate of
2e-4 and beta1 .5, batches of 64 packs. What differs: there G has two steps for one of
D, data is on [0, 1] although G ends in a tanh, and images of 28 pixels a side are
halved four times, here twice; points are not scaled, and of them G and D step at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy
from equipoise.recipes.method import Method, Networks

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace

# The authors' networks for points: pieces of a maxout unit, units of G for each of D,
# the layers of both, and the standard deviation of initial weights.
PIECES, UNITS_RATIO = 5, 2
GENERATOR_LAYERS, DISCRIMINATOR_LAYERS = 4, 3
INITIAL_STD = 0.02


@register
@dataclass(frozen=True, kw_only=True)
class PacGAN(CrossEntropy):
    """The original loss, with a D that sees two samples at once."""

    name = "pacgan"
    summary = "D sees two samples at once and notices a lack of variety"
    paper = "Lin et al. 2018, PacGAN: The power of two samples in generative adversarial networks"
    norm = "batch"
    color_rate = 2e-4
    published_for = "images and points of two numbers"

    packing: int = 2
    """Samples that D sees at once, all real or all generated (paper: 2 to 4)."""

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        common = PLAIN | {"packing": 2, "real_label": 1.0}
        if space.is_image:
            return common | {
                "batch_size": 128,
                "learning_rate": 2e-4,
                "latent": "uniform",
                "latent_dim": 100,
                "width": 64,
                "kernel_size": 5,
            }
        if space.is_points and space.size == 2:
            return common | {
                "batch_size": 200,
                "learning_rate": 1e-4,
                "beta1": 0.8,
                "latent": "normal",
                "latent_dim": 2,
                "width": 400,
            }
        return None

    def build(self, space: NetworkSpace) -> Method:
        if not space.is_image and self.preset == "paper":
            return self.method(self._published_networks(space), self.losses())
        return self.method(self.networks(space), self.losses())

    def _published_networks(self, space: NetworkSpace) -> Networks:
        """The authors' networks for points."""
        from torch import nn

        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.latents import Prior
        from equipoise.networks.maxout import init_dense, maxout_layers, normed_layers
        from equipoise.networks.mlp import Shaped

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        body = normed_layers([prior.width + classes, *[self.width] * GENERATOR_LAYERS, space.size])
        units = max(self.width // UNITS_RATIO, 1)
        trunk = maxout_layers(
            [space.size, *[units] * DISCRIMINATOR_LAYERS],
            PIECES,
            [0.0] * (DISCRIMINATOR_LAYERS + 1),
        )
        discriminator = Discriminator(trunk, units, classes)
        for network in (body, discriminator):
            init_dense(network, lambda weight: nn.init.normal_(weight, std=INITIAL_STD))
        return Networks(Generator(Shaped(body, space.shape), classes), discriminator, prior)
