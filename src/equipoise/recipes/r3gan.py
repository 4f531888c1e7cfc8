"""r3gan: the published modern baseline that `balanced` descends from.

Huang, Gokaslan, Kuleshov, Tompkin: "The GAN is dead; long live the GAN! A modern
baseline GAN", NeurIPS 2024, eqs. 2 and 4, section 4.

    L_D = mean softplus(-(D(x) - D(x')))
          + gamma / 2 (mean |grad D(x)|^2 + mean |grad D(x')|^2)
    L_G = mean softplus(-(D(x') - D(x)))

The networks are the paper's (`networks.residual`), and so are the schedules: learning
rate, gamma, Adam's beta2, the EMA's half-life and the probability of augmentations
follow a cosine over the first part of the training and then stay. By default width and
blocks are sized for a CPU; `preset="paper"` gives the published networks and rates,
which need a GPU. What differs in it: schedules change over the whole training, where
theirs do over the first 20 million images (`burn_in`), and augmentations are off.
Points have MLPs with the same losses and schedules. docs/recipes.md has all that
differs from the authors' code, and the differences to `balanced` with their reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge, Gt, Le, Lt
from equipoise.data import ScalingKind
from equipoise.ranges import Around, Doublings
from equipoise.recipes.base import MAX_UNITS, Recipe, cosine, register
from equipoise.recipes.method import Losses, Method, Networks, Rates
from equipoise.recipes.output import Relativistic
from equipoise.transforms.space import has_colors

if TYPE_CHECKING:
    from equipoise.transforms.space import NetworkSpace

# Hidden layers of the MLPs.
POINT_LAYERS = 2
# The official code's batch size, initial gamma and final EMA half-life, by the number
# of pixels a side.
PUBLISHED = {32: (512, 0.05, 5_000_000), 64: (256, 2.0, 500_000), 256: (256, 150.0, 500_000)}


@register
@dataclass(frozen=True, kw_only=True)
class R3GAN(Recipe):
    """The published relativistic baseline: its networks, losses and schedules."""

    name = "r3gan"
    summary = (
        "the published modern baseline that balanced descends from, with its residual networks"
    )
    paper = "Huang et al. 2024, The GAN is dead; long live the GAN!"
    published_for = "images of 32, 64 and 256 pixels a side"

    batch_size: int = 256
    """Samples in a batch (images: 32; paper: 512, and 256 from 64 pixels a side)."""
    learning_rate: float = 2e-3
    """Adam's learning rate at the start (images: 6e-3, in colour
    3e-3; paper: 2e-4)."""
    learning_rate_end: float = 0.25
    """Fraction of the learning rate left after the burn-in, at the end of a cosine
    decay. 1: constant."""
    ema_half_life: float = 50_000
    """Half-life of the EMA of G's weights after the burn-in, in samples seen. 0: no EMA
    (images: 10,000)."""
    beta2_start: Annotated[float, Ge(0), Lt(1)] = 0.9
    """Adam's second beta at the start. After the burn-in it is beta2."""
    scaling: ScalingKind = "unit"
    """How networks see the data: standard (zero mean, unit variance) or unit (on [-1,
    1], where the published gammas hold) (points: standard)."""
    gamma: Annotated[float, Ge(0), Around(10)] = 3.0
    """Weight of the R1 and R2 penalties at the start: gamma / 2 times their sum joins
    D's loss (points: 0.1; paper: by the image size)."""
    gamma_end: Annotated[float, Gt(0), Le(1)] = 0.1
    """Fraction of gamma left after the burn-in."""
    burn_in: Annotated[float, Gt(0), Le(1)] = 1.0
    """Fraction of the training over which the schedules change."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 48
    """Channels of the coarsest grids, 4 x 4 and 8 x 8, halved on each finer one
    (points: hidden units; paper: 768)."""
    blocks: Annotated[int, Ge(1), Le(1000)] = 1
    """Residual blocks on each grid (paper: 2)."""
    group: Annotated[int, Ge(1), Le(MAX_UNITS)] = 16
    """Channels in a group of a block's 3 x 3 convolution."""
    fold: Annotated[int, Ge(1), Le(1000)] = 2
    """Pixels a side that are folded into one cell of the finest grid. 2 costs a quarter
    of 1 (paper: 1)."""
    latent_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 64
    """Latent dimension (points: 4)."""

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        if space.is_image:
            # Grey ones were measured (benchmarks/EXPERIMENTS.md, "r3gan's step").
            rate = 3e-3 if has_colors(space.shape) else 6e-3
            return {"batch_size": 32, "learning_rate": rate, "ema_half_life": 10_000}
        return {"scaling": "standard", "gamma": 0.1, "latent_dim": 4}

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image or covering(space) not in PUBLISHED:
            return None
        batch, gamma, half_life = PUBLISHED[covering(space)]
        return {
            "batch_size": batch,
            "learning_rate": 2e-4,
            "learning_rate_end": 0.25,
            "beta1": 0.0,
            "beta2_start": 0.9,
            "beta2": 0.99,
            "ema_half_life": half_life,
            "gamma": gamma,
            "gamma_end": 0.1,
            "width": 768,
            "blocks": 2,
            "group": 16,
            "fold": 1,
            "latent_dim": 64,
        }

    def build(self, space: NetworkSpace) -> Method:
        from torch import nn

        from equipoise import losses, penalties
        from equipoise.networks.conditioning import Discriminator, Generator
        from equipoise.networks.latents import Prior
        from equipoise.networks.mlp import mlp
        from equipoise.networks.residual import ResidualGenerator, ResidualTrunk

        prior, classes = Prior(self.latent_dim), space.classes
        if space.is_image:
            widths = self.widths(space)
            body: Any = ResidualGenerator(
                prior.width + classes, space.shape, widths, self.blocks, self.group, self.fold
            )
            trunk: Any = ResidualTrunk(space.shape, widths, self.blocks, self.group, self.fold)
            features = widths[0]
        else:
            hidden, activations = [self.width] * POINT_LAYERS, ["leaky_relu"] * POINT_LAYERS
            body = mlp([prior.width + classes, *hidden, space.size], activations)
            trunk, features = mlp([space.size, *hidden], activations), self.width

        discriminator = Discriminator(trunk, features, classes)
        nn.init.normal_(discriminator.head.weight, std=features**-0.5)
        nn.init.zeros_(discriminator.head.bias)
        return self.method(
            Networks(Generator(body, classes), discriminator, prior),
            Losses(losses.relativistic_discriminator, losses.relativistic_generator),
            Relativistic(),
            penalty=lambda batch: penalties.r1_and_r2(batch.logits, batch.x),
            pairs=True,
        )

    def widths(self, space: NetworkSpace) -> list[int]:
        """Channels of each grid, coarse to fine: 4 x 4, 8 x 8 and on to the first that
        covers the image."""
        side, levels = covering(space), 1
        while 4 * 2 ** (levels - 1) * self.fold < side:
            levels += 1
        if self.preset == "paper":
            # Full width up to 32 x 32, then halved.
            return [max(self.width >> max(level - 3, 0), 1) for level in range(levels)]
        return [max(self.width >> max(level - 1, 0), 1) for level in range(levels)]

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        fraction = progress / self.burn_in
        return replace(
            super().schedule(fraction, samples_seen),
            beta2=cosine(self.beta2_start, self.beta2, fraction),
            penalty=cosine(self.gamma, self.gamma * self.gamma_end, fraction) / 2,
            ema_half_life=cosine(0.0, self.ema_half_life, fraction),
            augment=cosine(0.0, self.augment_probability, fraction),
        )


def covering(space: NetworkSpace) -> int:
    """The smallest power of two, at least 8, that is not less than the images'
    sides."""
    return max(8, 1 << (max(space.shape[1:]) - 1).bit_length())
