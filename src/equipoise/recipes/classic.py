"""classic: the original GAN, with the networks of the tutorials.

Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, eq. 1 and section 3.

    min_G max_D V(D, G) = E log D(x) + E log(1 - D(G(z)))

D ascends V. G descends it, or, by default and as the paper advises for practice,
ascends E log D(G(z)): the same fixed point, with stronger gradients while D still wins.
At the optimum p_g = p_data, D = 1/2 and V = -log 4. Convergence is not guaranteed: this
recipe is for learning, and a reference for others.

`preset="paper"` is the authors' `mnist.yaml`, for grey images: SGD with a learning rate
of .1 and momentum .5 on batches of 100, where D's loss is halved; G has two layers of
1,200 ReLUs on 100 uniform latents, D two of 240 maxout units of 5 pieces, with dropout
of a fifth of its inputs and half of its units; weights uniform on [-.05, .05] in G, on
[-.005, .005] in D. What differs: there the learning rate falls by 4 parts in a million
with each batch and the momentum rises to .7 in 250 epochs; G and D step at once;
latents reach from -sqrt(3) to sqrt(3), here from -1 to 1; data is on [0, 1] and G ends
in a sigmoid whose biases start at the pixels' frequencies, here in a tanh on [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from equipoise.coerce import Ge, Gt, Le, Lt
from equipoise.errors import RequestError
from equipoise.ranges import Doublings
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy
from equipoise.recipes.method import Method, Networks

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace

# The authors' `mnist.yaml`: pieces of a maxout unit, units of G for each of D, and the
# fraction of D's inputs that is dropped.
PIECES, UNITS_RATIO = 5, 5
INPUT_DROPOUT = 0.2


@register
@dataclass(frozen=True, kw_only=True)
class Classic(CrossEntropy):
    """The original GAN of 2014 with the tutorials' MLP networks."""

    name = "classic"
    summary = "the original GAN with the tutorials' MLP networks: to learn from, and to beat"
    paper = "Goodfellow et al. 2014, Generative Adversarial Nets"
    dcgan_networks = False

    published_for = "grey images"

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
    sampling (paper: 0.5, in D alone)."""
    latent_dim: int = 1
    """Latent dimension (points of D > 1 columns: D; images: 100)."""
    width: Annotated[int, Doublings(1)] = 32
    """Hidden units (images: 256; paper: 1200)."""
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

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image or space.shape[0] != 1:
            return None
        return PLAIN | {
            "batch_size": 100,
            "optimizer": "sgd",
            "learning_rate": 0.1,
            "discriminator_rate": 0.5,
            "beta1": 0.5,
            "latent": "uniform",
            "latent_dim": 100,
            "width": 1200,
            "dropout": 0.5,
            "real_label": 1.0,
            "generator_loss": "non-saturating",
        }

    def build(self, space: NetworkSpace) -> Method:
        if space.is_image and self.preset == "paper":
            return self.method(self._published_networks(space), self.losses())
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

    def _published_networks(self, space: NetworkSpace) -> Networks:
        """The networks of the authors' `mnist.yaml`."""
        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.latents import Prior
        from equipoise.networks.maxout import init_uniform, maxout_layers
        from equipoise.networks.mlp import Shaped, mlp

        prior, classes = Prior(self.latent_dim, self.latent), space.classes
        body = mlp(
            [prior.width + classes, self.width, self.width, space.size], ["relu", "relu", "tanh"]
        )
        units = max(self.width // UNITS_RATIO, 1)
        trunk = maxout_layers(
            [space.size, units, units], PIECES, [INPUT_DROPOUT, self.dropout, self.dropout]
        )
        discriminator = Discriminator(Shaped(trunk), units, classes)
        init_uniform(body, discriminator)
        return Networks(Generator(Shaped(body, space.shape), classes), discriminator, prior)
