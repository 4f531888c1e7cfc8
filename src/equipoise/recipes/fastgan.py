"""fastgan: for few images. A light G with skip-layer excitation, and a D that also has
to reconstruct the real images from its features.

Liu, Zhu, Song, Elgammal: "Towards Faster and Stabilized GAN Training for High-fidelity
Few-shot Image Synthesis", ICLR 2021, section 3.

    L_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(x')) + lambda L_recons
    L_G = -mean D(x')
    L_recons = mean |decoder(f2) - halved(x)| + mean |decoder(crop(f1)) - crop(x)|

f1 and f2 are D's two coarsest feature maps of a real image x, each with a simple
decoder of its own. The decoder of f1 sees a random crop of it, and reconstructs the
same part of the image. Reconstructing makes D keep what an image is of, so that few
images do not overfit it. D sees images changed by DiffAugment.

What differs from the paper and the authors' code, and why:

- the error of a reconstruction is the mean absolute difference of pixels. The paper has
  LPIPS, which needs a trained network's weights;
- Adam's learning rate is 1e-3, which gets further in few epochs than the authors' 2e-4
  (benchmarks/EXPERIMENTS.md); beta1 is theirs, .5. `preset="paper"` has their
  `train.py`: 2e-4, constant, batches of 8, 256 latents, an EMA of .999 for each step,
  which is a half-life of 5,542 images, and the channels of their `models.py`, at 256
  pixels 1,024 to 32 in G, 512 to 32 in D;
- networks are sized by rule from the image's side: grids from 4 x 4, channels from
  `width`. At 256 pixels the excitations are the paper's;
- the hinge is at 1, in their code at a random number from .8 to 1. A crop is anywhere,
  there one of the four quarters, the same for all images;
- on grey images G has a dense layer between the latents and its coarsest grid
  (benchmarks/EXPERIMENTS.md, "Dense layers in other networks");
- D has one logit of the coarsest grid. The authors have one for each of 5 x 5 patches
  at 256 pixels, which a 4 x 4 grid has no room for;
- the authors' code adds noise inputs to G, excitations and a second resolution to D,
  and spectral normalisation, none of which the paper has. In front of BatchNorm
  spectral normalisation is without effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge
from equipoise.ranges import Around
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, Standard, is_grey
from equipoise.recipes.method import AuxOutputs, Losses, Method, Networks
from equipoise.recipes.output import Score

if TYPE_CHECKING:
    from torch import Tensor

    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class FastGAN(Standard):
    """Skip-layer excitation, and a D that reconstructs: for few images."""

    name = "fastgan"
    summary = "skip-layer excitation, and a D that reconstructs images: for few images"
    paper = (
        "Liu et al. 2021, Towards Faster and Stabilized GAN Training for High-fidelity "
        "Few-shot Image Synthesis"
    )
    dcgan_networks = False
    images_only = True
    published_for = "images"
    one_at_a_time = "reconstructs each image"

    learning_rate: float = 1e-3
    """Adam's learning rate at the start (paper: 2e-4)."""
    reconstruction: Annotated[float, Ge(0), Around(10)] = 1.0
    """Weight lambda of the reconstruction error in D's loss."""
    augment: str = "color,translation"
    """Random changes of all images that D sees (DiffAugment, Zhao et al. 2020): color,
    translation, cutout, or several with commas between. none: no changes."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        return super().defaults(space) | ({"width": 16} if is_grey(space) else {})

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        return PLAIN | {
            "batch_size": 8,
            "learning_rate": 2e-4,
            "ema_half_life": 5_542,
            "latent": "normal",
            "latent_dim": 256,
            "width": 64,
            "reconstruction": 1.0,
            "augment": "color,translation",
            "augment_probability": 1.0,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses
        from equipoise.networks.conditioning import Generator
        from equipoise.networks.fastgan import FastDiscriminator, FastGenerator
        from equipoise.networks.latents import Prior

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        paper = self.preset == "paper"
        body = FastGenerator(
            prior.width + classes, space.shape, self.width, self.dense_units, published=paper
        )
        discriminator = FastDiscriminator(space.shape, self.width, classes, published=paper)

        def reconstruct(aux: AuxOutputs) -> tuple[Tensor, dict[str, Tensor]]:
            if aux.real is None:  # G's step
                return aux.fake.new_zeros(()), {}
            error = discriminator.reconstruction_errors(aux.real, aux.randomness).mean()
            return self.reconstruction * error, {"reconstruction_error": error}

        return self.method(
            Networks(Generator(body, classes), discriminator, prior),
            Losses(losses.hinge_discriminator, lambda _, fake: losses.wasserstein_generator(fake)),
            Score(),
            auxiliary=reconstruct,
            auxiliary_draws=True,
        )
