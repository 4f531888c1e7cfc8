"""sngan: every layer of D divided by its largest singular value, so that D is Lipschitz
with a constant of choice, and the hinge loss.

Miyato, Kataoka, Koyama, Yoshida: "Spectral Normalization for Generative Adversarial
Networks", ICLR 2018, eqs. 8, 16 and 17.

    L_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(x'))
    L_G = -mean D(x')
    W_SN = W / sigma(W)

sigma(W) comes from one power iteration a pass (torch's own parametrization). One step
of D for one of G, Adam. The paper's best on CIFAR-10 had learning rate 2e-4 and beta1
.5; on few epochs of grey images a CPU gets further with 2e-3 and 0, and with a
Lipschitz constant of 4.

`preset="paper"` is table 1's setting C (learning rate 2e-4, betas .5 and .999, one step
of D) with the standard CNN of table 3 (`networks.sngan`), 128 normal latents and
batches of 64. The paper has it for 32 and 48 pixels a side. What differs: the paper
trains it with the non-saturating loss of 2014 first, and with the hinge loss as well;
here it has the hinge loss. The paper gives no initial weights: they are DCGAN's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Gt
from equipoise.ranges import Around
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, Standard, is_grey
from equipoise.recipes.method import Losses, Method, Networks
from equipoise.recipes.output import Score

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class SNGAN(Standard):
    """Spectral normalisation of D and the hinge loss."""

    name = "sngan"
    summary = "spectral normalisation of D and the hinge loss"
    paper = "Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks"
    norm = "spectral"

    published_for = "images"

    beta1: float = 0.0
    """Adam's first beta: momentum."""
    lipschitz: Annotated[float, Gt(0), Around(4)] = 1.0
    """D's Lipschitz constant: the factor on its normalised output (images, grey: 4;
    points: 16, to follow narrow modes; paper: 1)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        return super().defaults(space) | {
            "lipschitz": 4.0 if is_grey(space) else 1.0 if space.is_image else 16.0
        }

    @property
    def has_dcgan_networks(self) -> bool:
        return self.preset == "sized"

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image:
            return None
        return PLAIN | {
            "batch_size": 64,
            "learning_rate": 2e-4,
            "latent": "normal",
            "latent_dim": 128,
            "width": 64,
            "lipschitz": 1.0,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses

        standard = space.is_image and self.preset == "paper"
        return self.method(
            self._standard_cnn(space) if standard else self.networks(space, scale=self.lipschitz),
            Losses(losses.hinge_discriminator, lambda _, fake: losses.wasserstein_generator(fake)),
            Score(),
        )

    def _standard_cnn(self, space: NetworkSpace) -> Networks:
        """The networks of the paper's table 3."""
        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.dcgan import init_weights
        from equipoise.networks.latents import Prior
        from equipoise.networks.sngan import StandardGenerator, StandardTrunk
        from equipoise.networks.spectral import spectrally_normalised

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        body = StandardGenerator(prior.width + classes, space.shape, self.width)
        trunk = StandardTrunk(space.shape, self.width)
        discriminator = Discriminator(trunk, trunk.features, classes, scale=self.lipschitz)
        discriminator.apply(init_weights)
        return Networks(Generator(body, classes), spectrally_normalised(discriminator), prior)
