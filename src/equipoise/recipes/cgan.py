"""cgan: both networks are conditioned on the class.

Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, eq. 2.

    min_G max_D  E log D(x | y) + E log(1 - D(G(z | y) | y))

The class joins G's latent as a one-hot vector. D gets it beside the sample
(`concatenation`, as in the paper), or as <V y, h(x)> added to its logit (`projection`:
Miyato, Koyama: "cGANs with Projection Discriminator", ICLR 2018, eq. 5). Projection is
the default: it follows from the form of log p(y | x) and separates classes better. The
networks are MLPs for points, DCGAN's for images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import CrossEntropy
from equipoise.recipes.method import Method

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class CGAN(CrossEntropy):
    """Both networks are conditioned on the class: sample(n, label=k)."""

    name = "cgan"
    summary = "both networks are conditioned on the class: needs labels"
    paper = "Mirza & Osindero 2014, Conditional Generative Adversarial Nets"
    needs_labels = True

    conditioning: Literal["projection", "concatenation"] = "projection"
    """How D gets the class: by an inner product with its features, or as further inputs
    beside the sample."""

    def build(self, space: NetworkSpace) -> Method:
        networks = self.networks(space, norm="batch", conditioning=self.conditioning)
        return self.method(networks, self.losses())
