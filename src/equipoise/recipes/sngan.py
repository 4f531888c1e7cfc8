"""sngan: every layer of D divided by its largest singular value, so that D is Lipschitz
with constant 1, and the hinge loss.

Miyato, Kataoka, Koyama, Yoshida: "Spectral Normalization for Generative Adversarial
Networks", ICLR 2018, eqs. 8, 16 and 17.

    L_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(x'))
    L_G = -mean D(x')
    W_SN = W / sigma(W)

sigma(W) comes from one power iteration a pass (torch's own parametrization). One step
of D for one of G, Adam. The paper's best on CIFAR-10 had learning rate 2e-4 and beta1
.5; on few epochs a CPU gets further with 1e-3 and 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Gt
from equipoise.ranges import Around
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import Standard
from equipoise.recipes.method import Losses, Method
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

    beta1: float = 0.0
    """Adam's first beta: momentum."""
    lipschitz: Annotated[float, Gt(0), Around(4)] = 1.0
    """D's Lipschitz constant: the factor on its normalised output (points: 16, to
    follow narrow modes)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        return super().defaults(space) | ({} if space.is_image else {"lipschitz": 16.0})

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses

        return self.method(
            self.networks(space, norm="spectral", scale=self.lipschitz),
            Losses(losses.hinge_discriminator, lambda _, fake: losses.wasserstein_generator(fake)),
            Score(),
        )
