"""acgan: D also names the class, and G is paid for samples that it can name.

Odena, Olah, Shlens: "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML
2017, eqs. 2 and 3.

    L_S = E log P(S = real | x) + E log P(S = fake | x')      which source
    L_C = E log P(C = y | x) + E log P(C = y | x')            which class
    D maximises L_S + L_C, G maximises L_C - L_S

The class joins G's latent; D is not told it: a head beside its logit, on the same
trunk, names it. Where classes overlap, the class term draws G towards samples that are
easy to name, away from p(x | y): `class_weight` sets it against the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from equipoise.coerce import Ge
from equipoise.recipes._dcgan_family import CrossEntropy
from equipoise.recipes.base import register
from equipoise.recipes.method import AuxOutputs, Method

if TYPE_CHECKING:
    from torch import Tensor

    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class ACGAN(CrossEntropy):
    """D also names the class, and G is paid for samples that it can name."""

    name = "acgan"
    summary = "D also names the class, and G is paid for samples that it can name: needs labels"
    paper = "Odena et al. 2017, Conditional Image Synthesis with Auxiliary Classifier GANs"
    needs_labels = True

    class_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the classification loss in both networks' losses."""

    def build(self, space: NetworkSpace) -> Method:
        from torch.nn.functional import cross_entropy

        networks = self.networks(
            space, norm="batch", auxiliary=space.classes, discriminator_knows=False
        )

        def class_term(answers: AuxOutputs) -> tuple[Tensor, dict[str, Tensor]]:
            assert answers.y is not None, "acgan has labels"
            told = {"class_loss_fake": cross_entropy(answers.fake, answers.y)}
            if answers.real is not None:
                told["class_loss_real"] = cross_entropy(answers.real, answers.y)
            return self.class_weight * sum(told.values(), answers.fake.new_zeros(())), told

        return self.method(
            networks, self.losses(), auxiliary=class_term, together=not space.is_image
        )
