"""dragan: the original GAN with a penalty that keeps D's gradient about 1 near real
samples, against sudden collapse.

Kodali, Abernethy, Hays, Kira: "On Convergence and Stability of GANs", 2017, section 2.4
and algorithm 1.

    L_D = -mean log sigma(D(x)) - mean log(1 - sigma(D(x')))
          + lambda mean (|grad D(x + d)| - k)^2,      d ~ N(0, (c std(x))^2 I)

The gradient is that of the logit; k = 1, lambda = 10 and c = .5 are the authors'. The
noise is the paper's normal distribution; their code draws it uniform on [0, .5 std(x)),
and takes the gradient at a random point between x and x + d. D has no BatchNorm, since
the penalty needs the gradient of each sample.

`preset="paper"` has the authors' `DRAGAN.ipynb`: batches of 128, Adam with learning
rate 1e-4 and betas .5 and .9, 100 uniform latents, lambda 10, c .5 and k 1. What
differs: that notebook has MLPs of one layer of 128 units for MNIST, and the noise
above; the networks here are DCGAN's, with which the paper has its colour images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge, Gt
from equipoise.ranges import Around
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy
from equipoise.recipes.method import CriticBatch, Method, Rates

if TYPE_CHECKING:
    from torch import Tensor

    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class DRAGAN(CrossEntropy):
    """The original loss with a gradient penalty around real samples."""

    name = "dragan"
    summary = "the original loss with a gradient penalty around real samples"
    paper = "Kodali et al. 2017, On Convergence and Stability of GANs"

    published_for = "images"

    penalty: Annotated[float, Ge(0), Around(10)] = 10.0
    """Weight lambda of the gradient penalty (points: 0.05; a larger one keeps D from
    changing direction in one dimension)."""
    perturbation: Annotated[float, Gt(0), Around(4)] = 0.5
    """Standard deviation c of the noise around real samples, in units of the data's."""
    target: Annotated[float, Ge(0)] = 1.0
    """Target k of the gradient's norm."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        return super().defaults(space) | ({} if space.is_image else {"penalty": 0.05})

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image:
            return None
        return PLAIN | {
            "batch_size": 128,
            "learning_rate": 1e-4,
            "beta2": 0.9,
            "latent": "uniform",
            "latent_dim": 100,
            "width": 64,
            "kernel_size": 5,
            "real_label": 1.0,
            "penalty": 10.0,
            "perturbation": 0.5,
            "target": 1.0,
        }

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import penalties

        def penalty(batch: CriticBatch) -> dict[str, Tensor]:
            points = penalties.around(
                batch.real, self.perturbation, batch.randomness, batch.gather(batch.real)
            )
            return {
                "gradient_penalty": penalties.norm_penalties(
                    batch.discriminate(points), points, self.target
                ).mean()
            }

        return self.method(
            self.networks(space), self.losses(), penalty=penalty, penalty_at="elsewhere"
        )

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        return replace(super().schedule(progress, samples_seen), penalty=self.penalty)
