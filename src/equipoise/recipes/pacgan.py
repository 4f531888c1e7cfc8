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

For images the networks and Adam's settings are DCGAN's, as in the paper's experiments
on stacked MNIST. For points the paper has G of four layers of 400 units with BatchNorm,
D of three layers of 200 maxout units, and Adam with a learning rate of 1e-4 and beta1
of .8; here they are the MLPs and the settings that the other recipes of their time have
(`recipes.dcgan_family`), so that packing is all that differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import CrossEntropy
from equipoise.recipes.method import Method

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class PacGAN(CrossEntropy):
    """The original loss, with a D that sees two samples at once."""

    name = "pacgan"
    summary = "D sees two samples at once and notices a lack of variety"
    paper = "Lin et al. 2018, PacGAN: The power of two samples in generative adversarial networks"

    learning_rate: float = 1e-3
    """Adam's learning rate at the start (images: 2e-4, as in the paper)."""
    packing: int = 2
    """Samples that D sees at once, all real or all generated (paper: 2 to 4)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        rate = {"learning_rate": 2e-4} if space.is_image else {}
        return super().defaults(space) | rate

    def build(self, space: NetworkSpace) -> Method:
        return self.method(self.networks(space, norm="batch"), self.losses())
