"""classic: the original GAN, with the networks of the tutorials.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, eq. 1 and section 3.

    min_G max_D V(D, G) = E log D(x) + E log(1 - D(G(z)))

D ascends V. G descends it, or, by default and as the paper advises for practice,
ascends E log D(G(z)): the same fixed point, with stronger gradients while D still wins.
At the optimum p_g = p_data, D = 1/2 and V = -log 4. Convergence is not guaranteed: this
recipe is for learning, and a reference for others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from equipoise.coerce import Ge, Gt, Le, Lt
from equipoise.errors import RequestError
from equipoise.ranges import Doublings
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import CrossEntropy
from equipoise.recipes.method import Method, Networks

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace


@register
@dataclass(frozen=True, kw_only=True)
class Classic(CrossEntropy):
    """The original GAN of 2014 with the tutorials' MLP networks."""

    name = "classic"
    summary = "the original GAN with the tutorials' MLP networks: to learn from, and to beat"
    paper = "Goodfellow et al. 2014, Generative Adversarial Nets"

    batch_size: Annotated[int, Ge(1), Le(2**31)] = 100
    """Samples in a batch."""
    learning_rate: float = 2e-4
    """Adam's learning rate at the start."""
    learning_rate_end: float = 1.0
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant."""
    beta1: float = 0.5
    """Adam's first beta: momentum."""
    ema_half_life: float = 0
    """Half-life of the EMA of G's weights, in samples seen. 0: no EMA."""
    real_label: Annotated[float, Gt(0), Le(1)] = 0.95
    """D's target for real samples. Below 1 is one-sided label smoothing (images:
    0.9)."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Fraction of hidden units dropped in both networks in training, never when
    sampling."""
    latent_dim: int = 1
    """Latent dimension (points of D > 1 columns: D; images: 100)."""
    width: Annotated[int, Doublings(1)] = 32
    """Hidden units (images: 256)."""
    discriminator_sees: Literal["sample", "batch", "batch-spread"] = "sample"
    """D's input: one sample, a whole batch as one vector, or that vector with each
    value's squared distance to the batch mean (batch-spread)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        if space.is_image:
            return {"scaling": "unit", "real_label": 0.9, "latent_dim": 100, "width": 256}
        return {"latent_dim": space.size}

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        if self.discriminator_sees != "sample" and self.packing > 1:
            raise RequestError(
                f"discriminator_sees = {self.discriminator_sees!r}, packing = {self.packing}: "
                "both are samples that D sees at once, leave one out"
            )
        if self.discriminator_sees != "sample" and (
            space.is_image or space.size > 1 or self.conditional or self.clusters
        ):
            raise RequestError(
                f"discriminator_sees = {self.discriminator_sees!r} is for one column "
                "without labels or clusters: use 'sample'"
            )

    def build(self, space: NetworkSpace) -> Method:
        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.latents import Prior
        from equipoise.networks.mlp import BatchAsVector, Shaped, mlp

        prior = Prior(self.latent_dim, self.latent)
        classes = space.classes
        if space.is_image:
            body = mlp(
                [prior.width + classes, *[self.width] * 2, space.size],
                ["leaky_relu", "leaky_relu", "tanh"],
                self.dropout,
            )
            trunk = mlp(
                [space.size, self.width, self.width], ["leaky_relu", "leaky_relu"], self.dropout
            )
        else:
            body = mlp(
                [prior.width + classes, self.width, self.width, space.size],
                ["elu", "sigmoid"],
                self.dropout,
            )
            inputs = {
                "sample": space.size,
                "batch": self.batch_size,
                "batch-spread": 2 * self.batch_size,
            }[self.discriminator_sees]
            trunk = mlp([inputs, self.width, self.width], ["elu", "elu"], self.dropout)
        sees_sample = self.discriminator_sees == "sample"
        trunk_of_input = (
            Shaped(trunk)
            if sees_sample
            else BatchAsVector(trunk, spread=self.discriminator_sees == "batch-spread")
        )
        return self.method(
            Networks(
                Generator(Shaped(body, space.shape), classes),
                Discriminator(trunk_of_input, self.width, classes),
                prior,
            ),
            self.losses(),
            together=sees_sample,
        )
