"""cgan: both networks are conditioned on the class.

Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, eq. 2.

    min_G max_D  E log D(x | y) + E log(1 - D(G(z | y) | y))

The class joins G's latent as a one-hot vector. D gets it beside the sample
(`concatenation`, as in the paper), or as <V y, h(x)> added to its logit (`projection`:
Miyato, Koyama: "cGANs with Projection Discriminator", ICLR 2018, eq. 5). Projection is
the default: it follows from the form of log p(y | x) and separates classes better. The
networks are MLPs for points, DCGAN's for images.

`preset="paper"` is section 4.1's for MNIST, for grey images: SGD with a learning rate
of .1 and momentum .5 on batches of 100, 100 uniform latents. G maps these to 200 ReLUs
and the class to 1,000, then both to 1,200; D maps the sample to 240 maxout units of 5
pieces and the class to 50, then both to 240 of 4 pieces; half of all hidden units are
dropped in training. What differs: there the learning rate falls by a factor of 1.00004
with each batch, to 1e-6, and the momentum rises to .7; latents are on [0, 1], here on
[-1, 1]; data is on [0, 1] and G ends in a sigmoid, here in a tanh on [-1, 1]. The paper
gives no initial weights: they are those of the authors' code for `classic`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy
from equipoise.recipes.method import Method, Networks

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace

# Section 4.1: pieces of the first maxout units and of the last, and the fraction of
# hidden units that is dropped.
PIECES, LAST_PIECES = 5, 4
DROPOUT = 0.5


@register
@dataclass(frozen=True, kw_only=True)
class CGAN(CrossEntropy):
    """Both networks are conditioned on the class: sample(n, label=k)."""

    name = "cgan"
    summary = "both networks are conditioned on the class: needs labels"
    paper = "Mirza & Osindero 2014, Conditional Generative Adversarial Nets"
    norm = "batch"
    needs_labels = True
    published_for = "grey images"

    conditioning: Literal["projection", "concatenation"] = "projection"
    """How D gets the class: by an inner product with its features, or as further inputs
    beside the sample (paper: concatenation)."""

    @property
    def has_dcgan_networks(self) -> bool:
        return self.preset == "sized"

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image or space.shape[0] != 1:
            return None
        return PLAIN | {
            "batch_size": 100,
            "optimizer": "sgd",
            "learning_rate": 0.1,
            "latent": "uniform",
            "latent_dim": 100,
            "width": 1200,
            "real_label": 1.0,
            "generator_loss": "non-saturating",
            "conditioning": "concatenation",
        }

    def build(self, space: NetworkSpace) -> Method:
        if space.is_image and self.preset == "paper":
            return self.method(self._published_networks(space), self.losses())
        networks = self.networks(space, conditioning=self.conditioning)
        return self.method(networks, self.losses())

    def _published_networks(self, space: NetworkSpace) -> Networks:
        """The networks of section 4.1, in which all layers grow with `width`."""
        from torch import nn

        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.latents import Prior
        from equipoise.networks.maxout import Joined, init_uniform, maxout_layers
        from equipoise.networks.mlp import Dropout, Shaped, mlp

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        units = {part: max(self.width // part, 1) for part in (1, 5, 6, 24)}
        of_noise = units[6]
        of_class = units[1] - of_noise
        body = Joined(
            mlp([prior.width, of_noise], ["relu"]),
            mlp([classes, of_class], ["relu"]),
            nn.Sequential(
                Dropout(DROPOUT),
                mlp([units[1], units[1], space.size], ["relu", "tanh"], DROPOUT),
            ),
            prior.width,
        )
        of_sample = maxout_layers([space.size, units[5]], PIECES, [0, DROPOUT])
        if self.conditioning == "projection":
            last = maxout_layers([units[5], units[5]], LAST_PIECES, [0, DROPOUT])
            trunk: nn.Module = Shaped(nn.Sequential(of_sample, last))
        else:
            trunk = Joined(
                of_sample,
                maxout_layers([classes, units[24]], PIECES, [0, DROPOUT]),
                maxout_layers([units[5] + units[24], units[5]], LAST_PIECES, [0, DROPOUT]),
                space.size,
                planes=True,
            )
        discriminator = Discriminator(trunk, units[5], classes, self.conditioning)
        init_uniform(body, discriminator)
        return Networks(Generator(Shaped(body, space.shape), classes), discriminator, prior)
