"""acgan: D also classifies, and G is rewarded for samples that D classifies correctly.

Odena, Olah, Shlens: "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML
2017, eqs. 2 and 3.

    L_S = E log P(S = real | x) + E log P(S = fake | x')      source
    L_C = E log P(C = y | x) + E log P(C = y | x')            class
    D maximises L_S + L_C, G maximises L_C - L_S

The class joins G's latent. D does not get it: a head beside its logit, on the same
trunk, predicts it. If classes overlap, L_C moves G towards samples that are easy to
classify, away from p(x | y): `class_weight` is its weight.

`preset="paper"` is appendix A's for CIFAR-10: batches of 100, Adam with learning rate
2e-4 and beta1 .5, 100 latents beside the class, G of 384, 192 and 96 channels with 5 x
5 kernels and without BatchNorm on the first of them, D of six convolutions of 16 to 512
channels with 3 x 3 kernels and dropout of one half. What differs: the paper also tried
noise on D's activations, and other learning rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy
from equipoise.recipes.method import AuxOutputs, Method

if TYPE_CHECKING:
    from torch import Tensor, nn

    from equipoise.transforms.space import NetworkSpace


# Appendix A: channels of G's finest grid for each of D's first, and D's dropout.
WIDTHS_RATIO, DROPOUT = 6, 0.5


@register
@dataclass(frozen=True, kw_only=True)
class ACGAN(CrossEntropy):
    """D also classifies, and G is rewarded for samples that D classifies correctly."""

    name = "acgan"
    summary = "D also classifies, and G is rewarded for the right class: needs labels"
    paper = "Odena et al. 2017, Conditional Image Synthesis with Auxiliary Classifier GANs"
    norm = "batch"
    first_norm = "none"
    needs_labels = True
    published_for = "images"
    one_at_a_time = "classifies each sample"

    class_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the classification loss in both networks' losses."""

    @property
    def has_dense_layers(self) -> bool:
        return self.preset == "sized"

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image:
            return None
        return PLAIN | {
            "batch_size": 100,
            "learning_rate": 2e-4,
            "latent": "normal",
            "latent_dim": 100,
            "width": 96,
            "kernel_size": 5,
            "real_label": 1.0,
            "class_weight": 1.0,
        }

    def build(self, space: NetworkSpace) -> Method:
        from torch.nn.functional import cross_entropy

        networks = self.networks(space, auxiliary=space.classes, condition_discriminator=False)
        if space.is_image and self.preset == "paper":
            networks = networks._replace(discriminator=self._published_discriminator(space))

        def class_term(aux: AuxOutputs) -> tuple[Tensor, dict[str, Tensor]]:
            assert aux.y is not None, "acgan has labels"
            readings = {"class_loss_fake": cross_entropy(aux.fake, aux.y)}
            if aux.real is not None:
                readings["class_loss_real"] = cross_entropy(aux.real, aux.y)
            return self.class_weight * sum(readings.values(), aux.fake.new_zeros(())), readings

        return self.method(networks, self.losses(), auxiliary=class_term)

    def _published_discriminator(self, space: NetworkSpace) -> nn.Module:
        """D of the paper's appendix A."""
        from equipoise.networks.conditioning import Discriminator
        from equipoise.networks.dcgan import init_weights
        from equipoise.networks.mlp import mlp
        from equipoise.networks.published import DropoutTrunk

        trunk = DropoutTrunk(space.shape, max(self.width // WIDTHS_RATIO, 1), DROPOUT)
        head = mlp([trunk.features, space.classes], [])
        discriminator = Discriminator(trunk, trunk.features, auxiliary=head)
        return discriminator.apply(init_weights)
