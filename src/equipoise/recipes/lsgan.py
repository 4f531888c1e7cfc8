"""lsgan: least squares instead of cross-entropy, so that samples on the right side of
D's boundary but far from the data still have gradients.

Mao, Li, Xie, Lau, Wang, Smolley: "Least Squares Generative Adversarial Networks", ICCV
2017, eq. 2.

    L_D = mean (D(x) - b)^2 / 2 + mean (D(x') - a)^2 / 2
    L_G = mean (D(x') - c)^2 / 2

a = 0, b = c = 1 is the paper's eq. 9, which it trains with; a = -1, b = 1, c = 0 its
eq. 8, which minimises Pearson's chi-squared divergence.

`preset="paper"` is section 4.1's for scenes of 112 x 112 pixels, as in the authors'
`train_lsun.py` and `vgg.py`: batches of 64, Adam with learning rate 1e-3 and beta1 .5,
1,024 uniform latents, D of 64 to 512 channels with 5 x 5 kernels, G of 256 to 64
channels with 3 x 3 kernels (`networks.published`). The paper's figure has 5 x 5 ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, Standard
from equipoise.recipes.method import Losses, Method
from equipoise.recipes.output import Score

if TYPE_CHECKING:
    from torch import nn

    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class LSGAN(Standard):
    """Least squares in place of cross-entropy."""

    name = "lsgan"
    summary = "least squares in place of cross-entropy"
    paper = "Mao et al. 2017, Least Squares Generative Adversarial Networks"
    norm = "batch"

    published_for = "images"

    a: float = 0.0
    """D's target for generated samples."""
    b: float = 1.0
    """D's target for real samples. Below 1 it acts as label smoothing."""
    c: float = 1.0
    """G's target for D on generated samples."""

    def conflicts(self) -> list[str]:
        same = f"a = {self.a} and b = {self.b}: must differ"
        return [*super().conflicts(), *([same] if self.a == self.b else [])]

    @property
    def has_dense_layers(self) -> bool:
        return self.preset == "sized"

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image:
            return None
        return PLAIN | {
            "batch_size": 64,
            "learning_rate": 1e-3,
            "latent": "uniform",
            "latent_dim": 1024,
            "width": 64,
            "kernel_size": 5,
            "a": 0.0,
            "b": 1.0,
            "c": 1.0,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses

        networks = self.networks(space)
        if space.is_image and self.preset == "paper":
            networks = networks._replace(generator=self._published_generator(space))
        return self.method(
            networks,
            Losses(
                lambda real, fake: losses.least_squares_discriminator(real, fake, self.a, self.b),
                lambda _, fake: losses.least_squares_generator(fake, self.c),
            ),
            Score(threshold=(self.a + self.b) / 2),
        )

    def _published_generator(self, space: NetworkSpace) -> nn.Module:
        """G of the authors' `vgg.py`."""
        from equipoise.networks.conditioning import Generator
        from equipoise.networks.published import DoubledGenerator

        body = DoubledGenerator(self.latent_dim + space.classes, space.shape, self.width)
        return Generator(body, space.classes)
